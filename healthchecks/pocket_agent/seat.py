"""Whether the server is in its seat: its process runs, and the port is its own.

Every look at the wire begins here, so that a server that is down is one finding and not ten.
"""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.pocket_agent.system import PocketAgent
from plugins import Blocked, CannotTell, NoPermission, Refused, TimedOut, TooBig, WrongKind
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.processes import Process, Processes
from plugins.endpoints.sockets import Listener, Sockets

RUNS = "pocket_agent.the_server_process_runs"
OWN_PORT = "pocket_agent.its_port_is_its_own"
OPENS = "pocket_agent.a_websocket_opens"
HEALTHY = "pocket_agent.the_server_says_it_is_healthy"
LEFT = "pocket_agent.connections_are_left"


@dataclass(frozen=True)
class Page:
    """What GET /health gave.

    Args:
        scheme: "https" or "http", whichever the server speaks; empty where neither gave an answer.
        status: the HTTP status, 0 without an answer.
        connections: how many WebSockets the server says are open; None where it does not say.
        troubles: what went wrong, one sentence for each thing tried.
        silent: whether our limit passed: nothing more is worth trying.
    """

    scheme: str
    status: int
    connections: int | None
    troubles: tuple[str, ...]
    silent: bool = False


@dataclass(frozen=True)
class Seat:
    """The server's processes, and who listens on its port."""

    running: tuple[Process, ...]
    listeners: tuple[Listener, ...]
    strangers: tuple[Listener, ...]

    @property
    def suspended(self) -> bool:
        """Whether all its processes are stopped (SIGSTOP, a debugger)."""
        return bool(self.running) and all(one.state in "Tt" for one in self.running)

    @property
    def own(self) -> tuple[Listener, ...]:
        """The sockets on which it listens itself."""
        return tuple(one for one in self.listeners if one not in self.strangers)

    def demand_process(self) -> tuple[Process, ...]:
        """Its processes.

        Raises:
            Blocked: there is none, or another program has its port.
        """
        if not self.running and self.strangers:
            raise Blocked(OWN_PORT, "another program listens on the server's port")
        if not self.running:
            raise Blocked(RUNS, "the server does not run")
        return self.running

    def demand_answers(self) -> None:
        """Return when the server can be talked to.

        Raises:
            Blocked: it does not run, is suspended, or does not listen on its port.
        """
        if not self.own:
            self.demand_process()
        if self.strangers or not self.own:
            raise Blocked(OWN_PORT, "the server does not listen on its port")
        if self.suspended:
            raise Blocked(RUNS, "the server is suspended")


def find_seat(system: PocketAgent, processes: Processes, sockets: Sockets, http: Http) -> Seat:
    """The server's seat as it is now.

    Raises:
        NoPermission: somebody listens on the port, and neither who it is nor what it says tells; or
            the server runs, and we may not read which port it has.
    """
    pids = set(system.pids)
    running = tuple(one for one in processes.all() if one.pid in pids and not one.zombie)
    listeners = sockets.on(system.port)
    if running and not system.port_told and not (listeners and _answers(system, http)):
        told = system.config or "its environment"
        raise NoPermission(f"the server's port is not known: we may not look at {told}")
    strangers = tuple(
        one for one in listeners if one.pid not in pids and _strange(one, running, system, http)
    )
    return Seat(running, listeners, strangers)


def _strange(
    listener: Listener, running: tuple[Process, ...], system: PocketAgent, http: Http
) -> bool:
    """Whether a socket that none of the server's known processes holds is another program's."""
    answers = _answers(system, http)
    if answers or listener.pid:
        return not answers
    if running and listener.uid in {one.uid for one in running}:
        return False
    raise NoPermission(f"only root may see which process listens on port {system.port}")


def _answers(system: PocketAgent, http: Http) -> bool:
    """Whether GET /health is answered as only this server answers it."""
    try:
        return page(system, http).connections is not None
    except CannotTell:
        return False


def page(system: PocketAgent, http: Http) -> Page:
    """What GET /health gives; TLS or not is as configured, and both are tried.

    Raises:
        CannotTell: there is no way to the address from here.
    """
    settings = system.settings
    troubles: list[str] = []
    for scheme in schemes(system.tls):
        url = f"{scheme}://{bracketed(settings.address)}:{system.port}{settings.health_path}"
        try:
            answer = http.get(url, deadline=settings.connect_deadline, limit=1 << 16)
        except WrongKind as met:
            troubles.append(str(met))
        except TooBig as met:
            return Page(scheme, 0, None, (str(met),))
        except (TimedOut, Refused) as met:
            return Page("", 0, None, (*troubles, str(met)), silent=True)
        else:
            return Page(scheme, answer.status, _connections(answer), ())
    return Page("", 0, None, tuple(troubles))


def _connections(answer: Answer) -> int | None:
    """The count in the server's own health page; None where the page is not its own."""
    try:
        said = answer.json()
    except WrongKind:
        return None
    count = said.get("connections") if isinstance(said, dict) and "status" in said else None
    return count if answer.status == 200 and isinstance(count, int) else None


def schemes(tls: str) -> tuple[str, str]:
    """The schemes to try, the likelier one first."""
    return ("http", "https") if tls == "no" else ("https", "http")


def bracketed(address: str) -> str:
    """The address as a URL has it."""
    return f"[{address}]" if ":" in address else address
