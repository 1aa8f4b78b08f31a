"""Whether the server is in its seat: it runs, its port is its own, and it answers as it should.

Every look at the wire begins here, so that a server that is down is one finding and not ten.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from healthchecks.portagent.system import Portagent
from plugins import (
    Absent,
    Blocked,
    CannotTell,
    NoPermission,
    NotThere,
    Refused,
    TimedOut,
    TooBig,
    WrongKind,
    printable,
)
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Listener, Sockets

UP = "portagent.it_is_up"
OWN_PORT = "portagent.its_port_is_its_own"
OPENS = "portagent.a_websocket_opens"
READS_USERS = "portagent.it_can_read_its_users"
# What its /health holds, and nothing else.
HEALTH = {"status", "timestamp"}

LARGEST_ANSWER = 64 << 10  # bytes; what it tells of itself is much smaller
# What the engine itself listens with at a port that a container publishes.
_PUBLISHERS = frozenset({"docker-proxy", "rootlesskit", "containerd", "dockerd", "slirp4netns"})
_NO_ANSWER = (NotThere, Refused, TimedOut, WrongKind, TooBig)


@dataclass(frozen=True)
class Page:
    """What GET /health gave.

    Args:
        generation: 1 or 2 as only that generation answers; 0 where nothing tells.
        stamp: the time that it told, in seconds since 1970; None without one.
        age: how long a cache says that it kept the answer, in seconds.
        trouble: what is wrong with it, "" for nothing.
    """

    generation: int
    stamp: float | None
    age: float
    trouble: str


@dataclass(frozen=True)
class Seat:
    """Whether it runs, who listens on its port, and what it answers there.

    Args:
        runs: whether a process of it, or its container, runs.
        listeners: the sockets at its port.
        strangers: those of them that other programs hold.
        page: what GET /health gave.
        published: whether a container's port is published, which needs no listener of its own.
    """

    runs: bool
    listeners: tuple[Listener, ...]
    strangers: tuple[Listener, ...]
    page: Page
    published: bool

    @property
    def own(self) -> tuple[Listener, ...]:
        """The sockets on which it listens itself."""
        return tuple(one for one in self.listeners if one not in self.strangers)

    @property
    def holds(self) -> bool:
        """Whether its port is its own."""
        return bool(self.own or self.page.generation) or (self.published and not self.strangers)

    def demand_up(self) -> Page:
        """Return what it answers, of whichever generation.

        Raises:
            Blocked: it does not run, its port is not its own, or it does not say that it is well.
        """
        if not self.holds and (self.strangers or self.runs):
            raise Blocked(OWN_PORT, "its port is not its own")
        if not self.holds:
            raise Blocked(UP, "it does not run")
        if self.page.trouble:
            raise Blocked(UP, "it does not answer as it should")
        return self.page

    def demand_first(self) -> Page:
        """Return what the first generation answers.

        Raises:
            Absent: the second generation answers, to which this does not apply.
            Blocked: as `demand_up`.
        """
        page = self.demand_up()
        if page.generation == 2:
            raise Absent("the first generation of Portagent: the second one answers")
        return page


def find_seat(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> Seat:
    """The server's seat as it is now.

    Raises:
        NoPermission: somebody listens on the port, and neither who it is nor what it says tells.
        CannotTell: there is no way to its address from here.
    """
    listeners = sockets.on(system.port)
    known = set(system.pids)
    known |= {one.pid for one in processes.all() if one.ppid in known}
    unknown = tuple(one for one in listeners if one.pid not in known and not _fits(one, system))
    published = bool(system.container) and bool(system.pid) and system.published
    seen = page(system, http)
    if len(unknown) == len(listeners) and not published:
        seen = _proven(system, http, seen)
    if system.container and system.pid and not system.published and not seen.generation:
        raise CannotTell(
            f"the container {printable(system.container)} publishes no port of the server on this "
            "machine; say with address and port of the systems file where it can be asked"
        )
    strangers = () if seen.generation else unknown
    if not all(one.pid for one in strangers):
        raise NoPermission(f"only root may see which process listens on port {system.port}")
    return Seat(bool(system.pid), listeners, strangers, seen, published)


def _fits(listener: Listener, system: Portagent) -> bool:
    """Whether a socket that none of its known processes is seen to hold may well be its own."""
    if system.container and listener.program in {*_PUBLISHERS, ""}:
        return True
    return not listener.pid and bool(system.pid) and listener.uid == system.uid


def _proven(system: Portagent, http: Http, seen: Page) -> Page:
    """What was answered, as long as no other program may answer so: many have such a /health."""
    if seen.generation == 2 and seen.trouble:
        return replace(seen, generation=0)
    if seen.generation != 1:
        return seen
    try:
        asks_for_a_code(system, http)
    except _NO_ANSWER:
        said = "another program answers: it tells its health as Portagent does, and no more"
        return Page(0, None, 0.0, said)
    return seen


def asks_for_a_code(system: Portagent, http: Http) -> bool:
    """Whether the server itself says that registering asks for a code.

    Raises:
        WrongKind: it does not tell.
        NotThere, Refused, TimedOut, TooBig: it does not answer.
    """
    url = f"{system.url}/api/auth/config"
    said = told(http.get(url, deadline=system.settings.connect_deadline, limit=LARGEST_ANSWER))
    required = said.get("inviteCodeRequired") if said is not None else None
    if not isinstance(required, bool):
        raise WrongKind(f"{url} does not tell whether a code is asked for")
    return required


def page(system: Portagent, http: Http) -> Page:
    """What GET /health gives; the second generation is told by what it answers instead.

    Raises:
        CannotTell: there is no way to the address from here.
    """
    url = f"{system.url}/health"
    try:
        answer = http.get(url, deadline=system.settings.connect_deadline, limit=LARGEST_ANSWER)
    except _NO_ANSWER as met:
        return Page(0, None, 0.0, str(met))
    if answer.status == 426 and answer.content_type != "application/json":
        trouble = second_generation(system, http)
        return Page(0 if trouble and not system.pid else 2, None, 0.0, trouble)
    return _told(answer)


def _told(answer: Answer) -> Page:
    """What an answer of the first generation says."""
    shown = f"GET /health: HTTP {answer.status}, {answer.content_type or 'no content type'}"
    said = told(answer)
    if said is None:
        # The page of the web UI, which it gives to every path that it does not know, is no proof.
        return Page(0, None, 0.0, f"{shown} instead of JSON")
    stamp = said.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int) or set(said) != HEALTH:
        return Page(0, None, 0.0, f"{shown}, and not of its status and timestamp alone")
    moment = min(max(stamp, 0), 1 << 50) / 1000
    age = answer.header("age")
    kept = float(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0.0
    if answer.status != 200 or said["status"] != "ok":
        return Page(1, None, kept, f"{shown}, status {said['status']!r}")
    return Page(1, moment, kept, "")


def second_generation(system: Portagent, http: Http) -> str:
    """What is wrong with the page of the second generation; "" for nothing."""
    settings = system.settings
    # Where it runs as a process of its own, its variable names the page's port.
    named = system.text("PORT") if system.variable("WS_PORT") is not None else ""
    port = named if named.isascii() and named.isdigit() else settings.web_port
    url = f"http://{system.address}:{port}/api/health"
    try:
        answer = http.get(url, deadline=settings.connect_deadline, limit=LARGEST_ANSWER)
    except _NO_ANSWER as met:
        return f"the page of the second generation: {met}"
    said = told(answer)
    if answer.status == 200 and said is not None and said.get("ok") is True:
        return ""
    return f"GET {url}: HTTP {answer.status}, and not that it is ok"


def told(answer: Answer) -> dict[str, object] | None:
    """Return the JSON object of an answer that says that it is JSON, None for all else."""
    if answer.content_type != "application/json":
        return None
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def demand_first(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> Page:
    """Return what the first generation answers; raises as `find_seat` and `Seat.demand_first`."""
    return find_seat(system, processes, sockets, http).demand_first()
