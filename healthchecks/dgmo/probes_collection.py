"""What is seen of the collection of memories: whether it is there, with the vectors asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from healthchecks.dgmo.folders import missing_above
from healthchecks.dgmo.memory import EXISTS, Remembered, remembered, vector_name
from healthchecks.dgmo.memory_entries import memory_entries
from healthchecks.dgmo.rebuilding import (
    NOTHING_FITS,
    Leftover,
    Rebuilding,
    Shelf,
    body_of,
    faults,
    fit,
    indexes_of,
    meant,
)
from healthchecks.dgmo.snapshot_files import entries, named
from healthchecks.dgmo.system import Dgmo
from plugins import Blocked, CannotTell, NotThere, Refused, printable, probe
from plugins.configuration import Configuration
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import CollectionInfo, Qdrant, QdrantServer, Vector
from plugins.endpoints.sockets import Sockets
from plugins.eyes import dated
from plugins.hands.qdrant_keys import pointer
from plugins.hosts import Host
from plugins.redaction import Secret
from plugins.run import Run

FORM = "%Y-%m-%d_%H-%M-%S"


@dataclass(frozen=True)
class Seen:
    """The collection and its server, as one look sees them.

    Args:
        system: whose memory it is.
        found: the server.
        wanted: the vector that is asked for.
        shelf: where snapshots are kept.
        written: where the systems file has the API key, as `qdrant_keys` has it; "" where no step
            can read it there.
        kept: a snapshot of the collection in a folder, "" where there is none.
    """

    system: Dgmo
    found: Remembered
    wanted: Vector
    shelf: Shelf
    written: str
    kept: str = ""

    @property
    def server(self) -> QdrantServer:
        """To ask it."""
        return self.found.server

    @property
    def name(self) -> str:
        """The collection's name."""
        return self.system.settings.collection

    @property
    def key(self) -> str:
        """Where the key stands, as `qdrant_keys` has it; "" for a server that wants none."""
        place, settings = self.found.place, self.system.settings
        if not place.key:
            return ""
        ours = place.key == Secret(settings.qdrant_api_key)
        return place.key_place or (self.written if ours else "") or settings.qdrant_key_env

    def leftovers(self) -> tuple[Leftover, ...]:
        """What rebuildings that were cut short have left."""
        return tuple(self._leftovers())

    def _leftovers(self) -> Iterator[Leftover]:
        for other in self.server.collections():
            number = meant(self.name, other)
            if number is not None:
                info = self.server.collection(other)
                points = self.server.count(other)
                yield Leftover(other, number, points, body_of(info, None, None), indexes_of(info))

    def rebuilding(self) -> Rebuilding:
        """What it takes to give it the right vectors."""
        left = self.leftovers()
        try:
            info = self.server.collection(self.name)
        except NotThere:
            return self._missing(left)
        total = self.server.count(self.name)
        wrong = faults(info, self.wanted)
        able = fit(info, self.wanted)
        source = able[0] if len(able) == 1 else None
        return Rebuilding(
            url=self.found.place.url,
            key=self.key,
            name=self.name,
            total=total,
            fitting=self._fitting(source, total),
            moved=(source.name, self.wanted.name) if source else (),
            body=body_of(info, source, self.wanted),
            indexes=indexes_of(info),
            faults=wrong,
            leftovers=left,
            shelf=self.shelf,
            hindrance=self._hindrance(info, able, total, left) if wrong or left else "",
        )

    def _missing(self, left: tuple[Leftover, ...]) -> Rebuilding:
        vectors = {self.wanted.name: {"size": self.wanted.size, "distance": self.wanted.distance}}
        broken = [one for one in left if one.points != one.meant]
        several = "several copies are left" if len(left) > 1 else ""
        if self.found.place.guessed and self.server.collections() and not left:
            # Somebody else's may have the usual port as well, and nothing is to be made in it.
            several = "nothing says that this Qdrant is DGMO's: qdrant_url of the systems file may"
        elif self.kept and not left:
            several = f"there is a snapshot of it, {printable(self.kept)}: restore it"
        return Rebuilding(
            url=self.found.place.url,
            key=self.key,
            name=self.name,
            total=-1,
            fitting=-1,
            moved=(),
            body=json.dumps({"vectors": vectors}),
            indexes=(),
            faults=(),
            leftovers=left,
            shelf=self.shelf,
            hindrance=several or ("its copy is not whole: restore a snapshot" if broken else ""),
        )

    def _fitting(self, source: Vector | None, total: int) -> int:
        if source is None:
            return 0
        if not source.name:
            return total  # Qdrant lets no point be without the vector that has no name
        try:
            return self.server.count(self.name, having=source.name)
        except Refused:
            return total  # an older server: the copying refuses where it is otherwise

    def lost_aliases(self) -> str:
        """Return why the collection is not to be dropped, "" where no alias leads to it."""
        names = self.server.aliases(self.name)
        if not names:
            return ""
        told = ", ".join(printable(one, 80) for one in names)
        lead = f"an alias leads to {printable(self.name, 80)}, and would be dropped with it"
        return f"{lead}: delete it first, and make it again afterwards ({told})"

    def _hindrance(
        self, info: CollectionInfo, able: tuple[Vector, ...], total: int, left: tuple[Leftover, ...]
    ) -> str:
        """Return why a person has to look at it."""
        params = json.loads(info.configuration)["params"]
        spread = params.get("sharding_method") == "custom" or params.get(
            "replication_factor"
        ) not in (None, 1)
        if self.name not in self.server.collections():
            return f"{printable(self.name, 80)} is an alias: rebuild the collection behind it"
        if len(left) > 1:
            return "several copies are left"
        if spread or self.server.elsewhere(self.name):
            return "it is spread over servers, and a snapshot holds one server's part"
        if not faults(info, self.wanted):
            return ""
        if lost := self.lost_aliases():
            return lost
        if len(able) > 1:
            names = ", ".join(printable(one.name, 60) for one in able)
            return f"which vector is to become it cannot be told: {names}"
        if total and not able:
            return NOTHING_FITS
        return "" if self.shelf.folder else "no folder for snapshots is set (qdrant_snapshots)"


