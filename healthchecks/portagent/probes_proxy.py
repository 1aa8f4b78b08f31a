"""What is seen of the proxy in front: nginx's configuration, and what comes through it."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.portagent.seat import HEALTH, OPENS, Page, demand_first, told
from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.nginx_files import passing_on
from plugins.endpoints.processes import Processes
from plugins.endpoints.proxied import Proxied
from plugins.endpoints.sockets import Sockets
from plugins.endpoints.websocket import Line, Talk, WebSockets

_SOCKET = "/ws"
_PAGES = ("/health", "/api/auth/config")  # the second where the proxy keeps the first to itself
_BEHIND = frozenset({502, 503, 504})  # what proxies say of a server that they do not reach
_OWN = frozenset({401, 403})


@dataclass(frozen=True)
class Proxies:
    """The places of nginx's configuration that pass WebSockets on to the server.

    Args:
        sockets: those places.
        patience: how long each should wait for the server, in seconds.
    """

    sockets: tuple[Proxied, ...]
    patience: float


@dataclass(frozen=True)
class Through:
    """What came through the proxy.

    Args:
        url: by which people reach the server.
        troubles: what did not come through, a sentence each.
    """

    url: str
    troubles: tuple[str, ...]


@probe
def proxies(system: Portagent, filesystem: Filesystem) -> Proxies:
    """The places of nginx's configuration that pass WebSockets on to the server."""
    settings = system.settings
    places = settings.paths(settings.proxy_configs)
    sockets = passing_on(
        filesystem, places, system.port, {settings.address, system.address}, _SOCKET
    )
    return Proxies(sockets, settings.proxy_timeout)


@probe(deadline=30.0, every=30.0)
def through_the_proxy(
    system: Portagent, processes: Processes, sockets: Sockets, http: Http, websocket: WebSockets
) -> Through:
    """What came through the proxy by which people reach the server."""
    url = system.settings.proxy_url.rstrip("/")
    if not url:
        raise Absent("no proxy_url says how people reach it")
    known = demand_first(system, processes, sockets, http)
    limit = system.settings.connect_deadline
    page = _page(http, url, limit) or _kept(system, http, url, known)
    socket = _socket(websocket, url, limit) if not page else ""
    if socket and _is_shut(websocket, system, limit):
        raise Blocked(OPENS, "no WebSocket opens at the server itself")
    return Through(printable(url), tuple(trouble for trouble in (page, socket) if trouble))


def _page(http: Http, url: str, limit: float) -> str:
    """Return why nothing of the server's own comes through, "" where something does."""
    said = ""
    for path in _PAGES:
        try:
            answer = http.get(f"{url}{path}", deadline=limit)
        except CannotTell as met:
            return str(met)
        if answer.status == 200 and _is_its_own(answer):
            return ""
        if answer.status in _OWN or 300 <= answer.status < 400:
            _refuse_to_judge(answer, url)
        said = said or f"GET {path} is answered with {_said(answer)}"
        if answer.status in _BEHIND:
            return f"{said}: the proxy does not reach the server"
    return f"{said}, not by the server"


def _is_its_own(answer: Answer) -> bool:
    """Whether only Portagent answers so: other programs have a /health in JSON too."""
    said = told(answer) or {}
    return set(said) == HEALTH or isinstance(said.get("inviteCodeRequired"), bool)


def _kept(system: Portagent, http: Http, url: str, known: Page) -> str:
    """Return that a cache on the way kept its health, "" where none did."""
    limit = system.settings.connect_deadline
    said = told(http.get(f"{url}{_PAGES[0]}", deadline=limit)) or {}
    stamp = said.get("timestamp")
    if set(said) != HEALTH or not isinstance(stamp, int) or known.stamp is None:
        return ""
    old = known.stamp - min(max(stamp, 0), 1 << 50) / 1000
    if old <= system.settings.clock_tolerance:
        return ""
    return f"GET {_PAGES[0]} comes from a cache, {old:.0f} s old"


def _refuse_to_judge(answer: Answer, url: str) -> None:
    """Raise CannotTell for a proxy with a login of its own, or that moved."""
    if answer.status in _OWN:
        raise CannotTell(f"{printable(url)} asks who we are (HTTP {answer.status})")
    there = printable(answer.header("location"), 100)
    raise CannotTell(f"{printable(url)} sends us to {there}: let proxy_url be where it leads")


def _said(answer: Answer) -> str:
    return f"HTTP {answer.status} {printable(answer.content_type, 60)}".rstrip()


def _socket(websocket: WebSockets, url: str, limit: float) -> str:
    """Return why no WebSocket opens there, "" where one does."""
    try:
        talk = handshake(websocket, url, limit)
    except CannotTell as met:
        return f"the WebSocket upgrade fails: {met}"
    if talk.opened:
        return ""
    if talk.status in _OWN:
        raise CannotTell(f"{printable(url)}{_SOCKET} asks who we are (HTTP {talk.status})")
    return f"the WebSocket upgrade is answered with HTTP {talk.status} instead of 101"


def _is_shut(websocket: WebSockets, system: Portagent, limit: float) -> bool:
    """Whether the server itself opens none either."""
    try:
        return not handshake(websocket, system.url, limit).opened
    except CannotTell:
        return True


def handshake(websocket: WebSockets, url: str, limit: float) -> Talk[None]:
    """Return how a WebSocket opens below a URL, without a token; nothing is sent over it."""
    scheme, _, rest = url.partition("://")
    socket = {"https": "wss"}.get(scheme.lower(), "ws")
    return websocket.talk(f"{socket}://{rest}{_SOCKET}", _say_nothing, deadline=limit)


def _say_nothing(line: Line) -> None:
    """Leave again: every word would be stored, and told to everybody."""
