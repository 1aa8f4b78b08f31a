"""Backups: there is one that can be restored, and it is fresh."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from healthchecks.claude_docker.backing_up import taken
from healthchecks.claude_docker.probes_backups import NewestBackup
from healthchecks.claude_docker.world import World
from plugins import P0, P1, UNSAFE, check, fault, healthy, listed, printable, remedy
from plugins.steps import Step


@remedy(UNSAFE)
def take_one_now(newest_backup: NewestBackup) -> Iterator[Step]:
    """Take a backup now: copy Claude's folder and configuration file into a new folder of backups
    named by the date, `cp -a ~/.claude ~/.claude-backups/<date>/claude` and `cp -p ~/.claude.json
    ~/.claude-backups/<date>/claude.json`, and lead `latest` to it. It takes as much of the disk as
    Claude's folder does, and a broken configuration is not backed up: first get it right with
    `pytest healthchecks/ --recover claude_docker.disaster_recovery`."""
    yield from taken(newest_backup.taking)


@check(P0, guide="CD15", remedy=take_one_now)
def test_the_newest_backup_can_be_restored(newest_backup: NewestBackup) -> None:
    """There is a backup, and the newest can be restored.

    The kit calls a backup a success when both ~/.claude and ~/.claude.json were missing, and its
    verification finds no fault with an empty folder.
    """
    where = printable(newest_backup.path or newest_backup.root)
    said = f"{where} cannot be restored" if newest_backup.path else f"no backup is in {where}"
    good = newest_backup.path and not newest_backup.faults
    assert good, listed(said, (*newest_backup.faults, *newest_backup.notes))


@healthy(test_the_newest_backup_can_be_restored)
def whole(world: World) -> None:
    world.backups.full()


@healthy(test_the_newest_backup_can_be_restored)
def only_its_archive_is_left(world: World) -> None:
    shutil.rmtree(world.backups.full())


@healthy(test_the_newest_backup_can_be_restored)
def one_is_under_way(world: World) -> None:
    (world.backups.full(archive=False, link=False) / "claude.json").unlink()


@healthy(test_the_newest_backup_can_be_restored)
def an_empty_folder_beside_it(world: World) -> None:
    (world.backup_root / world.backups.stamp()).mkdir()


@fault(test_the_newest_backup_can_be_restored, becomes="absent", layout="own")
def without_a_kit(world: World) -> None:
    assert not world.backup_root.exists()


@fault(test_the_newest_backup_can_be_restored)
def no_folder_of_backups(world: World) -> None:
    shutil.rmtree(world.backup_root)


@fault(test_the_newest_backup_can_be_restored)
def broken_off(world: World) -> None:
    shutil.rmtree(world.backup_root)
    (world.backup_root / ".making-20260101-000000" / "claude").mkdir(parents=True)


@fault(test_the_newest_backup_can_be_restored)
def only_one_before_a_synchronisation(world: World) -> None:
    shutil.rmtree(world.backup_root)
    world.backups.pre_sync()


@fault(test_the_newest_backup_can_be_restored)
def of_a_configuration_that_was_cut(world: World) -> None:
    text = world.config_file.read_bytes()
    world.config_file.write_bytes(text[:-9])
    world.backups.full(hours=0.5)
    world.config_file.write_bytes(text)


@fault(test_the_newest_backup_can_be_restored)
def of_an_empty_configuration(world: World) -> None:
    (world.backups.full(hours=0.5) / "claude.json").write_bytes(b"")


@fault(test_the_newest_backup_can_be_restored)
def with_a_pipe_for_a_configuration(world: World) -> None:
    path = world.backups.full(hours=0.5) / "claude.json"
    path.unlink()
    os.mkfifo(path)


@fault(test_the_newest_backup_can_be_restored)
def without_the_configuration(world: World) -> None:
    (world.backups.full(hours=0.5) / "claude.json").unlink()


@fault(test_the_newest_backup_can_be_restored)
def without_the_tree(world: World) -> None:
    shutil.rmtree(world.backups.full(hours=0.5) / "claude")


@fault(test_the_newest_backup_can_be_restored)
def with_a_link_for_a_tree(world: World) -> None:
    folder = world.backups.full(hours=0.5)
    shutil.rmtree(folder / "claude")
    (folder / "claude").symlink_to(world.config_dir)


@fault(test_the_newest_backup_can_be_restored)
def an_archive_alone_that_is_cut(world: World) -> None:
    shutil.rmtree(world.backup_root)
    folder = world.backups.full(hours=0.5)
    os.truncate(f"{folder}.tar.gz", 200)
    shutil.rmtree(folder)


@fault(test_the_newest_backup_can_be_restored)
def an_archive_alone_of_an_empty_tree(world: World) -> None:
    shutil.rmtree(world.backup_root)
    folder = world.backups.full(hours=0.5, link=False)
    shutil.rmtree(folder / "claude")
    (folder / "claude").mkdir()
    world.backups.archive(folder)
    shutil.rmtree(folder)


@fault(test_the_newest_backup_can_be_restored)
def of_a_day_that_is_yet_to_come(world: World) -> None:
    shutil.rmtree(world.backup_root)
    world.backups.full(days=-400)


@fault(test_the_newest_backup_can_be_restored, cure=False)
def nothing_good_to_take(world: World) -> None:
    world.config_file.write_bytes(b"")
    world.backups.full(hours=0.5)


@remedy(UNSAFE)
def take_a_fresh_one(dated_backup: NewestBackup) -> Iterator[Step]:
    """Take a backup now with `pytest healthchecks/ --recover claude_docker.back_up`, and see why
    nothing does every day: `crontab -l | grep backup`, `tail ~/.claude-docker-backup.log`. It takes
    as much of the disk as Claude's folder does."""
    yield from taken(dated_backup.taking)


@check(P1, guide="CD16", remedy=take_a_fresh_one)
def test_the_newest_backup_is_fresh(dated_backup: NewestBackup) -> None:
    """The newest backup is fresh.

    What was said and set since then is lost with the disk, or with the next synchronisation that
    copies the wrong way.
    """
    assert not dated_backup.old, listed(
        f"the newest backup is older than it may be: {dated_backup.age}",
        (dated_backup.path, *dated_backup.notes),
    )


@healthy(test_the_newest_backup_is_fresh)
def of_an_hour_ago(world: World) -> None:
    world.age(world.backups.full(hours=1.5), days=9)


@fault(test_the_newest_backup_is_fresh, becomes="blocked")
def no_backup_at_all(world: World) -> None:
    shutil.rmtree(world.backup_root)


@fault(test_the_newest_backup_is_fresh)
def of_last_week(world: World) -> None:
    shutil.rmtree(world.backup_root)
    world.backups.full(days=7)


@fault(test_the_newest_backup_is_fresh)
def copied_from_elsewhere(world: World) -> None:
    shutil.rmtree(world.backup_root)
    os.utime(world.backups.full(days=2))
