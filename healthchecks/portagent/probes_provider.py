"""How far one request to the provider gets, how soon, and whether its key is taken."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from healthchecks.portagent.provider import KEY, Provider, Reply, ask, is_within, provider_of
from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, Kept, Measure, printable, probe
from plugins.endpoints import history
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Http
from plugins.hosts import Host
from plugins.run import Run

REACHED = "portagent.the_provider_can_be_reached"
HAS_KEY = "portagent.it_has_a_provider_key"
_WHOLE = 30.0
_SOMETIMES = 300.0  # a watch does not ask each round
_LOOKS = 100
_DAYS = 7.0


@dataclass(frozen=True)
class Reach:
    """How far the request to the provider got.

    Args:
        url: what was asked.
        way: how, in words.
        trouble: where and why it went no further, such as "TLS: …"; "" where an API answered.
    """

    url: str
    way: str
    trouble: str


@dataclass(frozen=True)
class KeyTaken:
    """Whether the provider takes the key.

    Args:
        url: what was asked.
        source: what gives the server its key.
        status: of the answer.
    """

    url: str
    source: str
    status: int


@dataclass(frozen=True)
class Pace:
    """How soon the provider answers, over the looks that were kept."""

    slowest: Measure
    looks: int


@probe(deadline=_WHOLE, every=_SOMETIMES)
def provider_reach(
    system: Portagent, commands: Host, filesystem: Filesystem, http: Http, run: Run, kept: Kept
) -> Reach:
    """How far the request to the provider got."""
    provider = provider_of(system, commands, filesystem)
    reply = _asked(system, provider, http, run, kept)
    named = f" ({provider.named_by})" if provider.named_by else ""
    return Reach(f"{printable(provider.url)}{named}", provider.way, reply.trouble)


@probe(deadline=_WHOLE, every=_SOMETIMES)
def provider_pace(
    system: Portagent, commands: Host, filesystem: Filesystem, http: Http, run: Run, kept: Kept
) -> Pace:
    """How soon the provider answers: the looks of earlier runs and this one's."""
    provider = provider_of(system, commands, filesystem)
    reply = _asked(system, provider, http, run, kept)
    if reply.trouble:
        raise Blocked(REACHED, "the provider does not answer")
    folder, now = str(run.state / "cursors"), time.time()
    question = (commands.spec, "provider", provider.url, provider.way)
    rows = [
        [float(row[0]), float(row[1])]
        for row in history.recall(folder, question).get("looks", [])
        if now - _DAYS * 86400 < row[0] <= now
    ]
    rows = [*rows, [now, 1000 * reply.seconds]][-_LOOKS:]
    history.keep(folder, question, {"looks": rows})
    times = [row[1] for row in rows]
    high = statistics.quantiles(times, n=20, method="inclusive")[-1] if times[1:] else times[0]
    limit = float(system.settings.provider_ms)
    what = "95th percentile of the provider's answers"
    return Pace(Measure(what, round(high, 1), "ms", limit), len(times))


@probe(deadline=_WHOLE, every=_SOMETIMES)
def provider_key(
    system: Portagent, commands: Host, filesystem: Filesystem, http: Http, run: Run, kept: Kept
) -> KeyTaken:
    """Whether the provider takes the key, where it may be asked."""
    if not _may_send(system, run):
        raise Absent("the provider is asked about the key with provider_ask or --deep only")
    provider = provider_of(system, commands, filesystem)
    if provider.key is None or not _fits_a_header(provider.key.value.reveal()):
        raise Blocked(HAS_KEY, f"there is no {KEY} to ask about")
    reply = _asked(system, provider, http, run, kept)
    if reply.trouble:
        raise Blocked(REACHED, "the provider does not answer")
    if not provider.is_private:
        raise CannotTell(f"the key is not sent to {printable(provider.url)}: it is not encrypted")
    if reply.status not in {200, 401, 403}:
        raise CannotTell(
            f"{printable(provider.url)} answers HTTP {reply.status}, which says nothing of the key"
        )
    return KeyTaken(printable(provider.url), provider.key.source, reply.status)


def _asked(system: Portagent, provider: Provider, http: Http, run: Run, kept: Kept) -> Reply:
    """Ask the provider; whoever asks in this run gets the one answer, after a cure too.

    Raises:
        CannotTell: only its container knows the way.
    """
    if is_within(system, provider):
        raise CannotTell(
            f"the way to the provider ({provider.way}) begins inside of the container "
            f"{printable(system.container)}, from which nothing is asked"
        )
    key = provider.key.value.reveal() if provider.key is not None else ""
    with_key = _may_send(system, run) and _fits_a_header(key)
    limit = system.settings.provider_deadline
    question = ("provider", run.began, with_key, provider)
    known: Reply | None = kept.get(question)
    if known is None:
        known = kept[question] = ask(http, provider, with_key=with_key, deadline=limit)
    return known


def _may_send(system: Portagent, run: Run) -> bool:
    """Whether somebody asked that the key be tried."""
    return run.deep or system.settings.provider_ask


def _fits_a_header(key: str) -> bool:
    return bool(key) and key.isascii() and key.isprintable() and key == key.strip()
