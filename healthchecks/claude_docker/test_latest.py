"""What leads to backups, leads to the right one: the link `latest`, and the pointer of a sync."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from healthchecks.claude_docker.probes_backups import LatestLink, Pointer
from healthchecks.claude_docker.world import World
from plugins import P0, P1, SAFE, check, fault, healthy, printable, remedy
from plugins.steps import Link, Move


@remedy(SAFE)
def lead_it_there(latest_link: LatestLink) -> Iterator[Move | Link]:
    """Run `ln -sfn ~/.claude-backups/<date> ~/.claude-backups/latest` with the newest date whose
    folder holds claude/ and a claude.json that `jq empty` can read; what stands there and is no
    link, move aside first."""
    if latest_link.right:
        if latest_link.aside:
            yield Move(latest_link.path, latest_link.aside, seen=latest_link.seen)
        yield Link(latest_link.path, latest_link.right)


@check(P0, guide="CD15", remedy=lead_it_there)
def test_latest_leads_to_the_newest_backup(latest_link: LatestLink) -> None:
    """The link `latest` leads to the newest backup.

    Whoever restores in a hurry takes what it leads to: an empty folder, or last month's, then
    replaces today's.
    """
    assert not latest_link.trouble, f"{printable(latest_link.path)} {latest_link.trouble}"


@healthy(test_latest_leads_to_the_newest_backup)
def to_the_newest(world: World) -> None:
    world.backups.full(days=3, link=False)


@healthy(test_latest_leads_to_the_newest_backup)
def by_a_relative_path(world: World) -> None:
    world.backups.link(world.backups.latest.readlink().name)


@healthy(test_latest_leads_to_the_newest_backup)
def with_the_next_one_under_way(world: World) -> None:
    world.backups.full(link=False, archive=False)


@healthy(test_latest_leads_to_the_newest_backup)
def with_the_folder_on_a_larger_disk(world: World) -> None:
    moved = world.backup_root.rename(world.folder / "larger-disk")
    world.backup_root.symlink_to(moved)


@fault(test_latest_leads_to_the_newest_backup, becomes="blocked")
def with_nothing_to_lead_to(world: World) -> None:
    shutil.rmtree(world.backup_root)


@fault(test_latest_leads_to_the_newest_backup)
def missing(world: World) -> None:
    world.backups.latest.unlink()


@fault(test_latest_leads_to_the_newest_backup)
def dangling(world: World) -> None:
    world.backups.link(world.backup_root / "20200101-000000")


@fault(test_latest_leads_to_the_newest_backup)
def in_a_circle(world: World) -> None:
    world.backups.link("latest")


@fault(test_latest_leads_to_the_newest_backup)
def leading_out(world: World) -> None:
    world.backups.link(world.config_dir)


@fault(test_latest_leads_to_the_newest_backup)
def to_an_empty_folder(world: World) -> None:
    folder = world.backup_root / world.backups.stamp()
    folder.mkdir()
    world.backups.link(folder)


@fault(test_latest_leads_to_the_newest_backup)
def to_one_before_a_synchronisation(world: World) -> None:
    world.backups.link(world.backups.pre_sync())


@fault(test_latest_leads_to_the_newest_backup)
def to_an_older_one(world: World) -> None:
    world.backups.full(days=3)


@fault(test_latest_leads_to_the_newest_backup)
def a_folder_in_its_place(world: World) -> None:
    world.backups.latest.unlink()
    shutil.copytree(next(world.backup_root.glob("2*-*[0-9]")), world.backups.latest)


@fault(test_latest_leads_to_the_newest_backup, cure=False)
def with_archives_alone(world: World) -> None:
    shutil.rmtree(world.backups.latest.readlink())


@check(
    P1,
    guide="CD14",
    hint="""Let nothing restore from it: delete the file that is named with `rm <file>`; the next
    synchronisation writes it anew. To restore by hand, take the folder that `ls -d
    ~/.claude-backups/*/ | tail -1` names.""",
)
def test_the_last_backup_pointer_leads_to_a_backup(backup_pointer: Pointer) -> None:
    """The pointer to the last backup leads to a backup.

    A synchronisation that fails restores ~/.claude from the folder that this file names, and it
    lies where every user of this machine may write.
    """
    assert not backup_pointer.trouble, f"{printable(backup_pointer.path)} {backup_pointer.trouble}"


@healthy(test_the_last_backup_pointer_leads_to_a_backup)
def to_one_that_is_there(world: World) -> None:
    world.backups.pre_sync(hours=2)


@fault(test_the_last_backup_pointer_leads_to_a_backup, becomes="absent")
def without_a_pointer(world: World) -> None:
    world.backups.pointer.unlink(missing_ok=True)


@fault(test_the_last_backup_pointer_leads_to_a_backup)
def to_one_that_is_gone(world: World) -> None:
    shutil.rmtree(world.backups.pre_sync())


@fault(test_the_last_backup_pointer_leads_to_a_backup)
def to_a_place_of_a_stranger(world: World) -> None:
    world.backups.point(f"{world.folder}\n")


@fault(test_the_last_backup_pointer_leads_to_a_backup)
def empty(world: World) -> None:
    world.backups.point("\n")


@fault(test_the_last_backup_pointer_leads_to_a_backup)
def a_pipe(world: World) -> None:
    os.mkfifo(world.backups.pointer)


@fault(test_the_last_backup_pointer_leads_to_a_backup, needs=("root",))
def laid_by_a_stranger(world: World) -> None:
    world.backups.pre_sync()
    os.chown(world.backups.pointer, 65534, 65534)
