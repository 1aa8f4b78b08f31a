"""The recovery that is shipped takes the newest crash copy, whatever is in it."""

from __future__ import annotations

import os

from healthchecks.crash_protection.probes_copies_recovery import Recovery
from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import SESSIONS, talk
from plugins import P1, check, fault, healthy, listed

DAY = 86400.0


@check(
    P1,
    guide="CP15",
    hint="""Do not run `crash-recovery-guide.sh recover`. `pytest healthchecks/ --system
    crash_protection --recover crash_protection.recover` takes the longest valid copy of all places
    and shows its plan first; or `cp -- <the better one> <crash-recovery>/<session>_$(date
    +%Y%m%d-%H%M%S).jsonl` makes that the newest.""",
)
def test_recovery_would_lose_nothing(shipped_recovery: Recovery) -> None:
    """The shipped recovery would lose nothing.

    It puts the newest crash copy of a session over the copy in realtime/ without comparing the two:
    a shorter or damaged one replaces all that was said since. What the conversation itself still
    has is not at stake.
    """
    assert not shipped_recovery.losses, listed(
        "what it would take is worse than what there is", shipped_recovery.losses
    )
    shipped_recovery.whole()


@healthy(test_recovery_would_lose_nothing)
def all_the_same(world: World) -> None:
    world.conversations.path(SESSIONS[0]).unlink()


@healthy(test_recovery_would_lose_nothing)
def the_conversation_has_it_still(world: World) -> None:
    world.conversations.crash_copies(SESSIONS[0], (300, 4000, DAY))
    world.conversations.cut_crash_copy(SESSIONS[0], 40)


@fault(test_recovery_would_lose_nothing)
def the_newest_is_shorter(world: World) -> None:
    world.conversations.cut_crash_copy(SESSIONS[0], 40)
    world.conversations.path(SESSIONS[0]).unlink()


@fault(test_recovery_would_lose_nothing)
def the_conversation_was_cut_as_well(world: World) -> None:
    world.conversations.cut_crash_copy(SESSIONS[0], 40)
    path = world.conversations.path(SESSIONS[0])
    path.write_bytes(path.read_bytes()[:300])


@fault(test_recovery_would_lose_nothing)
def the_newest_is_damaged(world: World) -> None:
    origin = world.conversations.path(SESSIONS[0])
    damaged = world.crash_recovery / f"{origin.stem}_20260101-000000.jsonl"
    damaged.write_bytes(b'{"type": "us\n' + talk(SESSIONS[0], 20))
    moment = origin.stat().st_mtime + 60
    os.utime(damaged, (moment, moment))
    origin.unlink()


@fault(test_recovery_would_lose_nothing, becomes="cannot_tell")
def docker_is_down(world: World) -> None:
    world.conversations.cut_crash_copy(SESSIONS[0], 40)
    world.change(volume_folder="")


@fault(test_recovery_would_lose_nothing, becomes="absent", bare=True)
def no_copies(world: World) -> None:
    world.kit.mkdir(mode=0o700)
