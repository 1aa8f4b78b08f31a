"""What is seen of the page: what it loads, what a browser makes of it, and who may call it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from healthchecks.portagent.page_links import SCRIPT, Link, fault_of, links_of
from healthchecks.portagent.seat import demand_first
from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, printable, probe
from plugins.endpoints.browser import Browser, Opened
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.hosts import Host

LOADS = "portagent.the_page_loads_what_it_needs"
_LARGEST_PAGE = 1 << 20
_LARGEST_FILE = 32 << 20
_MOST = 60  # scripts and styles that are asked for
_WHOLE = 50.0
_PREFLIGHT = "/api/auth/login"
_HEADERS = ("authorization", "content-type")


@dataclass(frozen=True)
class Page:
    """What the page's server answers.

    Args:
        url: of the page.
        faults: what a browser would miss, a sentence each.
    """

    url: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Preflight:
    """What the server allows a page of another origin.

    Args:
        origin: of that page.
        url: that was asked.
        faults: what the browser would refuse, a sentence each.
    """

    origin: str
    url: str
    faults: tuple[str, ...]


@probe(deadline=_WHOLE, every=60.0)
def page(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> Page:
    """What the page loads, and how that is answered."""
    demand_first(system, processes, sockets, http)
    return _looked(system, http)


def _looked(system: Portagent, http: Http) -> Page:
    """Ask for the page and what it loads; in one look each is asked for once."""
    url = f"{system.url}/"
    answer = http.get(url, deadline=system.settings.connect_deadline, limit=_LARGEST_PAGE)
    if fault := _page_fault(answer):
        return Page(url, (fault,))
    links = tuple(links_of(answer.body.decode("utf-8", "replace"), url))
    if not any(link.kind == SCRIPT for link in links):
        return Page(url, ("the page loads no script: it is not the one that was built",))
    if len(links) > _MOST:
        raise CannotTell(f"the page loads {len(links)} files; we ask for {_MOST} at most")
    faults = tuple(_faults(system, http, links))
    elsewhere = [link for link in links if link.url and not link.same_origin]
    if elsewhere and not faults:
        where = printable(elsewhere[0].written, 120)
        raise CannotTell(f"the page loads from another server, which is not asked: {where}")
    return Page(url, faults)


@probe(deadline=_WHOLE, every=300.0)
def page_in_browser(
    system: Portagent, commands: Host, processes: Processes, sockets: Sockets, http: Http
) -> Opened:
    """What a real browser makes of the page."""
    demand_first(system, processes, sockets, http)
    settings = system.settings
    if faults := _looked(system, http).faults:
        raise Blocked(LOADS, faults[0])
    limit = min(settings.browser_seconds, _WHOLE - 10)
    named = settings.chromium
    program = settings.path(named) if "/" in named else named
    seen = Browser(commands, program).open(f"{system.url}/", deadline=limit)
    if seen.elsewhere and (seen.errors or not seen.has_login_form):
        raise CannotTell(
            f"the page needs another server, which the browser may not ask: {seen.elsewhere[0]}"
        )
    return seen


@probe
def preflight(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> Preflight:
    """What the server allows the page of the configured origin."""
    settings = system.settings
    origin = settings.origin.strip().rstrip("/")
    asked = (settings.proxy_url or system.url).rstrip("/")
    if not origin or _origin(origin) == _origin(asked):
        raise Absent("its page is its own: no other origin is configured")
    if "://" not in origin or urlsplit(origin).path:
        raise CannotTell(f"origin must be as https://agent.example, not {printable(origin)}")
    demand_first(system, processes, sockets, http)
    words = {"origin": origin, "access-control-request-method": "POST"}
    words["access-control-request-headers"] = ",".join(_HEADERS)
    limit = settings.connect_deadline
    answer = http.request("OPTIONS", f"{asked}{_PREFLIGHT}", deadline=limit, headers=words)
    faults = tuple(_refusals(answer, origin))
    return Preflight(printable(origin), printable(f"{asked}{_PREFLIGHT}"), faults)


def _page_fault(answer: Answer) -> str:
    """Return why the answer is no page, "" where it is one."""
    if answer.status != 200:
        said = printable(answer.body, 100)
        return f"the page is answered with HTTP {answer.status} {said}".rstrip()
    if answer.content_type != "text/html":
        return f"the page comes as {printable(answer.content_type, 60) or 'no type'}, not as HTML"
    return "" if answer.body.strip() else "the page is empty"


def _faults(system: Portagent, http: Http, links: tuple[Link, ...]) -> Iterator[str]:
    """Ask for each file of the page's own server once; yield what a browser would miss."""
    limit = system.settings.connect_deadline
    for link in dict.fromkeys(links):
        if not link.url:
            yield f"{printable(link.written, 120)} is no URL"
        elif link.same_origin:
            try:
                answer = http.get(link.url, deadline=limit, limit=_LARGEST_FILE)
            except CannotTell as met:
                yield f"{printable(link.written, 120)} does not come: {met}"
                continue
            if fault := fault_of(link, answer):
                yield fault


def _refusals(answer: Answer, origin: str) -> Iterator[str]:
    """Yield why a browser would not let the page of an origin call the server."""
    if not 200 <= answer.status < 300:
        yield f"the preflight is answered with HTTP {answer.status}"
    allowed = answer.header("access-control-allow-origin")
    if allowed not in {"*", origin}:
        shown = printable(allowed, 100)
        yield f"Access-Control-Allow-Origin is {shown}" if shown else "no origin is allowed"
    names = answer.header("access-control-allow-headers").lower().split(",")
    listed = {name.strip() for name in names}
    # A star stands for all but this one.
    missing = [n for n in _HEADERS if n not in listed and ("*" not in listed or n == _HEADERS[0])]
    if missing:
        yield f"Access-Control-Allow-Headers lacks {', '.join(missing)}"


def _origin(url: str) -> tuple[str, str]:
    scheme, _, rest = url.lower().partition("://")
    usual = {"http": ":80", "https": ":443"}.get(scheme, "")
    return scheme, rest.partition("/")[0].removesuffix(usual)
