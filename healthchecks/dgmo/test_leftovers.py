"""Nothing is left over: no lock of a backup that is no more, no temporary folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.dgmo.probes_backups import StaleLock
from healthchecks.dgmo.probes_leftovers import Leftover
from healthchecks.dgmo.world import World
from plugins import P2, P3, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Quarantine


@remedy(SAFE)
def take_the_lock_away(stale_locks: tuple[StaleLock, ...]) -> Iterator[Quarantine]:
    """Move the lock away by `mv`, once `pgrep -af session-backup` shows that no backup runs."""
    for lock in stale_locks:
        yield Quarantine(lock.path, seen=lock.seen)


@check(P2, guide="DG15", remedy=take_the_lock_away)
def test_no_backup_lock_is_left_behind(stale_locks: tuple[StaleLock, ...]) -> None:
    """No lock of the session backup is left behind.

    A backup that was killed leaves its lock; as soon as its number is given to another process,
    every later backup ends with "Another backup process is running".
    """
    assert not stale_locks, listed("a lock that no backup holds", stale_locks)


@remedy(SAFE)
def put_them_away(temporary_leftovers: tuple[Leftover, ...]) -> Iterator[Quarantine]:
    """Move each folder that is listed away by `mv`, and delete it when nobody misses it."""
    for leftover in temporary_leftovers:
        yield Quarantine(leftover.path, seen=leftover.seen)


@check(P3, guide="DG34", remedy=put_them_away)
def test_temporary_folders_are_clean(temporary_leftovers: tuple[Leftover, ...]) -> None:
    """No interrupted restore or consolidation has left anything in temporary folders.

    Such copies of conversations are open to everybody's eyes, and the backup script takes some of
    them for the sessions themselves.
    """
    assert not temporary_leftovers, listed("left over", temporary_leftovers)


@healthy(test_no_backup_lock_is_left_behind)
def a_backup_under_way(world: World) -> None:
    world.files.lock(str(os.getpid()))


@healthy(test_no_backup_lock_is_left_behind)
def a_backup_that_just_began(world: World) -> None:
    """It has made its lock, and not yet written its number."""
    world.files.lock("")


@healthy(test_no_backup_lock_is_left_behind)
@healthy(test_no_backup_lock_is_left_behind, layout="workspace")
def no_lock(world: World) -> None:
    """No backup runs."""


@fault(test_no_backup_lock_is_left_behind)
@fault(test_no_backup_lock_is_left_behind, layout="workspace")
def of_a_dead_process(world: World) -> None:
    world.files.lock("4194303\n")


@fault(test_no_backup_lock_is_left_behind)
def of_another_process_by_now(world: World) -> None:
    """Its number was given to a process that is younger than the lock."""
    world.age(world.files.lock(str(os.getpid())), days=400)


@fault(test_no_backup_lock_is_left_behind)
def of_no_process(world: World) -> None:
    world.age(world.files.lock("unknown"), hours=2)


@fault(test_no_backup_lock_is_left_behind)
def far_too_long(world: World) -> None:
    world.age(world.files.lock("1" * 5000), hours=2)


@fault(test_no_backup_lock_is_left_behind)
def no_file_but_a_pipe(world: World) -> None:
    """The script would wait for ever to read it."""
    os.mkfifo(world.tmp / "session-backup.lock")


@healthy(test_temporary_folders_are_clean)
@healthy(test_temporary_folders_are_clean, layout="workspace")
def none_is_there(world: World) -> None:
    (world.tmp / "another-program").mkdir()


@healthy(test_temporary_folders_are_clean)
def a_restore_under_way(world: World) -> None:
    """Its folder is old, and something in it was written just now."""
    folder = world.files.temporary("session-restore-20261101-101500")
    (folder / "info" / "ses_1.json").write_text("{}")


@healthy(test_temporary_folders_are_clean)
def the_logs_of_the_restore_script(world: World) -> None:
    """Copies from before a restore lie there: somebody may need them."""
    world.files.temporary("session-restore-logs")


@fault(test_temporary_folders_are_clean)
@fault(test_temporary_folders_are_clean, layout="workspace")
def an_interrupted_restore(world: World) -> None:
    world.files.temporary("session-restore-20261101-101500")


@fault(test_temporary_folders_are_clean)
def everything_that_the_scripts_leave(world: World) -> None:
    for name in ("session-consolidation-20261101", "opencode-sessions", "verify-backup-4711"):
        world.files.temporary(name)
    world.age(world.files.put(world.tmp / "verify-backup-x.log", "text"), days=3)
