"""What is seen of session containers: how long they live, their limits, mounts and health."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, Measure, probe
from plugins.endpoints.docker import Container, Docker, Stats
from plugins.endpoints.engines import ALIVE, ailments, answering, seconds
from plugins.endpoints.machine import Machine
from plugins.hosts import Host

ANSWERS = "host.the_docker_engine_answers"
# The engine's words; one that is being removed is none of ours any more.
ENDED = frozenset({"exited", "created", "dead"})
# Docker's own, in seconds.
_PERIOD = 0.1


@dataclass(frozen=True)
class Session:
    """A container whose name is that of a session.

    Args:
        url: where its engine is asked.
        id: whole.
        name: without the leading slash.
        state: the engine's word.
        since: RFC 3339: since when it is in this state, as far as the engine tells.
        finished: the engine's own text of its end; a later one is another end.
        hours: since then.
    """

    url: str
    id: str
    name: str
    state: str
    since: str
    finished: str
    hours: float

    def __str__(self) -> str:
        age = f"{self.hours:.1f} hours" if self.hours < 48 else f"{self.hours / 24:.1f} days"
        return f"{self.name} ({self.id[:12]}): {self.state} for {age}, since {self.since[:19]}"


@dataclass(frozen=True)
class Lack:
    """A running session, and what it lacks or suffers from."""

    name: str
    id: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id[:12]}): {self.what}"


@dataclass(frozen=True)
class Pressure:
    """How near to its limits a running session is.

    Args:
        name: of the container.
        memory: percent of its limit, None where it has none.
        throttled: percent of the periods in which it wanted a processor and had to wait; None where
            it wanted one in too few, or has no limit.
    """

    name: str
    memory: Measure | None
    throttled: Measure | None


def engine(system: ClaudeDocker, commands: Host) -> Docker:
    """Return the engine that answers.

    Raises:
        Absent: nothing of a kit that uses Docker stands here, and no engine answers.
        Blocked: it is needed, and does not answer.
    """
    return answering(
        commands,
        system.settings.docker_url,
        needed=system.uses.docker,
        what="a kit that uses Docker",
        looked_in=(system.state_dir,),
        cause=ANSWERS,
    )


def of_sessions(docker: Docker, system: ClaudeDocker) -> tuple[Container, ...]:
    """Return the containers of sessions.

    The engine's own filter by name finds `my-claude-session-notes` too; a session's name begins
    with the prefix, and with nothing of the prefix's own kind behind it.
    """
    prefixes = "|".join(map(re.escape, filter(None, system.settings.container_prefixes)))
    named = re.compile(rf"(?:{prefixes})(?![A-Za-z0-9])" if prefixes else r"(?!)")
    return tuple(one for one in docker.containers(deadline=15.0) if named.match(one.name))


def _running(docker: Docker, system: ClaudeDocker) -> tuple[Container, ...]:
    found = tuple(one for one in of_sessions(docker, system) if one.state in ALIVE)
    if not found:
        raise Absent("a session that runs", (docker.base_url,))
    return found


def _session(one: Container, url: str, since: str, now: float) -> Session:
    hours = (now - seconds(since, one.name)) / 3600
    return Session(url, one.id, one.name, one.state, since, one.finished, hours)


@probe(deadline=20.0)
def stale_sessions(system: ClaudeDocker, commands: Host, machine: Machine) -> tuple[Session, ...]:
    """Containers of sessions that ended, or never began, longer ago than is allowed."""
    docker = engine(system, commands)
    now, limit = machine.now(), system.settings.ended_session_hours
    found = (
        _session(one, docker.base_url, one.finished or one.created, now)
        for one in _some_of_sessions(docker, system)
        if one.state in ENDED
    )
    return tuple(one for one in found if one.hours > limit)


@probe(deadline=20.0)
def ancient_sessions(system: ClaudeDocker, commands: Host, machine: Machine) -> tuple[Session, ...]:
    """Sessions that run for longer than any session should."""
    docker = engine(system, commands)
    now, limit = machine.now(), system.settings.running_session_days * 24
    found = (
        _session(one, docker.base_url, one.started or one.created, now)
        for one in _some_of_sessions(docker, system)
        if one.state in ALIVE
    )
    return tuple(one for one in found if one.hours > limit)


def _some_of_sessions(docker: Docker, system: ClaudeDocker) -> tuple[Container, ...]:
    found = of_sessions(docker, system)
    if not found and not system.uses.docker:
        raise Absent("a container of a session", (docker.base_url,))
    return found


def _lacking(
    system: ClaudeDocker, commands: Host, what: Callable[[Container], str]
) -> Iterator[Lack]:
    docker = engine(system, commands)
    for one in _running(docker, system):
        said = what(one)
        if said:
            yield Lack(one.name, one.id, said)


@probe(deadline=20.0)
def staying_sessions(system: ClaudeDocker, commands: Host) -> tuple[Lack, ...]:
    """Running sessions that will not remove themselves."""
    return tuple(_lacking(system, commands, lambda one: "" if one.auto_remove else "stays"))


@probe(deadline=20.0)
def unlimited_sessions(system: ClaudeDocker, commands: Host) -> tuple[Lack, ...]:
    """Running sessions without a limit of memory or processors."""

    def lack(one: Container) -> str:
        limits = {"memory": one.memory_limit, "processors": one.nano_cpus}
        missing = [name for name, limit in limits.items() if not limit]
        return f"no limit of {' and '.join(missing)}" if missing else ""

    return tuple(_lacking(system, commands, lack))


@probe(deadline=20.0)
def unmounted_sessions(system: ClaudeDocker, commands: Host) -> tuple[Lack, ...]:
    """Running sessions without the workspace or Claude's folder among their mounts."""
    workspace = system.settings.workspace.rstrip("/")
    folders = [path.rstrip("/") for path in system.settings.container_config_dirs]

    def lack(one: Container) -> str:
        targets = [mount.target.rstrip("/") for mount in one.mounts]
        work = any(target == workspace or target.startswith(f"{workspace}/") for target in targets)
        # What holds the folder above it holds it too.
        kept = any(
            folder == target or folder.startswith(f"{target}/")
            for folder in folders
            for target in targets
        ) or any(mount.source == system.state_dir for mount in one.mounts)
        missing = [] if work else [f"nothing at {workspace}"]
        missing += [] if kept else [f"nothing at {' or '.join(folders)}"]
        return "; ".join(missing)

    return tuple(_lacking(system, commands, lack))


