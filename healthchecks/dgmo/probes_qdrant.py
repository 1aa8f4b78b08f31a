"""Whether Qdrant answers, who listens at its port, and who may ask it."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.dgmo.memory import (
    ANSWERS,
    OWN_PORT,
    at_its_place,
    place_of,
    remembered,
    told,
)
from healthchecks.dgmo.qdrant_seat import seat_of
from healthchecks.dgmo.system import Dgmo
from plugins import Absent, Blocked, CannotTell, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import Qdrant
from plugins.endpoints.sockets import Sockets
from plugins.hosts import Host


@dataclass(frozen=True)
class QdrantState:
    """Whether Qdrant answers.

    Args:
        where: its URL, fit to be shown.
        well: whether one of its pages says so.
        tried: what each page came to, who listens there, and what its container or unit does.
        restart: the command that starts it anew, () where none is known for sure.
    """

    where: str
    well: bool
    tried: tuple[str, ...]
    restart: tuple[str, ...]


@dataclass(frozen=True)
class QdrantPort:
    """Qdrant's port, and the programs there that are not Qdrant."""

    port: int
    strangers: tuple[str, ...]


@dataclass(frozen=True)
class QdrantExposure:
    """Where other machines reach a Qdrant that wants no key.

    Args:
        open_at: addresses; () where it wants one, or only this machine reaches it.
        on_purpose: somebody says that it is meant to be so.
    """

    open_at: tuple[str, ...]
    on_purpose: bool


@probe(deadline=40.0)
def qdrant_state(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> QdrantState:
    """Whether Qdrant answers, asked by every page that it may have."""
    found = at_its_place(system, filesystem, sockets, commands, qdrant)
    health = found.health
    where = found.server.where
    if health.well:
        return QdrantState(where, True, health.tried, ())
    if found.strangers:
        raise Blocked(OWN_PORT, f"another program listens there: {found.strangers[0]}")
    seat = seat_of(system, found.place, commands)
    there = tuple(f"{told(one)} listens there" for one in found.listeners)
    by = (f"{where} stands in {found.place.told_by}",)
    return QdrantState(where, False, (*health.tried, *there, *seat.said, *by), seat.restart)


@probe(deadline=40.0)
def qdrant_port(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> QdrantPort:
    """Whether those who listen at Qdrant's port are Qdrant."""
    found = at_its_place(system, filesystem, sockets, commands, qdrant)
    address = found.place.address
    if not address.loopback:
        raise Absent("Qdrant is on another machine", (printable(str(address)),))
    if not found.health.well and not found.strangers:
        raise Blocked(ANSWERS, f"nobody but Qdrant listens on port {address.port}, if anybody does")
    return QdrantPort(address.port, found.strangers)


@probe(deadline=40.0)
def qdrant_exposure(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> QdrantExposure:
    """Where other machines reach Qdrant, if it answers whoever brings no key."""
    found = remembered(system, filesystem, sockets, commands, qdrant)
    purpose = system.settings.qdrant_exposed_on_purpose
    if not found.server.answers_without_key():
        return QdrantExposure((), purpose)
    address = found.place.address
    if not address.loopback:
        return QdrantExposure((f"{printable(str(address))}, asked from this machine",), purpose)
    listeners = sockets.on(address.port)
    published = seat_of(system, place_of(system, filesystem, sockets, commands), commands).open_at
    if not listeners and not published:
        raise CannotTell(f"who listens on port {address.port} is not seen on this host")
    beyond = (f"{told(one)}" for one in listeners if one.beyond_loopback)
    return QdrantExposure((*beyond, *published), purpose)
