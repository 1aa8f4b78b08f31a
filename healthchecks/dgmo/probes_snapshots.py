"""What is seen of snapshots of the memories: on the server, and in folders of this host."""

from __future__ import annotations

import time
from dataclasses import dataclass

from healthchecks.dgmo.memory import EXISTS
from healthchecks.dgmo.probes_collection import seen
from healthchecks.dgmo.snapshot_files import SnapshotFile, entries, read, taken
from healthchecks.dgmo.system import Dgmo
from plugins import Absent, Blocked, CannotTell, NotThere, TimedOut, archives, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import Qdrant, Snapshot
from plugins.endpoints.sockets import Sockets
from plugins.eyes import reading
from plugins.hosts import Host
from plugins.run import Run

_AHEAD = 3600.0  # seconds by which another clock may be ahead


@dataclass(frozen=True)
class NewestSnapshot:
    """The newest snapshot of the memories that can be restored.

    Args:
        url, key: of the server, the key as the name of a variable.
        collection: whose it is.
        hours: its age, None where there is none.
        where: its path, or its name on the server.
        passed_over: newer ones that cannot be restored, and why.
        limit: how old it may be, in hours.
        hollow: whether there are snapshots, and the collection has lost all of its memories: one
            that is taken now would be the first to be restored.
    """

    url: str
    key: str
    collection: str
    hours: float | None
    where: str
    passed_over: tuple[str, ...]
    limit: float
    hollow: bool = False

    @property
    def stale(self) -> bool:
        """Whether it is too old, or there is none."""
        return self.hours is None or self.hours > self.limit

    @property
    def ills(self) -> tuple[str, ...]:
        """What is wrong, in words."""
        if self.hours is None:
            return ("there is none on the server, nor in the folders of snapshots",)
        lost = "the collection is empty: restore a snapshot before one is taken"
        old = f"{printable(self.where)}: {self.hours:.0f} hours old"
        return (old, lost) if self.hollow else (old,)


@dataclass(frozen=True)
class Found:
    """The snapshots in folders, read, and those on the server.

    Args:
        files: in folders; those that could not be read in time are `late`.
        on_server: by name.
        now: the host's time.
    """

    files: tuple[SnapshotFile, ...]
    on_server: dict[str, Snapshot]
    now: float


def snapshots(
    system: Dgmo,
    filesystem: Filesystem,
    commands: Host,
    run: Run,
    on_server: tuple[Snapshot, ...],
) -> Found:
    """Read every snapshot in the folders, those that are known already first."""
    now = commands.call(reading.now)
    by_name = {one.name: one for one in on_server}
    rows = sorted(entries(system, filesystem), key=lambda one: -one.mtime_ns)
    rows.sort(key=lambda one: not archives.known(one.path, commands, run, "plain"))
    ends = time.monotonic() + max(5.0, (run.until - time.monotonic()) * 0.6)
    files = tuple(
        read(one, now, by_name, commands, run, max(0.0, ends - time.monotonic())) for one in rows
    )
    return Found(files, by_name, now)


@probe(deadline=500.0)
def broken_snapshots(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> tuple[SnapshotFile, ...]:
    """The snapshots that cannot be restored; those that did not change are not read again."""
    on_server: tuple[Snapshot, ...] = ()
    try:
        looked = seen(system, filesystem, sockets, commands, qdrant, run)
        on_server = looked.server.snapshots(looked.name)
    except (Absent, Blocked, CannotTell):
        pass  # what lies in folders is judged by itself
    found = snapshots(system, filesystem, commands, run, on_server)
    if not (found.files or on_server):
        folders = system.settings.paths(system.settings.qdrant_snapshots)
        raise Absent("snapshots of Qdrant", folders)
    late = [one for one in found.files if one.late]
    broken = [one for one in found.files if one.fault and not one.fresh]
    if late and not broken:
        paths = f"{len(late)} snapshots, {printable(late[0].path)} first"
        raise TimedOut(f"reading {paths}: the next run goes on", run.deadline)
    empty = (one.name for one in on_server if not one.size)
    rows = (SnapshotFile(name, looked.name, 0.0, False, "empty", False) for name in empty)
    return (*broken, *rows)


@probe(deadline=500.0)
def newest_snapshot(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> NewestSnapshot:
    """The newest snapshot of the memories that can be restored, on the server or in a folder."""
    looked = seen(system, filesystem, sockets, commands, qdrant, run)
    name = looked.name
    try:
        on_server = looked.server.snapshots(name)
    except NotThere as why:
        raise Blocked(EXISTS, str(why)) from None
    found = snapshots(system, filesystem, commands, run, on_server)
    rows = [(one.when, one.path) for one in found.files if one.collection == name and one.whole]
    dated = [(taken(one), one) for one in on_server if one.size]
    rows += [(at, one.name) for at, one in dated if at]
    known = [row for row in rows if row[0] <= found.now + _AHEAD]
    when, where = max(known, default=(None, ""))
    return NewestSnapshot(
        url=looked.found.place.url,
        key=looked.key,
        collection=name,
        hours=None if when is None else max(0.0, found.now - when) / 3600,
        where=where,
        passed_over=tuple(
            str(one)
            for one in found.files
            if one.fault and one.collection == name and (when is None or one.when > when)
        ),
        limit=system.settings.snapshot_hours,
        hollow=when is not None and not looked.server.count(name),
    )
