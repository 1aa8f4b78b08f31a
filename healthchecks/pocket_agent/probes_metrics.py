"""What the server's metrics say, where it has any."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.pocket_agent.prometheus import Exposition, Sample, parse
from healthchecks.pocket_agent.seat import OPENS, bracketed, find_seat, page
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, Blocked, Measure, probe
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets

_EXECUTIONS = "pocket_agent_executions_total"
_FAILED = {"failed", "timeout", "error"}
_PERCENT = 10.0  # of the executions may fail: some prompts do
_SHOWN = 5


@dataclass(frozen=True)
class Metrics:
    """A page of metrics: what of it is no Prometheus text, and how many executions failed.

    Args:
        url: where it was read.
        unread: the first lines that are no Prometheus text.
        failed: the share of executions that failed, in percent.
        counts: the counters that tell so.
    """

    url: str
    unread: tuple[str, ...]
    failed: Measure
    counts: tuple[str, ...]


@probe(deadline=25.0, every=30.0)
def metrics(system: PocketAgent, processes: Processes, sockets: Sockets, http: Http) -> Metrics:
    """The server's own page of metrics."""
    seat = find_seat(system, processes, sockets, http)
    seat.demand_answers()
    settings = system.settings
    address, path = bracketed(settings.address), settings.metrics_path
    pids = {one.pid for one in seat.running}
    seen = page(system, http)
    if not seen.scheme:
        raise Blocked(OPENS, "the server answers nothing")
    urls = [f"{seen.scheme}://{address}:{system.port}{path}"]
    if any(one.pid in pids for one in sockets.on(settings.metrics_port)):
        urls.append(f"http://{address}:{settings.metrics_port}{path}")
    for url in urls:
        answer = http.get(url, deadline=settings.connect_deadline, limit=8 << 20)
        if answer.status != 404:
            return _read(answer)
    raise Absent("metrics: the server has none", tuple(urls))


def _read(answer: Answer) -> Metrics:
    """The page in numbers."""
    told = parse(answer.body.decode("utf-8", "backslashreplace"))
    unread = told.unread[:_SHOWN]
    if answer.status != 200:
        unread = (f"HTTP {answer.status}", *unread)
    elif not told.samples and not unread:
        unread = ("the page is empty",)
    counters = tuple(one for one in told.samples if one.name == _EXECUTIONS)
    failed = tuple(one for one in counters if dict(one.labels).get("status") in _FAILED)
    share = Measure("executions that failed", _share(told, failed), "%", _PERCENT)
    return Metrics(answer.url, unread, share, tuple(map(_row, failed)))


def _share(told: Exposition, failed: tuple[Sample, ...]) -> float:
    """The percentage of executions that failed; 0 where none are counted."""
    whole = sum(one.value for one in told.samples if one.name == _EXECUTIONS)
    return round(100 * sum(one.value for one in failed) / whole, 1) if whole > 0 else 0.0


def _row(one: Sample) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in one.labels)
    return f"{one.name}{{{labels}}} {one.value:g}"
