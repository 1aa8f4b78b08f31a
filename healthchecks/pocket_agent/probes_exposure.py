"""Who can reach the server's listeners."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from healthchecks.pocket_agent.seat import OWN_PORT, find_seat, page
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Blocked, CannotTell, probe
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets


@dataclass(frozen=True)
class Exposure:
    """How the server's port can be reached.

    Args:
        open_at: the addresses beyond loopback that it listens on.
        encrypted: whether it speaks TLS; None when that could not be seen.
        on_purpose: whether the systems file says that it is meant to be reached.
    """

    open_at: tuple[str, ...]
    encrypted: bool | None
    on_purpose: bool


@probe
def exposure(system: PocketAgent, processes: Processes, sockets: Sockets, http: Http) -> Exposure:
    """The addresses beyond loopback at which the server listens."""
    seat = find_seat(system, processes, sockets, http)
    if not seat.own:
        seat.demand_answers()
    places = tuple(
        f"{_named(one.address)} port {one.port}" for one in seat.own if one.beyond_loopback
    )
    return Exposure(places, _encrypted(system, http), system.settings.exposed_on_purpose)


def _named(address: str) -> str:
    return f"every address ({address})" if ip_address(address).is_unspecified else address


def _encrypted(system: PocketAgent, http: Http) -> bool | None:
    if system.tls == "yes":
        return True
    try:
        return {"https": True, "http": False}.get(page(system, http).scheme)
    except CannotTell:
        return None


@probe
def debug_listeners(
    system: PocketAgent, processes: Processes, sockets: Sockets, http: Http
) -> tuple[str, ...]:
    """Listeners of the server's own process beside its port: pprof and the like."""
    seat = find_seat(system, processes, sockets, http)
    pids = {one.pid for one in seat.demand_process()}
    if not seat.own:
        raise Blocked(OWN_PORT, "the server does not listen on its port")
    debug = system.settings.debug_port
    mine = [one for one in sockets.listeners() if one.pid in pids and one.port != system.port]
    if not any(one.pid in pids for one in sockets.listeners()) and sockets.on(debug):
        raise CannotTell("only root may see whose listeners these are")
    return tuple(
        f"{one.address} port {one.port}{' (pprof)' if one.port == debug else ''}"
        for one in mine
        if one.port == debug or one.beyond_loopback
    )
