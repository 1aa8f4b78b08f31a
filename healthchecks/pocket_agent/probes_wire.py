"""What is seen on the wire: one page over HTTP and one WebSocket connection a run."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field, replace

from healthchecks.pocket_agent.dialogue import Health, Listing, Said, Script
from healthchecks.pocket_agent.seat import HEALTHY, LEFT, OPENS, Page, bracketed, find_seat, page
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Blocked, Measure, Refused, TimedOut, TooBig, WrongKind, probe
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.endpoints.websocket import Talk, WebSockets

# The page, the upgrade, the health answer and the small messages, each with its own limit within.
WHOLE = 35.0


@dataclass(frozen=True)
class Conversation:
    """How the one connection of a run went.

    Args:
        opened: whether the server agreed to speak WebSocket.
        limited: whether it refused with 429: a limit, not an outage.
        attempts: what was tried and what came of it, where it did not open.
        page: what GET /health gave before.
        certificate: what the server served, DER; None without TLS.
        said: what was said; None where it did not open.
    """

    opened: bool
    limited: bool
    attempts: tuple[str, ...]
    page: Page
    certificate: bytes | None = field(default=None, repr=False)
    said: Said | None = None


@dataclass(frozen=True)
class RoundTrips:
    """The 95th percentile of the small messages' round trips."""

    slowest: Measure


def converse(system: PocketAgent, http: Http, websocket: WebSockets) -> Conversation:
    """Talks to the server; in one look it does so once, whoever asks, and tells all the same.

    Raises:
        CannotTell: there is no way to the address from here.
    """
    seen = page(system, http)
    if not seen.scheme:
        return Conversation(False, False, seen.troubles, seen)
    settings = system.settings
    script = Script(settings.health_deadline, settings.connect_deadline, settings.latency_messages)
    whole = settings.health_deadline + 2 * settings.connect_deadline
    try:
        talk = websocket.talk(url_of(system, seen), script, deadline=whole)
    except (WrongKind, TimedOut, Refused, TooBig) as met:
        return Conversation(False, False, (*seen.troubles, str(met)), seen)
    return _came_of_it(talk, seen)


def _came_of_it(talk: Talk[Said], seen: Page) -> Conversation:
    if talk.opened:
        return Conversation(True, False, (), seen, talk.certificate, talk.result)
    answer = f"the upgrade was answered with HTTP {talk.status} {talk.reason}".rstrip()
    limited = talk.status == 429
    return Conversation(False, limited, (*seen.troubles, answer), seen, talk.certificate)


def url_of(system: PocketAgent, seen: Page) -> str:
    """The WebSocket's address, with TLS where the page had it."""
    scheme = {"https": "wss", "http": "ws"}[seen.scheme]
    settings = system.settings
    return f"{scheme}://{bracketed(settings.address)}:{system.port}{settings.socket_path}"


def said_by(conversation: Conversation) -> Said:
    """What was said.

    Raises:
        Blocked: nothing was, as no connection was to be had.
    """
    if conversation.limited:
        raise Blocked(LEFT, "the server is at a limit of connections")
    if conversation.said is None:
        raise Blocked(OPENS, "no WebSocket opens")
    return conversation.said


def listing_of(said: Said) -> Listing:
    """The project list.

    Raises:
        Blocked: the server gave none.
    """
    if said.listing is None:
        raise Blocked(HEALTHY, "the server does not list its projects")
    return said.listing


@probe(deadline=WHOLE, every=30.0)
def conversation(
    system: PocketAgent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> Conversation:
    """How the one connection of the run went."""
    find_seat(system, processes, sockets, http).demand_answers()
    return converse(system, http, websocket)


@probe(deadline=WHOLE, every=30.0)
def health(
    system: PocketAgent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> Health:
    """The server's own word on its health."""
    find_seat(system, processes, sockets, http).demand_answers()
    talked = converse(system, http, websocket)
    said, status = said_by(talked).health, talked.page.status
    if status < 500:
        return said
    return replace(said, complaints=(*said.complaints, f"GET /health is answered with {status}"))


@probe(deadline=WHOLE, every=30.0)
def round_trips(
    system: PocketAgent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> RoundTrips:
    """How long small messages took there and back."""
    find_seat(system, processes, sockets, http).demand_answers()
    said = said_by(converse(system, http, websocket))
    if not said.round_trips:
        raise Blocked(HEALTHY, "the server answers no message")
    trips = [1000 * seconds for seconds in said.round_trips]
    high = statistics.quantiles(trips, n=20, method="inclusive")[-1] if trips[1:] else trips[0]
    limit = float(system.settings.latency_ms)
    return RoundTrips(Measure("95th percentile of round trips", round(high, 1), "ms", limit))
