"""What is seen of room, inodes and dated files below the watched folders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from plugins import Absent, CannotTell, Measure, NoPermission, probe
from plugins.endpoints.machine import Machine
from plugins.eyes import space
from plugins.hosts import Host
from plugins.systems import Uses

from .system import GIB, WatchedHost, every


@dataclass(frozen=True)
class Room:
    """One file system that answered, named by a watched folder on it.

    Args:
        used: percent of what ordinary users may fill, with its limit.
        free: GiB that an ordinary user may still write, with its limit.
        inodes: percent of the inodes, None where the file system does not count them.
    """

    folder: str
    used: Measure
    free: Measure
    inodes: Measure | None

    def __str__(self) -> str:
        inodes = f", inodes {self.inodes.value:g} % used" if self.inodes else ""
        return f"{self.folder}: {self.used.value:g} % used, {self.free.value:g} GiB free{inodes}"


@dataclass(frozen=True)
class Rooms:
    """All file systems that hold watched folders; `full`, `tight` and `crowded` tell of bad ones.

    Args:
        silent: folders whose file system did not answer, and why we say so.
        sealed: watched folders whose file system takes no writes.
    """

    every: tuple[Room, ...]
    full: tuple[str, ...]
    tight: tuple[str, ...]
    crowded: tuple[str, ...]
    silent: tuple[str, ...]
    sealed: tuple[str, ...]


@dataclass(frozen=True)
class Dated:
    """A file and the time of its last change, in seconds since 1970 (UTC)."""

    path: str
    changed: float

    def __str__(self) -> str:
        return f"{self.path}: {moment(self.changed)}"


@dataclass(frozen=True)
class Unsaved:
    """The newest file of the sources against the newest backup and the start of the machine."""

    booted: float
    backup: Dated
    source: Dated

    @property
    def lost_in_a_crash(self) -> bool:
        """Whether the machine started after the newest backup, with sources newer than it."""
        return self.backup.changed < self.booted and self.backup.changed < self.source.changed


def moment(seconds: float) -> str:
    """Return a time in seconds since 1970 as people read it, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s after 1970"


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole > 0 else 0.0


def _room(row: dict[str, object], system: WatchedHost) -> Room:
    total, used, free, files, files_free = (
        int(str(row[name])) for name in ("total", "used", "free", "files", "files_free")
    )
    limits, folder = system.settings, str(row["folder"])
    inodes = _percent(files - files_free, files)
    return Room(
        folder,
        Measure(f"used on {folder}", _percent(used, used + free), "%", limits.disk_full_percent),
        # A file system that is smaller than the limit as a whole is judged by its percentage alone.
        Measure(
            f"free on {folder}",
            round(free / GIB, 2),
            "GiB",
            limits.disk_free_gib if total > limits.disk_free_gib * GIB else None,
        ),
        Measure(f"inodes used on {folder}", inodes, "%", limits.inodes_full_percent)
        if files > 0
        else None,
    )


def _is_full(room: Room) -> bool:
    short = room.free.limit is not None and room.free.value < room.free.limit
    return short or room.used.value >= (room.used.limit or 100)


def _silence(row: dict[str, object], wait: float) -> str:
    """Why a file system counts as dead; empty where it answered."""
    told = {"silent": f"no answer in {wait:g} s (our limit)", "broken": str(row.get("trouble"))}
    return told.get(str(row["state"]), "")


@probe(deadline=15.0)
def rooms(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> Rooms:
    """The room on each file system that holds a watched folder, each file system once."""
    named = every("folders", system, watched)
    folders = list(named or system.folders)
    wait = system.settings.mount_answer_s
    rows = commands.call(space.rooms, folders, wait, deadline=wait + 5)
    # An image is full by nature, and a file system of no blocks is no disk.
    seen = tuple(
        _room(row, system)
        for row in rows
        if row["state"] == "answered" and row["total"] and not row["image"]
    )
    limits = system.settings
    tight = [
        one for one in seen if one.used.value >= limits.disk_tight_percent and not _is_full(one)
    ]
    crowded = [one for one in seen if one.inodes and one.inodes.value >= limits.inodes_full_percent]
    found = Rooms(
        every=seen,
        full=tuple(str(one) for one in seen if _is_full(one)),
        tight=tuple(map(str, tight)),
        crowded=tuple(map(str, crowded)),
        silent=tuple(f"{row['folder']}: {why}" for row in rows if (why := _silence(row, wait))),
        # The root of a system that is an image may well be read-only, and nobody named it.
        sealed=tuple(str(row["folder"]) for row in rows if named and row.get("sealed")),
    )
    denied = [str(row["folder"]) for row in rows if row["state"] == "denied"]
    told = (found.full, found.tight, found.crowded, found.silent, found.sealed)
    if denied and not any(told):
        raise NoPermission(f"we may not look at {', '.join(denied)}")
    return found


@probe(deadline=20.0, every=60.0)
def future_files(
    system: WatchedHost, watched: tuple[Uses, ...], commands: Host, machine: Machine
) -> tuple[Dated, ...]:
    """The files of watched folders that are dated in the future."""
    folders = every("folders", system, watched)
    if not folders:
        raise Absent("no present system tells where its files are")
    limits = system.settings
    ahead = machine.now() + limits.clock_ahead_s
    seen = commands.call(space.dated, list(folders), ahead, limits.files_looked_at)
    late = tuple(Dated(str(path), float(changed)) for path, changed in _rows(seen["beyond"]))
    if not late and not seen["whole"]:
        raise CannotTell(
            f"{', '.join(folders)}: more than {limits.files_looked_at} files, or a folder that "
            "we may not read; none of those that were looked at is dated in the future"
        )
    return late


def _rows(rows: object) -> list[list[str]]:
    return [[str(word) for word in row] for row in rows] if isinstance(rows, list) else []


@probe(deadline=20.0, every=60.0)
def unsaved(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> Unsaved:
    """The newest source, the newest backup and the start of the machine."""
    backups = every("backups", system, watched)
    sources = every("folders", system, watched)
    if not backups or not sources:
        raise Absent("no present system tells of both its files and its backups")
    limit = system.settings.files_looked_at
    machine = Machine(commands, system.settings.proc)
    saved = commands.call(space.dated, list(backups), 1e18, limit)
    made = commands.call(space.dated, list(sources), 1e18, limit)
    for seen, what, places in (
        (saved, "no backup was ever taken", backups),
        (made, "there is nothing to save yet", sources),
    ):
        if not seen["newest"] and seen["whole"]:
            raise Absent(what, places)
        if not seen["newest"]:
            raise NoPermission(f"we may not look at all of {', '.join(places)}")
    found = Unsaved(machine.booted(), _dated(saved["newest"]), _dated(made["newest"]))
    if not saved["whole"] or not (made["whole"] or found.lost_in_a_crash):
        raise CannotTell(
            f"more than {limit} sources or backups, or a folder that we may not read: the newest "
            "of them is not known"
        )
    return found


def _dated(row: object) -> Dated:
    path, changed = _rows([row])[0]
    return Dated(path, float(changed))
