"""What is seen of WebSockets: whether one opens, for whom, from where, and how long it lasts.

Nothing is sent but pings: every text frame would be kept in queue.db and told to all clients.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address

from healthchecks.portagent.probes_proxy import handshake
from healthchecks.portagent.seat import OPENS, find_seat
from healthchecks.portagent.system import Portagent
from plugins import (
    Blocked,
    CannotTell,
    Measure,
    NotThere,
    Refused,
    TimedOut,
    TooBig,
    WrongKind,
    printable,
    probe,
)
from plugins.endpoints.docker import Docker
from plugins.endpoints.http import Http
from plugins.endpoints.line import Line
from plugins.endpoints.processes import Processes
from plugins.endpoints.quiet import Quiet
from plugins.endpoints.sockets import Sockets
from plugins.endpoints.websocket import Talk, WebSockets
from plugins.endpoints.wires import address_of
from plugins.hosts import Host
from plugins.redaction import Secret

# The page, the upgrade and the ping, each with its own limit within.
_WHOLE = 30.0
_LONGEST = 1900.0
_MOST = 256 << 20  # bytes that may come over a quiet connection
# A clock that differs a little is well.
_ENOUGH = 0.98
_NO_ANSWER = (NotThere, Refused, TimedOut, WrongKind, TooBig)


@dataclass(frozen=True)
class _Ping:
    """A script that sends one ping, and nothing else."""

    patience: float

    def __call__(self, line: Line) -> float | None:
        """Seconds until its pong, None when none came."""
        return line.ping(within=self.patience)


@dataclass(frozen=True)
class Opening:
    """How the WebSocket of a run opened.

    Args:
        opened: whether one did, and answered a ping.
        unasked: whether it did so without a token.
        attempts: what was tried and what came of it, where it did not.
    """

    opened: bool
    unasked: bool
    attempts: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """Who can open a WebSocket without a token.

    Args:
        anybody: whether one opens without a token.
        open_at: the addresses beyond loopback at which it can be reached.
        on_purpose: whether the systems file says that this is meant.
    """

    anybody: bool
    open_at: tuple[str, ...]
    on_purpose: bool


@dataclass(frozen=True)
class QuietConnection:
    """How long a quiet connection lasted, and how it ended."""

    lasted: Measure
    ending: str


@dataclass(frozen=True)
class _Trial:
    opened: bool
    status: int
    words: str = field(default="")


def _url(system: Portagent) -> str:
    return f"ws{system.url.removeprefix('http')}/ws"


def _tried(system: Portagent, websocket: WebSockets, token: Secret | None = None) -> _Trial:
    """What came of one connection; the same one is tried once in a look."""
    settings = system.settings
    query = f"?token={token.reveal()}" if token else ""
    limit = 2 * settings.connect_deadline
    try:
        talk: Talk[float | None] = websocket.talk(
            f"{_url(system)}{query}", _Ping(settings.connect_deadline), deadline=limit
        )
    except _NO_ANSWER as met:
        return _Trial(False, 0, str(met))
    how = "with the test token" if token else "without a token"
    if not talk.opened:
        told = f"{how} it is answered with HTTP {talk.status} {talk.reason}"
        return _Trial(False, talk.status, told.rstrip())
    if talk.result is None:
        return _Trial(False, 101, f"{how} it opens, and answers no ping")
    return _Trial(True, 101)


def open_one(system: Portagent, websocket: WebSockets) -> Opening:
    """Open a WebSocket without a token, and with the test token where that is refused.

    Raises:
        CannotTell: a token is asked for, and we have none.
    """
    first = _tried(system, websocket)
    if first.opened or first.status not in {401, 403}:
        return Opening(first.opened, first.opened, (first.words,))
    name = system.settings.token_env
    token = Secret(os.environ.get(name, "").strip() if name else "")
    if not token:
        raise CannotTell(
            f"a WebSocket asks who we are ({first.words}), and the variable "
            f"{name or 'token_env'} of our environment holds no test token to try"
        )
    second = _tried(system, websocket, token)
    return Opening(second.opened, False, (first.words, second.words))


@probe(deadline=_WHOLE, every=30.0)
def opening(
    system: Portagent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> Opening:
    """How the WebSocket of the run opened."""
    find_seat(system, processes, sockets, http).demand_up()
    return open_one(system, websocket)


@probe(deadline=_WHOLE, every=30.0)
def access(
    system: Portagent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
    commands: Host,
) -> Access:
    """Who can open a WebSocket without a token."""
    seat = find_seat(system, processes, sockets, http)
    seat.demand_up()
    tried = _tried(system, websocket)
    if not tried.opened and tried.status not in {401, 403}:
        raise Blocked(OPENS, "no WebSocket opens")
    places = [one.address for one in seat.own if one.beyond_loopback]
    places += _published(system, commands) if system.container and not seat.own else []
    shown = tuple(f"{_named(address)} port {system.port}" for address in dict.fromkeys(places))
    shown += _through(system, websocket) if tried.opened else ()
    return Access(tried.opened, shown, system.settings.exposed_on_purpose)


def _through(system: Portagent, websocket: WebSockets) -> tuple[str, ...]:
    """The proxy's URL, where people of other machines get in by it and nobody asks who they are."""
    url = system.settings.proxy_url.rstrip("/")
    try:
        if not url or address_of(url, ("http", "https")).loopback:
            return ()
        opened = handshake(websocket, url, system.settings.connect_deadline).opened
    except CannotTell:
        return ()  # that it does not get through is another finding
    return (printable(url),) if opened else ()


def _published(system: Portagent, commands: Host) -> list[str]:
    """The addresses beyond loopback at which the engine publishes the container's port.

    Where the kernel passes packets on by itself, nobody is seen to listen.
    """
    rows = Docker(commands, system.settings.docker_url).containers()
    ports = [port for one in rows if one.id == system.container_id for port in one.settings.ports]
    bound = [port.address or "0.0.0.0" for port in ports if port.outer == system.port]  # noqa: S104
    return [address for address in bound if not ip_address(address).is_loopback]


def _named(address: str) -> str:
    return f"every address ({address})" if ip_address(address).is_unspecified else address


@probe(deadline=_LONGEST)
def quiet_connection(
    system: Portagent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> QuietConnection:
    """How long a connection lasts on which pings alone are sent and answered."""
    find_seat(system, processes, sockets, http).demand_up()
    opened = open_one(system, websocket)
    if not opened.opened:
        raise Blocked(OPENS, "no WebSocket opens")
    settings = system.settings
    wanted = settings.idle_timeout
    whole = wanted + settings.idle_slack + settings.connect_deadline
    token = "" if opened.unasked else f"?token={os.environ.get(settings.token_env, '').strip()}"
    try:
        # All that agents say to anybody comes this way too.
        script, most = Quiet(wanted), _MOST
        talk = websocket.talk(f"{_url(system)}{token}", script, deadline=whole, limit=most)
    except TooBig as met:
        raise CannotTell(str(met)) from None
    except _NO_ANSWER as met:
        raise Blocked(OPENS, f"no second WebSocket opens: {met}") from None
    lasted, ending = talk.result or (0.0, f"HTTP {talk.status} {talk.reason}")
    limit = round(wanted * _ENOUGH, 2)
    return QuietConnection(Measure("quiet connection", round(lasted, 2), "s", limit), ending)