def seen(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> Seen:
    """Look at the server that answers; raises as `remembered` does."""
    found = remembered(system, filesystem, sockets, commands, qdrant)
    settings = system.settings
    name = vector_name(system, memory_entries(system, filesystem, commands))
    wanted = Vector(name, settings.vector_size, settings.vector_distance)
    written = _written(run.configuration) if commands.is_local else ""
    shelf, kept = shelf_of(system, filesystem, commands), _kept(system, filesystem)
    return Seen(system, found, wanted, shelf, written, kept)


def _kept(system: Dgmo, filesystem: Filesystem) -> str:
    """Return a snapshot of the collection in a folder; what may not be looked at is passed over."""
    with suppress(CannotTell):
        for one in entries(system, filesystem):
            if one.size and named(one.name)[0] == system.settings.collection:
                return one.path
    return ""


def _written(configuration: Configuration) -> str:
    """Return where the user's own systems file has the API key, "" where it has none."""
    setting = configuration.tables["dgmo"]["qdrant_api_key"]
    if not setting.value or setting.origin != configuration.origin:
        return ""
    return pointer(os.path.abspath(configuration.origin), "dgmo", "qdrant_api_key")


def shelf_of(system: Dgmo, filesystem: Filesystem, commands: Host) -> Shelf:
    """Look where snapshots are kept."""
    folders = system.settings.paths(system.settings.qdrant_snapshots)
    folder = folders[0] if folders else ""
    beneath = os.path.join(folder, "snapshot") if folder else "/"
    return Shelf(folder, missing_above(filesystem, beneath), commands.call(dated.stamped, FORM))


@probe(deadline=40.0)
def missing_collection(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> Rebuilding | None:
    """What it takes to make the collection, None where it is there."""
    told = seen(system, filesystem, sockets, commands, qdrant, run).rebuilding()
    return told if told.total < 0 else None


@probe(deadline=60.0)
def wrong_vectors(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> Rebuilding:
    """What is wrong with the collection's vectors, and what it takes to put it right."""
    told = seen(system, filesystem, sockets, commands, qdrant, run).rebuilding()
    if told.total < 0:
        raise Blocked(EXISTS, f"there is no collection {printable(told.name, 80)}")
    return told
