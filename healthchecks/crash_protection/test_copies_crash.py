"""Crash copies: a few of each conversation, from minutes to days back."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.crash_protection.probes_copies_current import Protection, Standing
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.taking import Taking, crowding
from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import SESSIONS, talk
from plugins import P1, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Step

DAY = 86400.0


def _wanting(protection: Protection, system: CrashProtection) -> list[Standing]:
    """Return the conversations with a copy, and too few, too many or too like crash copies."""
    most, now = system.settings.crash_copies, protection.now
    begun = now - protection.limit
    return [
        row
        for row in protection.standing
        if row.copy
        and (row.crash or row.conversation.mtime_ns / 1e9 < begun)
        and crowding(row, now, most)
    ]


@remedy(SAFE, routine=True)
def space_them(protection: Protection, system: CrashProtection) -> Iterator[Step]:
    """Copy each conversation that has none to crash-recovery/ with the time in its name; of too
    many, compare (`cmp -n`) and move away those that a longer copy begins with.
    """
    taking = Taking(system, protection)
    rows = _wanting(protection, system)
    for row in rows:
        yield from taking.room(row)
    yield from taking.copies(rows)


@check(P1, guide="CP05", remedy=space_them)
def test_crash_copies_span_a_useful_time(protection: Protection, system: CrashProtection) -> None:
    """Five crash copies are kept of each conversation, over a useful span.

    They are what is left when a conversation and its copy are damaged together. Five of one minute
    are as good as one; more than five take room and say nothing more. Copies that no other copy
    begins with stay, however many there are.
    """
    wanting = _wanting(protection, system)
    most = system.settings.crash_copies
    words = [crowding(row, protection.now, most) for row in wanting]
    assert not wanting, listed("crash copies", words)
    protection.judged()


@healthy(test_crash_copies_span_a_useful_time)
def one_each(world: World) -> None:
    world.conversations.age_all(DAY)


@healthy(test_crash_copies_span_a_useful_time)
def five_over_days(world: World) -> None:
    world.conversations.crash_copies(SESSIONS[0], (300, 4000, DAY, 3 * DAY, 9 * DAY))


@healthy(test_crash_copies_span_a_useful_time)
def more_that_hold_something_of_their_own(world: World) -> None:
    path = world.conversations.path(SESSIONS[0])
    for number in range(7):
        copy = world.crash_recovery / f"{path.stem}_2026010{number + 1}-101500.jsonl"
        copy.write_bytes(talk(f"other-{number}", 2))
        copy.chmod(0o600)


@fault(test_crash_copies_span_a_useful_time)
def none(world: World) -> None:
    for path in world.crash_recovery.glob(f"{SESSIONS[0]}_*"):
        path.unlink()
    world.conversations.age_all(DAY)


@fault(test_crash_copies_span_a_useful_time)
def none_of_one_without_a_name(world: World) -> None:
    """Its crash copy's name is a time and nothing else."""
    for path in (world.projects / "-srv-app" / ".jsonl", world.realtime / ".jsonl"):
        path.write_bytes(talk("", 2))
        world.age(path, DAY)


@fault(test_crash_copies_span_a_useful_time)
def no_folder_of_them(world: World) -> None:
    for path in world.crash_recovery.iterdir():
        path.unlink()
    world.crash_recovery.rmdir()
    world.conversations.age_all(DAY)


@fault(test_crash_copies_span_a_useful_time)
def eight(world: World) -> None:
    world.conversations.crash_copies(SESSIONS[0], tuple(600.0 * 3**n for n in range(8)))


@fault(test_crash_copies_span_a_useful_time)
def all_of_one_minute(world: World) -> None:
    world.conversations.crash_copies(SESSIONS[2], (10, 20, 30, 40, 50))


@fault(test_crash_copies_span_a_useful_time)
def all_the_same(world: World) -> None:
    world.conversations.crash_copies(SESSIONS[2], (3610, 3620, 3630, 3640, 3650), same=True)
