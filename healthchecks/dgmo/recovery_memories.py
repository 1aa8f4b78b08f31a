"""Recovery procedures of DGMO's memories in Qdrant: snapshot, verify, restore, rebuild.

The guide's own script drops the collection first, then asks Qdrant in a way that it does not
understand, and the memories are gone. Here nothing is dropped before a snapshot of it was read to
its end on this host.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from healthchecks.dgmo.memory import EXISTS, VECTORS
from healthchecks.dgmo.probes_collection import Seen, seen
from healthchecks.dgmo.probes_snapshots import snapshots
from healthchecks.dgmo.snapshot_files import SnapshotFile, taken
from healthchecks.dgmo.system import Dgmo
from plugins import Absent, Blocked, CannotTell, NotThere, printable
from plugins.arguments import Misgiven
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import Qdrant, Snapshot
from plugins.endpoints.sockets import Sockets
from plugins.hosts import Host
from plugins.inquiries import Note, inquiry
from plugins.recovery import procedure
from plugins.run import Run
from plugins.steps import DropOriginal, RestoreSnapshot, Step, TakeSnapshot

SNAPSHOTS = (
    "dgmo.a_recent_snapshot_of_the_memories_exists",
    "dgmo.snapshots_of_the_memories_are_intact",
)


@procedure(verify=SNAPSHOTS, settle=0.0)
def snapshot_memories(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> Iterator[Step]:
    """Take a snapshot of the memories, bring it to this host, and read it to its end.

    Nothing is lost; the folder of snapshots gets as much fuller as the collection is large.
    """
    looked = seen(system, filesystem, sockets, commands, qdrant, run)
    total = _total(looked)
    if total is None:
        raise Absent(f"there is no collection {printable(looked.name, 80)}")
    yield from _kept(looked, total)


@inquiry(deadline=900.0)
def verify_snapshots(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> Iterator[str]:
    """Read every snapshot in the folders anew, and tell of each whether it can be restored.

    Those of which the server has one of the same name are compared with it by size and SHA-256;
    those with a checksum beside them, with that.
    """
    on_server: tuple[Snapshot, ...] = ()
    try:
        looked = seen(system, filesystem, sockets, commands, qdrant, run)
        on_server = looked.server.snapshots(looked.name)
    except (Absent, Blocked, CannotTell) as why:
        yield Note(f"nothing is compared with the server: {why}")
    found = snapshots(system, filesystem, commands, replace(run, deep=True), on_server)
    for one in found.files:
        said = one.fault or ("could not be read in time" if one.late else "whole")
        hours = max(0.0, found.now - one.when) / 3600
        of = printable(one.collection, 80) or "an unknown collection"
        yield f"{printable(one.path)}: {said}; of {of}, {hours:.0f} hours old"


@procedure(verify=(EXISTS,), settle=0.0, deadline=900.0)
def restore_memories(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
    *,
    snapshot: str = "",
    by: str = "upload",
) -> Iterator[Step | Note]:
    """Put the memories back as they were at a snapshot.

    What was remembered since that snapshot is gone from the collection; it stays in the snapshot
    that is taken, and read to its end, before anything is dropped. While it is restored the memory
    server finds no collection.

    Args:
        snapshot: the name of the snapshot, in a folder of snapshots or on the server; the newest
            that can be restored where it is empty.
        by: "upload", or "recover", by which the server reads the file itself: it must see the same
            path.
    """
    if by not in ("upload", "recover"):
        raise Misgiven(f"by is upload or recover, and not {printable(by, 40)}")
    looked = seen(system, filesystem, sockets, commands, qdrant, run)
    total = _total(looked)
    chosen = _chosen(looked, filesystem, commands, run, snapshot)
    yield Note(f"{chosen.said}; passed over: {', '.join(chosen.passed_over) or 'none'}")
    url, name, key = looked.found.place.url, looked.name, looked.key
    if chosen.on_server:
        yield from looked.shelf.made()
        yield TakeSnapshot(url, name, chosen.path, name=chosen.on_server, key=key)
    if total is not None:
        if lost := looked.lost_aliases():
            raise CannotTell(lost)
        kept = looked.shelf.path(name)
        yield from (() if chosen.on_server else looked.shelf.made())
        yield TakeSnapshot(url, name, kept, total, key=key)
        yield DropOriginal(url, name, kept, total, key=key)
    location = PurePosixPath(chosen.path).as_uri() if by == "recover" else ""
    yield RestoreSnapshot(url, name, chosen.path, key=key, location=location)


@procedure(verify=(EXISTS, VECTORS), settle=0.0, deadline=120.0)
def rebuild_memories(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
    *,
    leave_out: str = "",
) -> Iterator[Step | Note]:
    """Give the collection of memories the vectors that the memory server asks for.

    Points without a vector that fits are left out, the plan says how many; they stay in the
    snapshot that is taken first. What is written meanwhile is seen, and everything is taken back
    then. A rebuilding that was cut short is finished.

    Args:
        leave_out: "all" to make the collection anew though none of its points fits.
    """
    told = seen(system, filesystem, sockets, commands, qdrant, run).rebuilding()
    if told.total >= 0 and not told.ills:
        raise Absent("anything to rebuild: the collection has the right vectors")
    left_out = told.total - told.fitting if told.faults else 0
    if left_out:
        yield Note(f"{left_out} of {told.total} points do not fit: they stay in the snapshot alone")
    if told.nothing_fits and leave_out == "all":
        yield from told.emptied()
        return
    if told.hindrance:
        raise CannotTell(told.hindrance)
    yield from told.steps()


@dataclass(frozen=True)
class Chosen:
    """The snapshot that is restored.

    Args:
        path: where it lies on this host, or is brought to.
        on_server: its name where it is to be fetched, "" where it lies here already.
        said: which it is, in words.
        passed_over: newer ones that cannot be restored, and why.
    """

    path: str
    on_server: str
    said: str
    passed_over: tuple[str, ...]


def _chosen(looked: Seen, filesystem: Filesystem, commands: Host, run: Run, wanted: str) -> Chosen:
    """Return the newest snapshot that can be restored, or the one that is wanted."""
    try:
        on_server = looked.server.snapshots(looked.name)
    except NotThere:
        on_server = ()  # a server without the collection does not tell of its snapshots
    found = snapshots(looked.system, filesystem, commands, run, on_server)
    files = [one for one in found.files if _is(one, looked.name, wanted)]
    theirs = [one for one in on_server if one.size and wanted in ("", one.name)]
    rows: list[tuple[float, SnapshotFile | Snapshot]] = [(one.when, one) for one in files]
    rows += [(taken(one) or 0.0, one) for one in theirs]
    passed_over: list[str] = []
    for _, one in sorted(rows, key=lambda row: -row[0]):
        if isinstance(one, Snapshot):
            path = os.path.join(looked.shelf.folder, one.name)
            said = f"{printable(one.name)} on the server is fetched and restored"
            return Chosen(path, one.name, said, tuple(passed_over))
        if one.whole:
            return Chosen(one.path, "", f"{printable(one.path)} is restored", tuple(passed_over))
        passed_over.append(f"{printable(one.path)}: {one.fault or 'it was not read in time'}")
    which = f"snapshot {printable(wanted)}" if wanted else "snapshot of the memories"
    raise NotThere(f"no {which} can be restored: {'; '.join(passed_over) or 'there is none'}")


def _is(one: SnapshotFile, collection: str, wanted: str) -> bool:
    if wanted:
        return wanted in (one.path, os.path.basename(one.path))
    return one.collection == collection


def _total(looked: Seen) -> int | None:
    """Return how many memories there are, None where there is no collection.

    Raises:
        CannotTell: it may not be dropped from here, nor is a snapshot all of it.
    """
    name = printable(looked.name, 80)
    try:
        total = looked.server.count(looked.name)
    except NotThere:
        return None
    if looked.name not in looked.server.collections():
        raise CannotTell(f"{name} is an alias: name the collection behind it in the systems file")
    if looked.server.elsewhere(looked.name):
        raise CannotTell(f"{name} is spread over servers, and a snapshot holds one server's part")
    return total


def _kept(looked: Seen, total: int) -> Iterator[Step]:
    if not looked.shelf.folder:
        raise CannotTell("no folder for snapshots is set (qdrant_snapshots)")
    yield from looked.shelf.made()
    path = looked.shelf.path(looked.name)
    yield TakeSnapshot(looked.found.place.url, looked.name, path, total, key=looked.key)