@probe(deadline=20.0)
def failing_sessions(system: ClaudeDocker, commands: Host, machine: Machine) -> tuple[Lack, ...]:
    """Sessions that were killed for their memory, start again and again, or are unhealthy."""
    docker = engine(system, commands)
    found = of_sessions(docker, system)
    if not found:
        raise Absent("a container of a session", (docker.base_url,))
    now = machine.now()
    return tuple(
        Lack(one.name, one.id, said) for one in found if (said := "; ".join(ailments(one, now)))
    )


@probe(deadline=25.0)
def pressed_sessions(system: ClaudeDocker, commands: Host) -> tuple[Pressure, ...]:
    """How near to their limits the running sessions are."""
    docker = engine(system, commands)
    running = [one for one in _running(docker, system) if one.state != "restarting"]
    with ThreadPoolExecutor(max_workers=8) as asking:
        taken = asking.map(lambda one: docker.stats(one.id, deadline=8.0), running)
        return tuple(
            _pressure(one, stats, system)
            for one, stats in zip(running, taken, strict=True)
            if stats is not None
        )


def _pressure(one: Container, stats: Stats, system: ClaudeDocker) -> Pressure:
    limits, memory, throttled = system.settings, None, None
    if one.memory_limit and stats.memory_limit:
        share = stats.memory_percent(one.memory_limit)
        memory = Measure(f"memory of {one.name}", share, "%", limits.session_memory_percent)
    if one.nano_cpus and stats.periods * _PERIOD >= limits.session_busy_seconds:
        share = round(100 * stats.throttled / stats.periods, 1)
        throttled = Measure(f"{one.name} waits", share, "%", limits.session_throttled_percent)
    return Pressure(one.name, memory, throttled)


@probe
def missing_image(system: ClaudeDocker, commands: Host) -> str:
    """The images that are known where none of them is here, "" where one is."""
    docker = engine(system, commands)
    if not system.uses.docker:
        raise Absent("a kit that uses Docker", (system.state_dir,))
    settings = system.settings
    known = (settings.image,) if settings.image else settings.images
    if not known:
        raise Absent("an image that is named in the systems file", ())
    here = {tag for image in docker.images() for tag in image.tags}
    return "" if any(_tagged(name) in here for name in known) else ", ".join(known)


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
