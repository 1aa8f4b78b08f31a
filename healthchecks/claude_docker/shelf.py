"""What stands in the folder of backups, by the dates in the names, and which of it is whole.

The kit makes YYYYMMDD-HHMMSS/ with claude/ and claude.json, the same as .tar.gz, a link `latest`,
and pre-sync-YYYYMMDD-HHMMSS/ before each synchronisation. Times of change are not asked: a copy of
the backups has others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, NotThere, TooBig, WrongKind, printable
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.eyes import dated, reading, tarballs
from plugins.hosts import Host

FORM = "%Y%m%d-%H%M%S"
CONFIGURATION, SETTINGS, TREE = "claude.json", "settings.json", "claude"
_NAME = re.compile(r"(pre-sync-)?(\d{8}-\d{6})(\.tar\.gz)?")
# Names bear local times, and a backup may be made where another zone is in force.
_AHEAD = 26 * 3600.0
_LARGEST = 64 << 20


@dataclass(frozen=True)
class Backup:
    """One backup.

    Args:
        entry: the folder or archive.
        stamp: the date in its name, as it stands there.
        kind: "folder" or "archive".
        before_sync: whether it was made before a synchronisation, and not in full.
        age: seconds since the date in its name, 0 where that lies ahead.
    """

    entry: Entry
    stamp: str
    kind: Literal["folder", "archive"]
    before_sync: bool
    age: float

    @property
    def path(self) -> str:
        """Where it is."""
        return self.entry.path


@dataclass(frozen=True)
class Shelf:
    """The folder of backups.

    Args:
        root: the folder, as the settings name it.
        kind: what stands there, links followed; "" for nothing.
        backups: the newest first; of two of one date the folder first.
        ahead: names that bear a date which is yet to come.
        now: the host's time, seconds since 1970.
        stamp: the host's time as names bear it.
    """

    root: str
    kind: str
    backups: tuple[Backup, ...]
    ahead: tuple[str, ...]
    now: float
    stamp: str

    @property
    def full(self) -> tuple[Backup, ...]:
        """Those that were not made before a synchronisation."""
        return tuple(one for one in self.backups if not one.before_sync)


def shelf(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> Shelf:
    """Look at the folder of backups.

    Raises:
        Absent: nothing of the kit is on this host, so that nobody expects backups.
    """
    root = system.backup_root
    if not system.kit or not root:
        raise Absent("backups, as no kit for Claude Code in Docker is here", (root,))
    kind, entries = "", tuple[Entry, ...]()
    try:
        found = filesystem.look(filesystem.resolve(root))
        kind = found.kind if found else ""
        entries = filesystem.folder(root, follow=True) if kind == "folder" else ()
    except NotThere:
        pass
    now = commands.call(reading.now)
    ours = [(entry, named) for entry in entries if (named := _NAME.fullmatch(entry.name))]
    moments = commands.call(dated.moments, [named[2] for _, named in ours], FORM)
    backups, ahead = [], []
    for (entry, named), moment in zip(ours, moments, strict=True):
        if moment is None or entry.kind != ("file" if named[3] else "folder"):
            continue
        if moment > now + _AHEAD:
            ahead.append(entry.name)
            continue
        what: Literal["folder", "archive"] = "archive" if named[3] else "folder"
        age = max(0.0, now - moment)
        backups.append(Backup(entry, named[2], what, bool(named[1]), age))
    backups.sort(key=lambda one: (one.stamp, one.kind == "folder"), reverse=True)
    stamp = commands.call(dated.stamped, FORM)
    return Shelf(root, kind, tuple(backups), tuple(ahead), now, stamp)


def begun(backup: Backup, filesystem: Filesystem) -> bool:
    """Tell whether anything was put into a backup at all."""
    if backup.kind == "archive":
        return backup.entry.size > 0
    return any(filesystem.exists(os.path.join(backup.path, name)) for name in _CONTENT)


def faults_of(folder: str, filesystem: Filesystem, expected: bool) -> Iterator[str]:
    """Yield what keeps a backup folder from being restored.

    Args:
        folder: the backup.
        filesystem: looks.
        expected: whether it must hold a configuration, as the host has one.
    """
    tree = filesystem.look(os.path.join(folder, TREE))
    if tree is None:
        yield f"{TREE}/ is missing in it"
    elif tree.kind != "folder":
        yield f"{TREE} in it is a {tree.kind}"
    elif not filesystem.folder(tree.path):
        yield f"{TREE}/ in it is empty"
    inside = os.path.join(folder, TREE, f".{CONFIGURATION}")
    found = False
    for path in (os.path.join(folder, CONFIGURATION), inside):
        if not found and filesystem.exists(path):
            found = True
            if fault := document_fault(path, filesystem):
                yield f"{os.path.basename(path)} in it: {fault}"
    if expected and not found:
        yield f"{CONFIGURATION} is missing in it"
    settings = os.path.join(folder, TREE, SETTINGS)
    if tree and tree.kind == "folder" and filesystem.exists(settings):
        fault = document_fault(settings, filesystem)
        yield from (f"{SETTINGS} in it: {fault}",) if fault else ()


def document_fault(path: str, filesystem: Filesystem, follow: bool = False) -> str:
    """Return why a file is no JSON object, without any of its text; "" when it is one."""
    try:
        return tarballs.fault_of(filesystem.read(path, _LARGEST, follow))
    except (WrongKind, TooBig, NotThere) as why:
        return printable(str(why))


_CONTENT = (TREE, CONFIGURATION)
