"""Old backups and large logs are cleared away, and nothing that somebody may need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from healthchecks.claude_docker.probes_archives import OldBackup
from healthchecks.claude_docker.probes_budgets import LargeLog
from healthchecks.claude_docker.world import World
from plugins import P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Move, Quarantine


@remedy(SAFE)
def put_them_away(old_backups: tuple[OldBackup, ...]) -> Iterator[Quarantine]:
    """Move each that is listed out of the folder of backups, and never the folder itself. The fix
    moves them into its quarantine, mostly on the same disk: when nobody missed them, free the room
    with `rm -r ~/.local/state/agent-healthchecks/quarantine/<run>`."""
    for backup in old_backups:
        yield Quarantine(backup.path, seen=backup.seen)


@check(P2, guide="CD18", remedy=put_them_away)
def test_old_backups_are_cleared_away(old_backups: tuple[OldBackup, ...]) -> None:
    """Old backups are cleared away.

    The kit never clears away those that it makes before each synchronisation, and the disk fills.
    What `latest` names, the newest that can be restored and the last of all stay whatever their
    age.
    """
    assert not old_backups, listed("backups that are too old", old_backups)


@healthy(test_old_backups_are_cleared_away)
def young(world: World) -> None:
    world.backups.full(days=29, link=False)
    world.backups.pre_sync(days=29)


@healthy(test_old_backups_are_cleared_away)
def the_last_of_all(world: World) -> None:
    shutil.rmtree(world.backup_root)
    world.backups.full(days=90)


@healthy(test_old_backups_are_cleared_away)
def the_last_that_can_be_restored(world: World) -> None:
    shutil.rmtree(world.backup_root)
    world.backups.full(days=90, archive=False)
    (world.backups.full(days=1) / "claude.json").write_bytes(b"")


@healthy(test_old_backups_are_cleared_away)
def the_last_archive_that_can_be_restored(world: World) -> None:
    shutil.rmtree(world.backup_root)
    shutil.rmtree(world.backups.full(days=90, link=False))
    folder = world.backups.full(days=80, link=False)
    shutil.rmtree(folder)
    os.truncate(f"{folder}.tar.gz", 200)


@healthy(test_old_backups_are_cleared_away)
def the_last_full_one_that_can_be_restored(world: World) -> None:
    shutil.rmtree(world.backup_root)
    world.backups.full(days=90, archive=False)
    world.backups.pre_sync(days=1)
    (world.backups.full(days=2) / "claude.json").write_bytes(b"")
    for archive in world.backup_root.glob("*.gz"):
        os.truncate(archive, 200)


@healthy(test_old_backups_are_cleared_away)
def what_the_pointer_names(world: World) -> None:
    world.backups.pre_sync(days=90)


@healthy(test_old_backups_are_cleared_away)
def of_no_date_of_ours(world: World) -> None:
    (world.backup_root / "before-the-move").mkdir()
    (world.backup_root / "20250230-000000").mkdir()


@fault(test_old_backups_are_cleared_away, becomes="absent", layout="own")
def without_backups(world: World) -> None:
    assert not world.backup_root.exists()


@fault(test_old_backups_are_cleared_away)
def of_two_months_ago(world: World) -> None:
    world.backups.full(days=60, link=False)


@fault(test_old_backups_are_cleared_away)
def of_old_synchronisations(world: World) -> None:
    for days in (31, 40, 50):
        world.backups.pre_sync(days=days)
    world.backups.pre_sync(days=1)


@remedy(SAFE)
def rotate_them(large_logs: tuple[LargeLog, ...]) -> Iterator[Move]:
    """Move each log that is listed to a name with a number behind it, as in `mv -n <log>
    <log>.1`, when nothing holds it open (`lsof <log>`): the next line makes it anew.
    Then `gzip` what was moved."""
    for log in large_logs:
        if log.rotated:
            yield Move(log.path, log.rotated, seen=log.seen)


@check(P2, guide="CD20", remedy=rotate_them)
def test_logs_are_rotated(large_logs: tuple[LargeLog, ...]) -> None:
    """The kit's logs are rotated.

    Nothing of the kit ever rotates them, and every question to them reads them whole.
    """
    assert not large_logs, listed("logs that are too large", large_logs)


@healthy(test_logs_are_rotated)
def small(world: World) -> None:
    _log(world, "metrics.jsonl", 900)


@healthy(test_logs_are_rotated)
def rotated_already(world: World) -> None:
    _log(world, "metrics.jsonl", 900)
    _log(world, "metrics.jsonl.1", 40960)


@fault(test_logs_are_rotated, becomes="absent", layout="own")
def without_logs(world: World) -> None:
    assert not list(world.folder.glob(".claude-docker-*"))


@fault(test_logs_are_rotated)
def grown(world: World) -> None:
    _log(world, "metrics.jsonl", 40960)
    _log(world, "errors.log", 40960)
    _log(world, "errors.log.1", 9)


@fault(test_logs_are_rotated, cure=False)
def of_no_name_that_is_configured(world: World) -> None:
    _log(world, "of-a-stranger $(id)\x1b[31m.log", 40960)


def _log(world: World, name: str, size: int) -> None:
    world.change(log_mib=20_000 / (1 << 20))
    path = world.folder / f".claude-docker-{name}"
    line = b'{"timestamp": "2026-11-20T10:00:00Z", "level": "info", "event": "claude_start"}\n'
    path.write_bytes(line * (size // len(line)))
    path.chmod(0o600)
