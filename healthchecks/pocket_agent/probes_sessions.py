"""How many connections there are, from where, and how long a quiet one lasts."""

from __future__ import annotations

import collections
from dataclasses import dataclass

from healthchecks.pocket_agent.probes_wire import WHOLE, Conversation, converse, url_of
from healthchecks.pocket_agent.seat import LEFT, OPENS, find_seat
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Blocked, Measure, Refused, TimedOut, WrongKind, probe
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.quiet import Quiet
from plugins.endpoints.sockets import Sockets
from plugins.endpoints.websocket import WebSockets

# The longest idle time that a configuration may ask for and be waited for.
_LONGEST = 1900.0
# The server never gives back the slot of a connection that it cut: ours ends a moment before.
_ENOUGH, _LONG = 0.98, 0.99


@dataclass(frozen=True)
class Connections:
    """The server's connections, our own not among them.

    Args:
        total: open WebSockets as the server counts them, else established TCP connections; its
            limit is the share from which they run short.
        crowded: each address with many connections, with their number.
        refusal: what a new connection was refused with, empty where it was let in.
        leaked: whether it was refused although few are open: slots are lost until a restart.
    """

    total: Measure
    crowded: tuple[str, ...]
    refusal: str
    leaked: bool


@dataclass(frozen=True)
class IdleConnection:
    """How long a quiet connection lasted, and how it ended."""

    lasted: Measure
    ending: str


@probe(deadline=WHOLE, every=30.0)
def connections(
    system: PocketAgent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> Connections:
    """How many connections there are, and whether one more is let in."""
    find_seat(system, processes, sockets, http).demand_answers()
    # Looked at after the conversation: our own connection is closed by then.
    talked = converse(system, http, websocket)
    rows = sockets.connections(system.port)
    remotes = collections.Counter(row.remote for row in rows if row.state == "established")
    settings = system.settings
    share = settings.connections_percent / 100
    known = talked.page.connections
    count = remotes.total() if known is None else known
    most = settings.connections_per_address * share
    # Whoever asks for a page, we among them, has a connection for a moment and takes no slot.
    crowded = tuple(
        f"{address}: {min(number, count)} of {settings.connections_per_address}"
        for address, number in remotes.most_common()
        if min(number, count) >= most
    )
    total = Measure("open connections", count, "", settings.connections_limit * share)
    return Connections(total, crowded, *_refused(talked, count, bool(crowded), total))


def _refused(talked: Conversation, count: int, crowded: bool, total: Measure) -> tuple[str, bool]:
    """What we were refused with, and whether that can only come from lost slots."""
    if not talked.limited:
        return "", False
    refusal = talked.attempts[-1]
    few = not crowded and count < (total.limit or 0.0)
    return refusal, few and "rate" not in refusal


@probe(deadline=_LONGEST)
def idle_connection(
    system: PocketAgent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> IdleConnection:
    """How long a connection lasts on which only pings are sent; it is a second one."""
    find_seat(system, processes, sockets, http).demand_answers()
    talked = converse(system, http, websocket)
    if not talked.opened:
        raise Blocked(LEFT if talked.limited else OPENS, "no WebSocket opens")
    wanted = system.idle_timeout
    whole = wanted + system.settings.idle_slack + system.settings.connect_deadline
    try:
        talk = websocket.talk(url_of(system, talked.page), Quiet(wanted * _LONG), deadline=whole)
    except (TimedOut, Refused, WrongKind) as met:
        raise Blocked(OPENS, f"no second WebSocket opens: {met}") from None
    lasted, ending = talk.result or (0.0, f"HTTP {talk.status} {talk.reason}")
    # A clock that differs a little is well.
    limit = round(wanted * _ENOUGH, 2)
    return IdleConnection(Measure("idle connection", round(lasted, 2), "s", limit), ending)
