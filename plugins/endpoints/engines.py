"""The Docker engine that a system's containers are in, and what ails a container in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from plugins.endpoints.containers import Container
from plugins.endpoints.docker import Docker
from plugins.hosts import Host
from plugins.outcomes import Absent, Blocked, CannotTell, NotThere

ALIVE = frozenset({"running", "paused", "restarting"})
# One that was started anew within so many seconds may still be in its loop.
_LATELY = 3600.0


def answering(
    commands: Host,
    url: str,
    *,
    needed: bool,
    likely: bool = False,
    what: str,
    looked_in: tuple[str, ...],
    cause: str,
) -> Docker:
    """Return the engine, which answers.

    Args:
        commands: the host that it is asked from.
        url: where, "" for the usual place.
        needed: whether something here needs it.
        likely: whether something here may need it: then its absence is none, and its silence is.
        what: that nobody misses where it is not needed.
        looked_in: where that was looked for.
        cause: the id of the check that says why an engine does not answer.

    Raises:
        Absent: it does not answer, and nothing needs it.
        Blocked: it is needed, and does not answer.
    """
    docker = Docker(commands, url)
    try:
        docker.ping()
    except CannotTell as why:
        if not needed and (not likely or isinstance(why, NotThere)):
            raise Absent(what, (*looked_in, docker.base_url)) from None
        raise Blocked(cause, str(why)) from None
    return docker


def seconds(text: str, name: str) -> float:
    """Return a time of the engine's in seconds since 1970; `CannotTell` when it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise CannotTell(f"the engine tells no time of {name}") from None


def ailments(one: Container, now: float) -> Iterator[str]:
    """Yield what ails a container, whether it runs or ended: memory, restarts, its health check."""
    if one.oom_killed:
        limit = f" of {one.memory_limit >> 20} MiB" if one.memory_limit else ""
        yield f"killed for its memory limit{limit} ({one.finished[:19] or 'runs again'})"
    lately = one.started and now - seconds(one.started, one.name) < _LATELY
    if one.state == "restarting" or (one.state in ALIVE and one.restarts and lately):
        yield f"started again {one.restarts} times, last exit status {one.exit_code}"
    if one.state == "dead":
        yield "dead: the engine could not remove it"
    if one.health == "unhealthy":
        yield f"unhealthy: its check failed {one.failing_streak} times in a row"
