"""The synchronisation: both sides hold the same, and no lock is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

from plugins import P1, P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Quarantine

from .probes_sync import Drift, Lock
from .world import World

DOCKER = ("root", "dockerd", "docker", "busybox")
SETTINGS = "settings.json"
TALK = "projects/-workspace-proj/b0c1.jsonl"


@check(
    P1,
    guide="CD11",
    hint="Start no session before you have looked: the next synchronisation takes Claude's folder "
    "for right and deletes what is only in the staging folder. Compare what is listed with "
    "`diff -r ~/.claude ~/.docker-ai-config/global_state/claude_config`, and copy what is worth "
    "keeping with `cp -p`.",
)
def test_what_was_synchronised_is_the_same_on_both_sides(drift: Drift) -> None:
    """What was synchronised is the same on both sides.

    The kit compares sizes at most, and of two files: what it lost or spoiled on the way goes
    unseen until the next synchronisation deletes the better copy.
    """
    assert not drift.unsafe, listed(
        "Claude's folder and the staging folder do not hold the same", drift.unsafe
    )


@healthy(test_what_was_synchronised_is_the_same_on_both_sides)
def staged(world: World) -> None:
    world.sync.differ("debug/trace.txt", b"of the host", None)
    world.sync.differ("run.log", b"of the host", b"of a container")
    world.sync.differ("todos/kept.tmp", None, b"of a container")


@healthy(test_what_was_synchronised_is_the_same_on_both_sides, needs=DOCKER)
def written_by_a_session_that_runs(world: World) -> None:
    world.containers.use()
    world.containers.session()
    world.sync.differ(TALK, None, b"{}\n")


@fault(test_what_was_synchronised_is_the_same_on_both_sides)
def of_one_size_and_time(world: World) -> None:
    world.sync.differ(TALK, b'{"said": "yes"}\n', b'{"said": "no!"}\n')
    world.sync.same_time(TALK)


@fault(test_what_was_synchronised_is_the_same_on_both_sides)
def a_session_that_was_not_brought_back(world: World) -> None:
    world.sync.differ(TALK, None, b"{}\n")


@fault(test_what_was_synchronised_is_the_same_on_both_sides)
def newer_in_the_staging_folder(world: World) -> None:
    world.sync.differ(SETTINGS, b"{}\n", b'{"model": "opus"}\n')
    os.utime(world.state_dir / SETTINGS)


@fault(test_what_was_synchronised_is_the_same_on_both_sides)
def lost_in_the_staging_folder(world: World) -> None:
    world.sync.differ(TALK, b"{}\n", None)


@fault(test_what_was_synchronised_is_the_same_on_both_sides)
def a_configuration_of_no_bytes(world: World) -> None:
    (world.state_dir / ".claude.json").write_bytes(b"")


@fault(
    test_what_was_synchronised_is_the_same_on_both_sides, becomes="cannot_tell", needs=("flock",)
)
def while_it_synchronises(world: World) -> None:
    world.sync.held()
    world.sync.differ(TALK, b"{}\n", None)


@fault(test_what_was_synchronised_is_the_same_on_both_sides, becomes="absent")
def a_kit_that_never_synchronises(world: World) -> None:
    world.sync.mounted_only()


@fault(test_what_was_synchronised_is_the_same_on_both_sides, becomes="absent", layout="own")
def no_staging_folder(world: World) -> None:
    """Claude Code alone has none."""


@check(
    P2,
    guide="CD11",
    hint="Nothing is lost: start a session, which stages Claude's folder anew. Do not run "
    "`sync_claude_config_out` before that, as it would put the older files back.",
)
def test_the_staging_folder_is_up_to_date(drift: Drift) -> None:
    """What was changed in Claude's folder is staged.

    A session finds the older files, and at its end they may replace the newer ones.
    """
    assert not drift.behind, listed("not staged since it was written", drift.behind)


@healthy(test_the_staging_folder_is_up_to_date)
def just_staged(world: World) -> None:
    world.sync.differ(TALK, b"{}\n", b"{}\n")


@fault(test_the_staging_folder_is_up_to_date)
def changed_since(world: World) -> None:
    world.sync.differ(SETTINGS, b'{"model": "opus"}\n', b"{}\n")
    os.utime(world.config_dir / SETTINGS)


@fault(test_the_staging_folder_is_up_to_date)
def new_since(world: World) -> None:
    (world.config_dir / "new.md").write_text("new\n")


@remedy(SAFE)
def put_it_away(lost_lock: Lock | None) -> Iterator[Quarantine]:
    """Run `mv <lock> "$(mktemp -d)/"`, when `fuser <lock>` names nobody."""
    if lost_lock:
        yield Quarantine(lost_lock.path, seen=lost_lock.seen)


@check(P1, guide="CD12", remedy=put_it_away)
def test_no_lock_is_left_behind(lost_lock: Lock | None) -> None:
    """No lock of the synchronisation is left behind.

    It shows a synchronisation that was killed half-way, and some launchers wait for it for ever.
    """
    assert lost_lock is None, (
        f"{lost_lock.path} is held by nobody and {lost_lock.seconds:.0f} s old"
    )


@healthy(test_no_lock_is_left_behind)
def no_lock(world: World) -> None:
    """There is none."""


@healthy(test_no_lock_is_left_behind)
def a_young_one(world: World) -> None:
    world.sync.locked(seconds_ago=5.0)


@healthy(test_no_lock_is_left_behind, needs=("flock",))
def one_that_is_held(world: World) -> None:
    world.sync.held()


@healthy(test_no_lock_is_left_behind, needs=("flock",))
def one_that_is_shared(world: World) -> None:
    world.sync.held("--shared")


@healthy(test_no_lock_is_left_behind)
def what_is_no_lock(world: World) -> None:
    os.mkfifo(world.sync.lock)


@healthy(test_no_lock_is_left_behind)
def a_link_to_what_is_anothers(world: World) -> None:
    world.sync.lock.symlink_to(world.config_dir / SETTINGS)


@fault(test_no_lock_is_left_behind)
def left_by_a_kill(world: World) -> None:
    world.sync.locked(seconds_ago=300.0)


@fault(test_no_lock_is_left_behind, becomes="absent", layout="own")
def nothing_that_synchronises(world: World) -> None:
    """Claude Code alone has no lock."""
