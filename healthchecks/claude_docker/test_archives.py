"""Archives of backups: whole to the last byte, and for their owner's eyes alone."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from healthchecks.claude_docker.probes_archives import OpenBackup
from healthchecks.claude_docker.world import World
from plugins import P0, P1, SAFE, check, fault, healthy, listed, remedy
from plugins.archives import BrokenArchive
from plugins.steps import Chmod


@check(
    P1,
    guide="CD17",
    hint="""Nothing can be restored from it. Where the folder of the same date is still there, make
    the archive anew: `(umask 077; tar -C ~/.claude-backups -czf <archive> <date>)`. Else look for
    the same archive on the other disk or in the cloud, as with `rclone copy
    remote:claude-backups/<archive> .`, and then see whether the disk is full or failing: `df -h ~`,
    `dmesg | tail`.""",
)
def test_backup_archives_are_intact(broken_archives: tuple[BrokenArchive, ...]) -> None:
    """Every archive of a backup can be read to its end.

    A full disk or a broken copy leaves an archive that looks like the others until the day when it
    is needed.
    """
    assert not broken_archives, listed("archives that cannot be restored from", broken_archives)


@healthy(test_backup_archives_are_intact)
def read_to_the_end(world: World) -> None:
    world.backups.full(days=2)


@healthy(test_backup_archives_are_intact)
def an_archive_under_way(world: World) -> None:
    os.truncate(_archive(world, days=0.0), 100)


@fault(test_backup_archives_are_intact, becomes="absent")
def none_at_all(world: World) -> None:
    for path in world.backup_root.glob("*.gz"):
        path.unlink()


@fault(test_backup_archives_are_intact)
def cut(world: World) -> None:
    archive = _archive(world)
    os.truncate(archive, archive.stat().st_size - 1)


@fault(test_backup_archives_are_intact)
def with_a_bit_flipped(world: World) -> None:
    archive = _archive(world)
    text = bytearray(archive.read_bytes())
    text[len(text) // 2] ^= 1
    archive.write_bytes(text)


@fault(test_backup_archives_are_intact)
def no_gzip(world: World) -> None:
    _archive(world).write_bytes(b"this is no archive")


@fault(test_backup_archives_are_intact)
def empty(world: World) -> None:
    os.truncate(_archive(world), 0)


@fault(test_backup_archives_are_intact)
def of_nothing(world: World) -> None:
    with tarfile.open(_archive(world), "w:gz"):
        pass


@fault(test_backup_archives_are_intact)
def leading_out(world: World) -> None:
    archive = _archive(world)
    world.backups.hostile(archive, "../../.ssh/authorized_keys")


@remedy(SAFE)
def close_them(open_backups: tuple[OpenBackup, ...]) -> Iterator[Chmod]:
    """Run `chmod 700 ~/.claude-backups`, and `chmod go-rwx` on the backups that are listed; say
    `umask 077` before the next backup is made."""
    for backup in open_backups:
        yield Chmod(backup.path, backup.mode & 0o700, seen=backup.seen)


@check(P0, guide="CD08", remedy=close_them)
def test_only_the_owner_can_read_backups(open_backups: tuple[OpenBackup, ...]) -> None:
    """Only the owner can read backups.

    They hold the tokens of the login and whole conversations, and tar gives an archive the umask's
    mode, whatever the modes of what it holds.
    """
    assert not open_backups, listed("backups that others can read", open_backups)


@healthy(test_only_the_owner_can_read_backups)
def private(world: World) -> None:
    world.backups.full(days=1)


@healthy(test_only_the_owner_can_read_backups)
def behind_a_closed_door(world: World) -> None:
    _archive(world).chmod(0o644)
    world.backup_root.chmod(0o700)


@healthy(test_only_the_owner_can_read_backups)
def behind_a_glass_door(world: World) -> None:
    world.backup_root.chmod(0o755)
    for folder in world.backup_root.glob("*/"):
        folder.chmod(0o700)


@fault(test_only_the_owner_can_read_backups, becomes="absent", layout="own")
def without_backups(world: World) -> None:
    assert not world.backup_root.exists()


@fault(test_only_the_owner_can_read_backups)
def open_as_tar_leaves_them(world: World) -> None:
    world.backup_root.chmod(0o755)
    _archive(world).chmod(0o644)


@fault(test_only_the_owner_can_read_backups)
def a_tree_for_the_group(world: World) -> None:
    world.backup_root.chmod(0o750)
    folder = world.backups.full(days=2, archive=False)
    folder.chmod(0o750)
    (folder / "claude.json").chmod(0o640)


@fault(test_only_the_owner_can_read_backups)
def with_a_second_name(world: World) -> None:
    world.backup_root.chmod(0o755)
    archive = _archive(world)
    archive.chmod(0o644)
    os.link(archive, world.folder / "another-name")


@check(
    P0,
    guide="CD08",
    hint="""Run `chmod 700` on the folder that external_backups of the systems file names. Where
    that changes nothing, the disk keeps no modes: mount it for one user alone (`umask=077`), or
    keep only encrypted archives on it.""",
)
def test_only_the_owner_can_read_copies_of_backups(open_copies: tuple[str, ...]) -> None:
    """Only the owner can read the copies of backups on another disk.

    They hold what the backups hold, tokens and conversations, and `cp` gives them the umask's mode.
    """
    assert not open_copies, listed("copies that others can read", open_copies)


@healthy(test_only_the_owner_can_read_copies_of_backups)
def copies_behind_a_closed_door(world: World) -> None:
    world.backups.outside().chmod(0o644)
    world.backups.external.chmod(0o700)


@fault(test_only_the_owner_can_read_copies_of_backups)
def copies_as_cp_leaves_them(world: World) -> None:
    world.backups.outside().chmod(0o644)
    world.backups.external.chmod(0o755)


@fault(test_only_the_owner_can_read_copies_of_backups, becomes="absent")
def without_another_disk(world: World) -> None:
    assert not world.backups.external.exists()


def _archive(world: World, *, days: float = 2.0) -> Path:
    return Path(f"{world.backups.full(days=days, link=False)}.tar.gz")
