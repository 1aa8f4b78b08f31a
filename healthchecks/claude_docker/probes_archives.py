"""What is seen of all backups together: broken archives, open ones, and ones that are too old."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from healthchecks.claude_docker.shelf import Backup, Shelf, begun, faults_of, shelf
from healthchecks.claude_docker.system import ClaudeDocker
from healthchecks.claude_docker.tarball import known, read
from plugins import Absent, NotThere, TimedOut, printable, probe
from plugins.archives import BrokenArchive
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.eyes import exposure
from plugins.hosts import Host
from plugins.run import Run

_NAMES_LOOKED_AT = 200_000
_READING = 15.0  # seconds for archives, where no newer folder can be restored


@dataclass(frozen=True)
class OpenBackup:
    """A backup that others can read.

    Args:
        path: the backup, or the folder of all of them.
        mode: its permission bits.
        seen: its identity.
        reached: the first file in it that others can read.
    """

    path: str
    mode: int
    seen: str
    reached: str

    def __str__(self) -> str:
        return f"{printable(self.reached)} can be read by others ({self.path}: {self.mode:04o})"


@dataclass(frozen=True)
class OldBackup:
    """A backup that nothing needs any more: its age in days and its identity."""

    path: str
    days: int
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.days} days"


@probe(deadline=500.0)
def broken_archives(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run
) -> tuple[BrokenArchive, ...]:
    """The archives that do not read to their end; those that did not change are not read again.

    Where the time is too short for all of them the next run goes on.
    """
    found = shelf(system, filesystem, commands)
    archives = [one for one in found.backups if one.kind == "archive"]
    if not archives:
        raise Absent("archives of backups", (found.root,))
    # What is known already costs nothing, and is not kept from being told by what takes long.
    archives.sort(key=lambda one: not known(one, commands, run))
    ends = time.monotonic() + max(5.0, (run.until - time.monotonic()) * 0.6)
    broken, left = [], 0
    for backup in archives:
        told = read(backup, commands, run, max(0.0, ends - time.monotonic()))
        left += told.late
        if told.fault and not _being_written(backup, found, system):
            broken.append(BrokenArchive(backup.path, told.fault))
    if left and not broken:
        what = f"reading {len(archives)} archives; {left} are left for the next run"
        raise TimedOut(what, round(run.deadline * 0.6))
    return tuple(broken)


def _being_written(backup: Backup, found: Shelf, system: ClaudeDocker) -> bool:
    return found.now - backup.entry.mtime < system.settings.backup_minutes * 60 > backup.age


@probe(deadline=30.0)
def open_backups(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host
) -> tuple[OpenBackup, ...]:
    """The backups that others can read, with the folder of all of them before them."""
    found = shelf(system, filesystem, commands)
    if found.kind != "folder":
        raise Absent("a folder of backups", (found.root,))
    root = filesystem.look(filesystem.resolve(found.root))
    if root is None or not root.mode & 0o011:
        return ()
    entries = [one for one in filesystem.folder(root.path) if one.kind in {"file", "folder"}]
    reached = [(one, _reached(one, commands)) for one in entries]
    opened = [
        OpenBackup(one.path, one.mode, one.identity, first)
        for one, first in reached
        # A second name of a file may lie outside: the mode of the folder is enough for it.
        if first and (one.links == 1 or one.kind == "folder")
    ]
    first = next((first for _, first in reached if first), "")
    return (OpenBackup(root.path, root.mode, root.identity, first), *opened) if first else ()


@probe(deadline=30.0)
def open_copies(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> tuple[str, ...]:
    """The copies of backups on another disk that others can read; the first file of each."""
    folder = system.settings.path(system.settings.external_backups)
    root = filesystem.look(filesystem.resolve(folder)) if filesystem.exists(folder) else None
    if not system.kit or root is None or root.kind != "folder":
        raise Absent("copies of backups on another disk", (folder,))
    if not root.mode & 0o011:
        return ()
    entries = [one for one in filesystem.folder(root.path) if one.kind in {"file", "folder"}]
    return tuple(first for one in entries if (first := _reached(one, commands)))


def _reached(entry: Entry, commands: Host) -> str:
    return next(iter(commands.call(exposure.reachable, entry.path, _NAMES_LOOKED_AT)), "")


@probe(deadline=30.0)
def old_backups(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run
) -> tuple[OldBackup, ...]:
    """The backups over the age, save those that somebody may still need."""
    found = shelf(system, filesystem, commands)
    if not found.backups:
        raise Absent("backups", (found.root,))
    limit, needed = system.settings.backup_days * 86400, _needed(found, system, filesystem)
    old = [one for one in found.backups if one.age > limit and one.path not in needed]
    if old:
        kept = _restorable(found, filesystem.exists(system.config_file), filesystem, commands, run)
        old = [one for one in old if one.path not in kept]
    return tuple(OldBackup(one.path, int(one.age / 86400), one.entry.identity) for one in old)


def _restorable(
    found: Shelf, expected: bool, filesystem: Filesystem, commands: Host, run: Run
) -> set[str]:
    """Give the newest full backup that can be restored, an archive too.

    Everything down to one that could not be read in time may be it, and stays.
    """
    kept: set[str] = set()
    ends = time.monotonic() + _READING
    for one in found.full:
        if one.kind == "folder":
            sound, late = not any(faults_of(one.path, filesystem, expected)), False
        else:
            told = read(one, commands, run, max(0.0, ends - time.monotonic()))
            sound, late = not told.faults(expected), told.late
        if sound:
            return kept | {one.path}
        kept |= {one.path} if late else set()
    return kept


def _needed(found: Shelf, system: ClaudeDocker, filesystem: Filesystem) -> set[str]:
    """Give the backups that stay whatever their age, by their paths.

    They are what `latest` names and its archive, the newest folder that can be restored, the newest
    that holds anything, and what the pointer of the last synchronisation names.
    """
    names = {_named(os.path.join(found.root, "latest"), filesystem)}
    folders = [one for one in found.backups if one.kind == "folder"]
    expected = filesystem.exists(system.config_file)
    filled = [one for one in folders if begun(one, filesystem)]
    sound = (one for one in filled if not any(faults_of(one.path, filesystem, expected)))
    names |= {next((one.entry.name for one in sound), "")}
    names |= {next((one.entry.name for one in found.full if begun(one, filesystem)), "")}
    names |= {next((one.entry.name for one in found.backups), "")}
    pointer = system.settings.path(system.settings.last_backup)
    try:
        text = filesystem.read(pointer, 1 << 16).decode("utf-8", "surrogateescape")
        names |= {os.path.basename(text.partition("\n")[0].strip())}
    except NotThere:
        pass
    names |= {f"{name}.tar.gz" for name in names}
    return {one.path for one in found.backups if one.entry.name in names}


def _named(link: str, filesystem: Filesystem) -> str:
    entry = filesystem.look(link)
    return os.path.basename(os.path.normpath(entry.target)) if entry and entry.target else ""
