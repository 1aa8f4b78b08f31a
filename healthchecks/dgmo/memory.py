"""Where DGMO's memory is kept: which Qdrant, whether it answers, and who listens at its port."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field

from healthchecks.dgmo.memory_entries import (
    DEFAULT_MODEL,
    MemoryEntry,
    memory_entries,
    vector_of,
    with_port,
)
from healthchecks.dgmo.system import Dgmo
from plugins import Absent, Blocked, CannotTell, printable
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import Health, Qdrant, QdrantServer
from plugins.endpoints.sockets import Listener, Sockets
from plugins.endpoints.wires import Address, address_of
from plugins.hosts import Host
from plugins.redaction import Secret

ANSWERS = "dgmo.qdrant_answers"
OWN_PORT = "dgmo.the_qdrant_port_is_its_own"
EXISTS = "dgmo.the_collection_exists"
VECTORS = "dgmo.the_collection_has_the_right_vectors"
# They stand before containers, whatever runs in those.
_PROXIES = frozenset({"docker-proxy", "rootlessport", "rootlesskit", "conmon"})


@dataclass(frozen=True)
class Place:
    """Where Qdrant is to be asked.

    Args:
        url: of its REST interface.
        key: its API key, empty for none.
        told_by: what says so, in words.
        key_place: where the key stands, as `qdrant_keys` has it; "" for the systems file, or where
            a step cannot read it.
        guessed: whether nothing but the port says that it is DGMO's.
    """

    url: str = field(repr=False)
    key: Secret
    told_by: str
    key_place: str = ""
    guessed: bool = False

    @property
    def address(self) -> Address:
        """Its host and port.

        Raises:
            WrongKind: the URL is none.
        """
        return address_of(self.url, ("http", "https"))


@dataclass(frozen=True)
class Remembered:
    """The Qdrant that keeps DGMO's memory, as one look sees it.

    Args:
        place: where it is.
        server: to ask it.
        listeners: who listens at its port on this host; () for one of another machine.
    """

    place: Place
    server: QdrantServer
    listeners: tuple[Listener, ...]

    @property
    def health(self) -> Health:
        """Whether it answers, asked once in a look."""
        return self.server.health()

    @property
    def strangers(self) -> tuple[str, ...]:
        """Programs at its port that are not Qdrant, in words; () where Qdrant answers."""
        if self.health.well:
            return ()
        otherwise, silent = self.health.strange, not self.health.answered
        return tuple(
            told(one)
            for one in self.listeners
            if one.program != "qdrant"
            and (otherwise or (silent and one.program and one.program not in _PROXIES))
        )


def told(one: Listener) -> str:
    """Return who listens where, in words."""
    name = printable(one.program, 40) if one.program else "a program that we may not see"
    number = f" (process {one.pid})" if one.pid else ""
    return f"{name}{number} on {Address(one.address, one.port)}"


def place_of(system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host) -> Place:
    """Return where Qdrant is, by the systems file, the memory server's entry, or its usual place.

    Raises:
        Absent: nothing says that there is one, and nobody listens at the usual place; or memories
            are kept in a folder.
        CannotTell: the configuration cannot be read, or needs a variable that is not set.
    """
    settings = system.settings
    named = os.environ.get(settings.qdrant_key_env, "")
    own, place = Secret(named or settings.qdrant_api_key), settings.qdrant_key_env if named else ""
    if settings.qdrant_url:
        return Place(settings.qdrant_url, own, "qdrant_url of the systems file", place)
    entries = [one for one in memory_entries(system, filesystem, commands) if is_ours(one, system)]
    for entry in entries:
        if entry.url:
            key, place = (entry.key, entry.key_place) if entry.key else (own, place)
            return Place(with_port(entry.url), key, f"QDRANT_URL of {entry.label}", place)
    for entry in entries:
        if entry.unset:
            name = printable(entry.unset, 60)
            raise CannotTell(f"{entry.label} needs the variable {name}, which is not set here")
    folders = [one for one in entries if one.local_path]
    if folders:
        where = printable(folders[0].local_path)
        raise Absent("a Qdrant server: memories are kept in a folder", (where, folders[0].label))
    usual = settings.usual_qdrant_url
    if usual and (entries or sockets.on(address_of(usual, ("http", "https")).port)):
        return Place(usual, own, "its usual place", place, guessed=not entries)
    raise Absent("Qdrant", ("qdrant_url of the systems file", *system.config_files, usual))


def is_ours(entry: MemoryEntry, system: Dgmo) -> bool:
    """Tell whether it is DGMO's memory that an entry is about: other agents have memories too."""
    return entry.own or entry.collection == system.settings.collection


def at_its_place(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> Remembered:
    """Return the Qdrant of `place_of`, whether or not it answers."""
    place = place_of(system, filesystem, sockets, commands)
    server = qdrant.at(place.url, place.key, deadline=system.settings.qdrant_answer_s)
    address = place.address
    listeners: tuple[Listener, ...] = ()
    if address.loopback:
        with suppress(CannotTell):  # not every host tells; whether it answers is seen without it
            listeners = sockets.on(address.port)
    return Remembered(place, server, listeners)


def remembered(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> Remembered:
    """Return the Qdrant that keeps DGMO's memory, which answers.

    Raises:
        Absent: there is none.
        Blocked: it does not answer.
        CannotTell: what `place_of` and `QdrantServer.health` raise.
    """
    found = at_its_place(system, filesystem, sockets, commands, qdrant)
    if not found.health.well:
        cause = OWN_PORT if found.strangers else ANSWERS
        raise Blocked(cause, f"{found.server.where} does not answer as Qdrant does")
    return found


def vector_name(system: Dgmo, entries: tuple[MemoryEntry, ...]) -> str:
    """Return the name of the vector that the memory server asks for.

    Args:
        system: whose settings may say so.
        entries: the memory servers that are configured.
    """
    if system.settings.vector_name:
        return system.settings.vector_name
    models = [one.vector for one in entries if is_ours(one, system)]
    return models[0] if models else vector_of(DEFAULT_MODEL)
