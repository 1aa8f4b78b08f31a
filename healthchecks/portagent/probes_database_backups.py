"""What is seen of the backups of the databases: the newest copy of each, and where one would go."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.portagent.probes_databases import DISPENSABLE, TABLES, present, tables_lacking
from healthchecks.portagent.system import Portagent
from plugins import Absent, CannotTell, NotThere, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.sqlite import Sqlite
from plugins.hosts import Host

# As the guides name them: portagent-backup.db, agentx-20250115_020000.db, backup-….tar.gz.
_COPY = re.compile(r"(portagent|agentx|queue)(?:[-_.].*)?\.db")
_ARCHIVE = re.compile(r"(?:backup|portagent).*\.(?:tar\.gz|tgz)")
_ARCHIVES = 3  # the newest ones, which are read
_SECONDS = 120.0
_AHEAD = 1.0  # hours that another machine's clock may be ahead


@dataclass(frozen=True)
class Copy:
    """A copy of a database.

    Args:
        name: of the database.
        path: of the file, or of the archive.
        member: its name in the archive, "" for a file.
        written: seconds since 1970.
        fault: what is wrong with it, "" when it is whole.
    """

    name: str
    path: str
    member: str
    written: float
    fault: str

    def __str__(self) -> str:
        inside = f" in {printable(self.member)}" if self.member else ""
        return f"{printable(self.path)}{inside}"


@dataclass(frozen=True)
class DatabaseBackups:
    """The backups of the databases.

    Args:
        folders: that were looked in.
        copies: of all databases, the newest first.
        faults: what is wrong with them, in words.
        folder: where a backup that is taken now goes, "" where nowhere.
        makes: whether that folder must be made.
        sources: (path of the backup, database) of one that is taken now.
    """

    folders: tuple[str, ...]
    copies: tuple[Copy, ...]
    faults: tuple[str, ...]
    folder: str
    makes: bool
    sources: tuple[tuple[str, str], ...]


@probe(deadline=600.0, every=900.0)
def database_backups(
    system: Portagent, filesystem: Filesystem, sqlite: Sqlite, commands: Host
) -> DatabaseBackups:
    """The backups of the databases, the newest of each looked through."""
    there = {name: path for name, path, standing in present(system, sqlite) if standing}
    folders = system.settings.paths(system.settings.backups)
    if not folders:
        raise Absent("folders of backups: none is configured")
    wanted = tuple(name for name in TABLES if name in there and name not in DISPENSABLE)
    live = in_use(system, filesystem)
    copies = tuple(copies_of(folders, filesystem, sqlite, commands, wanted, live))
    folder, makes = _place(folders, filesystem)
    stamp = time.strftime("%Y%m%d_%H%M%S")
    sources = tuple(
        (os.path.join(folder, f"{name}-{stamp}.db"), path) for name, path in there.items() if folder
    )
    faults = tuple(_faults(wanted, copies, system.settings.backup_hours))
    return DatabaseBackups(folders, copies, faults, folder, makes, sources)


def in_use(system: Portagent, filesystem: Filesystem) -> frozenset[tuple[int, int]]:
    """Return device and inode of the databases that the server has."""
    paths = map(system.database, TABLES)
    seen = (filesystem.look(filesystem.resolve(path)) for path in paths if filesystem.exists(path))
    return frozenset((one.device, one.inode) for one in seen if one)


def _faults(wanted: tuple[str, ...], copies: tuple[Copy, ...], hours: float) -> Iterator[str]:
    for name in wanted:
        newest = next((copy for copy in copies if copy.name == name), None)
        if newest is None:
            yield f"{name}.db has no backup"
        elif newest.fault:
            yield f"the newest backup of {name}.db is not whole: {newest}: {newest.fault}"
        elif (age := (time.time() - newest.written) / 3600) < -_AHEAD:
            yield f"the newest backup of {name}.db has a time in the future: {newest}"
        elif age > hours:
            old = f"{age:.0f} hours old (limit {hours:g})"
            yield f"the newest backup of {name}.db is {old}: {newest}"


def copies_of(
    folders: tuple[str, ...],
    filesystem: Filesystem,
    sqlite: Sqlite,
    commands: Host,
    wanted: tuple[str, ...],
    live: frozenset[tuple[int, int]],
) -> Iterator[Copy]:
    """Yield the copies in these folders, the newest first; of each database one that is whole.

    A database that is in use, by whatever name, is no copy of itself.

    What is older than a whole one is not looked through, nor an archive that nothing is wanted of.
    """
    files, archives = _found(folders, filesystem)
    copies = [one for one in files if (one.device, one.inode) not in live]
    # What has a time to come was written nobody knows when: it goes behind all others.
    until = time.time() + _AHEAD * 3600
    newest_first = sorted([*copies, *archives[:_ARCHIVES]], key=lambda one: -one.mtime)
    candidates = sorted(newest_first, key=lambda one: one.mtime > until)
    whole: set[str] = set()
    for entry in candidates:
        missing = set(wanted) - whole
        for name, member, fault in _within(entry, missing, sqlite, commands):
            yield Copy(name, entry.path, member, entry.mtime, fault)
            whole |= set() if fault else {name}


def _within(
    entry: Entry, missing: set[str], sqlite: Sqlite, commands: Host
) -> Iterator[tuple[str, str, str]]:
    """Yield name, member and fault of each missing database that a file or archive may hold."""
    copy = _COPY.fullmatch(entry.name)
    if copy:
        if copy[1] in missing:
            yield copy[1], "", _fault(sqlite, copy[1], entry.path)
        return
    if not missing:
        return
    from plugins.eyes import packed_databases  # it brings sqlite3

    told = commands.call(packed_databases.packed, entry.path, _SECONDS, deadline=_SECONDS)
    if told["late"]:
        raise CannotTell(f"{printable(entry.path)}: not read within our limit of {_SECONDS:g} s")
    for member, fault in told["databases"].items():
        found = _COPY.fullmatch(os.path.basename(member))
        if found and found[1] in missing:
            yield found[1], member, told["fault"] or fault
    if told["fault"] and not told["databases"]:
        for name in sorted(missing):
            yield name, "", told["fault"]


def _fault(sqlite: Sqlite, name: str, path: str) -> str:
    faults = sqlite.check(path, deadline=_SECONDS)
    if faults:
        return printable(faults[0], 160)
    return "; ".join(tables_lacking(sqlite, name, path))


def _found(folders: tuple[str, ...], filesystem: Filesystem) -> tuple[list[Entry], list[Entry]]:
    """Return the files that are named as copies are, and the archives, the newest first."""
    files: list[Entry] = []
    archives: list[Entry] = []
    for folder in folders:
        for entry in _entries(folder, filesystem):
            if entry.kind == "folder":
                inner = _entries(entry.path, filesystem)
                inner += _entries(os.path.join(entry.path, "data"), filesystem)
                files += [one for one in inner if one.kind == "file" and _COPY.fullmatch(one.name)]
            elif entry.kind == "file" and _COPY.fullmatch(entry.name):
                files.append(entry)
            elif entry.kind == "file" and _ARCHIVE.fullmatch(entry.name):
                archives.append(entry)
    return files, sorted(archives, key=lambda one: -one.mtime)


def _entries(folder: str, filesystem: Filesystem) -> tuple[Entry, ...]:
    try:
        return filesystem.folder(folder, limit=10_000, follow=True)
    except NotThere:
        return ()


def _place(folders: tuple[str, ...], filesystem: Filesystem) -> tuple[str, bool]:
    """Return the folder that a backup goes to, and whether it must be made."""
    for folder in folders:
        if filesystem.exists(folder):
            return folder, False
    for folder in folders:
        if filesystem.exists(os.path.dirname(folder)):
            return folder, True
    return "", False
