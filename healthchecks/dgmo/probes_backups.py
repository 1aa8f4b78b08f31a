"""The backups of the sessions, and the lock of their script."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from healthchecks.dgmo.backups import STAMP, Backup, backups, folders, free_name, has_sessions, held
from healthchecks.dgmo.folders import missing_above
from healthchecks.dgmo.store_looks import Look, looks
from healthchecks.dgmo.system import Dgmo
from plugins import (
    Absent,
    NoPermission,
    NotThere,
    TimedOut,
    TooBig,
    archives,
    printable,
    probe,
)
from plugins.archives import BrokenArchive
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.json_folders import JsonFolders
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Processes
from plugins.eyes import dated
from plugins.hosts import Host
from plugins.outcomes import NoFact
from plugins.run import Run

_LONGEST_PID = 64  # bytes
_JUST_NOW = 60.0  # seconds in which a script may still write its number into its lock
_READING = 90.0  # seconds for all backups that are fresh
_REUSED = 2.0  # seconds by which a process is younger than the lock that names it


@dataclass(frozen=True)
class Unbacked:
    """A store in use without a fresh backup that holds it.

    Args:
        root: the store.
        why: what is wrong with the backups that there are.
        folders: those that must be made before a backup can be taken, the outermost first.
        archive: the backup to take.
    """

    root: str
    why: str
    folders: tuple[str, ...]
    archive: str

    def __str__(self) -> str:
        return f"{printable(self.root)}: {self.why}"


@dataclass(frozen=True)
class StaleLock:
    """A lock that nobody holds.

    Args:
        path: the lock.
        why: what shows it.
        seen: its identity.
    """

    path: str
    why: str
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@probe(deadline=120.0, every=900.0)
def unbacked_stores(
    system: Dgmo,
    filesystem: Filesystem,
    commands: Host,
    machine: Machine,
    json_folders: JsonFolders,
    run: Run,
) -> tuple[Unbacked, ...]:
    """The stores in use that no fresh backup holds."""
    stores = [one for one in system.in_use if has_sessions(one.root, commands)]
    if not stores:
        raise Absent("sessions to back up", tuple(one.root for one in system.stores))
    found = backups(system, filesystem, commands, machine)
    target, made = folders(system)[:1], commands.call(dated.stamped, STAMP)
    every: tuple[Look, ...] = ()
    with contextlib.suppress(NoFact):  # what an earlier run read does not count then
        every = looks(system, json_folders, run)
    prints = {one.store: one.seen.print for one in every}
    fresh = _fresh(found, system, machine)
    rows: list[Unbacked] = []
    taken: set[str] = set()
    for store in stores:
        print_ = prints.get(store, "")
        why = _why_stale(found, system, machine) if not fresh else ""
        why = why or _why_unbacked(store.root, fresh, commands, run, print_)
        if why:
            several = len(stores) > 1
            name = free_name(target[0], made, store, several, taken) if target else ""
            missing = missing_above(filesystem, name) if name else ()
            rows.append(Unbacked(store.root, why, missing, name))
    for one in every if not rows else ():
        if one.store in stores:
            one.demand_open()
    return tuple(rows)


def _fresh(found: tuple[Backup, ...], system: Dgmo, machine: Machine) -> tuple[Backup, ...]:
    oldest = machine.now() - system.settings.backup_hours * 3600
    return tuple(one for one in found if one.moment >= oldest)


def _why_stale(found: tuple[Backup, ...], system: Dgmo, machine: Machine) -> str:
    if not found:
        return f"there is no backup in {', '.join(map(printable, folders(system))) or 'any folder'}"
    hours = (machine.now() - found[0].moment) / 3600
    return f"the newest backup, {printable(found[0].path)}, is {hours:.0f} hours old"


def _why_unbacked(
    root: str, fresh: tuple[Backup, ...], commands: Host, run: Run, print_: str
) -> str:
    """Tell why none of the fresh backups holds a store; "" where one does.

    Raises:
        NoPermission: the one that may hold it is not ours to read.
    """
    ends, whys, denied = time.monotonic() + _READING, [], ""
    for backup in fresh:
        left = max(1.0, ends - time.monotonic())
        seen = held(backup, root, commands, run, print_, left)
        if seen.denied and (seen.fault or seen.lacks or not seen.held):
            denied = denied or backup.path
        elif seen.fault:
            whys.append(f"{printable(backup.path)} {printable(seen.fault, 200)}")
        elif not seen.held:
            whys.append(f"{printable(backup.path)} holds no session at all")
        elif seen.lacks:
            some = f"{seen.lacks} of {seen.wanted} files, {printable(seen.first)} among them"
            whys.append(f"{printable(backup.path)} lacks, or has cut, {some}")
        else:
            return ""
    if denied:
        raise NoPermission(f"{printable(denied)} may not be read by us")
    return "; ".join(whys[:3])


@probe(deadline=500.0, every=900.0)
def broken_archives(
    system: Dgmo, filesystem: Filesystem, commands: Host, machine: Machine, run: Run
) -> tuple[BrokenArchive, ...]:
    """The archives of sessions that do not read to their end.

    Those that did not change are not read again; where the time is too short for all of them the
    next run goes on.
    """
    found = backups(system, filesystem, commands, machine)
    paths = [one.path for one in found if one.kind == "archive" and not _young(one, machine)]
    if not paths:
        raise Absent("an archive of sessions", folders(system))
    paths.sort(key=lambda path: not archives.known(path, commands, run))
    ends = time.monotonic() + max(5.0, (run.until - time.monotonic()) * 0.6)
    broken, left = [], 0
    for path in paths:
        told = archives.read(path, [], commands, run, max(0.0, ends - time.monotonic()))
        left += bool(told["late"])
        if told["fault"]:
            broken.append(BrokenArchive(path, told["fault"]))
    if left and not broken:
        what = f"reading {len(paths)} archives; {left} are left for the next run"
        raise TimedOut(what, round(run.deadline * 0.6))
    return tuple(broken)


def _young(backup: Backup, machine: Machine) -> bool:
    """Tell whether it may still be written."""
    return machine.now() - backup.entry.mtime < _JUST_NOW


@probe
def stale_locks(
    system: Dgmo, filesystem: Filesystem, processes: Processes, machine: Machine
) -> tuple[StaleLock, ...]:
    """The lock of the session backup, where no backup is under way."""
    path = system.settings.path(system.settings.backup_lock)
    entry = filesystem.look(path)
    if entry is None:
        return ()
    if entry.kind != "file":
        return (StaleLock(path, f"it is a {entry.kind}, no file", entry.identity),)
    try:
        text = filesystem.read(path, _LONGEST_PID).decode("latin-1").strip()
    except NotThere:
        return ()  # the backup has just ended
    except TooBig:
        text = "?"
    if not (text.isascii() and text.isdigit()):
        if machine.now() - entry.mtime < _JUST_NOW:
            return ()
        return (StaleLock(path, "it names no process", entry.identity),)
    holder = processes.one(int(text))
    if holder is None or holder.zombie:
        return (StaleLock(path, f"process {text}, which it names, is no more", entry.identity),)
    if holder.started > entry.mtime + _REUSED:
        why = f"process {text} was started after it, and is another"
        return (StaleLock(path, why, entry.identity),)
    return ()
