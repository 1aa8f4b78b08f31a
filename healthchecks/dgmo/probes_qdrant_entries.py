"""Whether the memory servers that are configured point at this Qdrant and its collection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.dgmo.memory import EXISTS, Remembered, is_ours, remembered
from healthchecks.dgmo.memory_entries import USUAL, MemoryEntry, memory_entries, same_server
from healthchecks.dgmo.system import Dgmo
from plugins import Absent, Blocked, CannotTell, NoPermission, NotThere, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import CollectionInfo, Qdrant
from plugins.endpoints.sockets import Sockets
from plugins.hosts import Host
from plugins.redaction import Secret


@dataclass(frozen=True)
class WrongEntry:
    """A memory server that is configured, and what in it does not fit."""

    label: str
    why: str

    def __str__(self) -> str:
        return f"{self.label}: {self.why}"


@probe(deadline=40.0)
def wrong_memory_entries(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> tuple[WrongEntry, ...]:
    """The memory servers whose address, collection or model is not that of the collection."""
    entries = memory_entries(system, filesystem, commands)
    ours = [one for one in entries if is_ours(one, system)]
    if not ours:
        raise Absent("no memory server of DGMO's is configured", system.config_files)
    found = remembered(system, filesystem, sockets, commands, qdrant)
    wrong = [bad for one in ours for bad in _addressed(one, found, system)]
    try:
        info = found.server.collection(system.settings.collection)
        wrong += [
            bad for one in ours for bad in (*_keyed(one, found, qdrant), *_modelled(one, info))
        ]
    except NotThere as why:
        if not wrong:
            raise Blocked(EXISTS, str(why)) from None
    unset = next((one for one in ours if one.unset), None)
    if unset and not wrong:
        name = printable(unset.unset, 60)
        raise CannotTell(f"{unset.label} needs the variable {name}, which is not set here")
    return tuple(wrong)


def _addressed(one: MemoryEntry, found: Remembered, system: Dgmo) -> Iterator[WrongEntry]:
    """Yield what of its address and collection is not this Qdrant's."""
    if one.unset:
        return
    if one.url and one.local_path:
        yield WrongEntry(one.label, "QDRANT_URL and QDRANT_LOCAL_PATH exclude one another")
    elif one.local_path:
        yield WrongEntry(
            one.label, "QDRANT_LOCAL_PATH: it keeps its memories in a folder of its own"
        )
    elif not same_server(one.url or USUAL, found.place.url):
        yield WrongEntry(one.label, f"QDRANT_URL is not that of {found.server.where}")
    collection = system.settings.collection
    if one.collection and one.collection != collection:
        theirs, ours = printable(one.collection, 80), printable(collection, 80)
        yield WrongEntry(one.label, f"COLLECTION_NAME is {theirs}, and memories are in {ours}")


def _modelled(one: MemoryEntry, info: CollectionInfo) -> Iterator[WrongEntry]:
    """Yield what of its model does not fit the collection's vectors."""
    if one.local_path or one.unset:
        return
    if info.vector(one.vector) is None:
        model, asks = printable(one.model, 80), printable(one.vector, 80)
        has = ", ".join(map(str, info.vectors)) or "no dense vector"
        why = f"EMBEDDING_MODEL {model} asks for the vector {asks}; the collection has {has}"
        yield WrongEntry(one.label, why)


def _keyed(one: MemoryEntry, found: Remembered, qdrant: Qdrant) -> Iterator[WrongEntry]:
    """Yield what of its API key this Qdrant does not take."""
    if one.local_path or one.unset:
        return
    key = one.key or Secret(os.environ.get("QDRANT_API_KEY", ""))
    if key == found.place.key:
        return
    try:
        qdrant.at(found.place.url, key, deadline=found.server.deadline).collections()
    except NoPermission:
        how = (
            "is not one that this Qdrant takes" if key else "is not set, and this Qdrant wants one"
        )
        yield WrongEntry(one.label, f"QDRANT_API_KEY {how}")
