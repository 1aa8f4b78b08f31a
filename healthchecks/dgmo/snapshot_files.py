"""Snapshots of Qdrant that lie in folders of this host: of which collection, how old, how whole.

The guide's script names them COLLECTION_YYYY-MM-DD_HH-MM-SS.snapshot, its restoring
COLLECTION_backup_YYYYMMDD_HHMMSS.snapshot, both in local time; Qdrant itself
COLLECTION-PEER-YYYY-MM-DD-HH-MM-SS.snapshot in UTC.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.dgmo.system import Dgmo
from plugins import CannotTell, NotThere, archives, printable
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.qdrant import Snapshot
from plugins.hosts import Host
from plugins.run import Run

_NAMES = (
    (re.compile(r"(.+)_backup_(\d{8}_\d{6})\.snapshot"), "%Y%m%d_%H%M%S"),
    (re.compile(r"(.+)_(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)\.snapshot"), "%Y-%m-%d_%H-%M-%S"),
    (re.compile(r"(.+)-\d+-(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)\.snapshot"), "%Y-%m-%d-%H-%M-%S"),
)
_ENDING = ".snapshot"
# A name in local time says no more than the time of change, unless it is off by more than a zone.
_ZONES = 26 * 3600.0
_UNDER_WAY = 120.0  # seconds in which a file may still be written


@dataclass(frozen=True)
class SnapshotFile:
    """A snapshot in a folder.

    Args:
        path: of it.
        collection: of which it is, by its name; "" where that says nothing.
        when: seconds since 1970 at which it was taken.
        fresh: whether it may still be written.
        fault: what keeps it from being restored, "" for nothing.
        late: whether it could not be read to its end in time.
    """

    path: str
    collection: str
    when: float
    fresh: bool
    fault: str
    late: bool

    @property
    def whole(self) -> bool:
        """Whether it can be restored."""
        return not (self.fault or self.late)

    def __str__(self) -> str:
        return f"{printable(self.path)}: {printable(self.fault)}"


def entries(system: Dgmo, filesystem: Filesystem) -> Iterator[Entry]:
    """Yield what is called a snapshot in the folders of snapshots."""
    for folder in system.settings.paths(system.settings.qdrant_snapshots):
        try:
            found = filesystem.folder(folder, follow=True)
        except NotThere:
            continue
        # What a link leads to is judged where it lies.
        yield from (one for one in found if one.name.endswith(_ENDING) and one.kind != "link")


def named(name: str) -> tuple[str, float | None]:
    """Return the collection of a snapshot and when it was taken, as its name has it, in UTC."""
    for pattern, form in _NAMES:
        if found := pattern.fullmatch(name):
            try:
                return found[1], float(calendar.timegm(time.strptime(found[2], form)))
            except (ValueError, OverflowError):
                return found[1], None
    return "", None


def taken(one: Snapshot) -> float | None:
    """Return when a snapshot of the server was taken; None where nothing tells.

    One that was uploaded, as for a restoring, has there the time at which it was.
    """
    dated = named(one.name)[1]
    if one.created is None or dated is None or one.created - dated <= _ZONES:
        return one.created
    return dated


def read(
    entry: Entry,
    now: float,
    on_server: dict[str, Snapshot],
    commands: Host,
    run: Run,
    seconds: float,
) -> SnapshotFile:
    """Read a snapshot to its end, unless an earlier run did and it did not change since.

    Args:
        entry: the file.
        now: the host's time.
        on_server: the snapshots on the server, by name.
        commands: the host.
        run: knows what was read before.
        seconds: after which the reading is given up.
    """
    collection, dated = named(entry.name)
    when = entry.mtime
    if dated is not None and abs(dated - when) > _ZONES:
        when = min(dated, when) if when <= now else dated
    fault, late = "", False
    if entry.kind != "file":
        fault = f"it is a {entry.kind}"
    elif not entry.size:
        fault = "it is empty"
    else:
        fault, late = _fault(entry, on_server.get(entry.name), commands, run, seconds)
    fresh = now - entry.mtime < _UNDER_WAY
    return SnapshotFile(entry.path, collection, when, fresh, fault, late)


def _fault(
    entry: Entry, twin: Snapshot | None, commands: Host, run: Run, seconds: float
) -> tuple[str, bool]:
    try:
        told = archives.read_plain(entry.path, commands, run, seconds)
    except CannotTell as why:
        return str(why), False
    fault = told["fault"]
    if not fault and not told["late"] and not told["members"]:
        fault = "it holds nothing"
    if told["astray"] and not fault:
        fault = f"{printable(told['astray'])} in it leads out of the archive"
    sums = {told["checksum"]: "the checksum beside it"}
    if twin is not None:
        sums[twin.checksum] = "that of the snapshot of its name on the server"
        if not fault and twin.size != told["bytes"]:
            fault = f"it has {told['bytes']} bytes, and on the server {twin.size}"
    for known, of in sums.items():
        if not fault and known and told["sha256"] and known != told["sha256"]:
            fault = f"its SHA-256 is not {of}"
    return fault, bool(told["late"])
