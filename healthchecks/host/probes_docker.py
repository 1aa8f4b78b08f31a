"""What is seen of the Docker engine: whether it answers, what it hoards, what was killed in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from plugins import Absent, Blocked, CannotTell, Measure, NotThere, Refused, TimedOut, probe
from plugins.endpoints.docker import Docker
from plugins.endpoints.machine import Machine
from plugins.eyes import naming, reading
from plugins.hosts import Host
from plugins.systems import Uses

from .system import GIB, WatchedHost

ANSWERS = "host.the_docker_engine_answers"


@dataclass(frozen=True)
class DockerState:
    """The Docker engine: where it is asked, and why it does not answer ("" when it does).

    Args:
        restart: the command that starts it anew, () where none is known.
    """

    url: str
    trouble: str
    restart: tuple[str, ...]


@dataclass(frozen=True)
class Hoard:
    """GiB that Docker holds and nothing uses.

    Args:
        waste: dangling images and build cache, which a prune takes away.
        unused: tagged images and volumes that no container uses; somebody may still want them.
        biggest: the biggest images, for people.
    """

    url: str
    waste: Measure
    unused: Measure
    biggest: tuple[str, ...]


@dataclass(frozen=True)
class Killed:
    """A container whose processes were killed for lack of memory, and when (as the engine says)."""

    name: str
    image: str
    finished: str
    limit_mib: int

    def __str__(self) -> str:
        limit = f"limit {self.limit_mib} MiB" if self.limit_mib else "without a limit"
        return f"{self.name} ({self.image}, {limit}): {self.finished or 'running again'}"


def engine_url(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> str:
    """Return where the engine is to be asked; raises `Absent` where none is expected."""
    ours = os.environ.get("DOCKER_HOST", "") if commands.is_local else ""
    named = system.settings.docker_url or ours
    if named:
        return named
    seen = commands.call(reading.at, list(system.docker_sockets), 0)
    sockets = [path for path, row in seen.items() if row["kind"] != "missing"]
    if sockets:
        return f"unix://{sockets[0]}"
    program = system.settings.docker_program
    places = list(system.tool_folders)
    installed = program and commands.call(naming.programs, [program], places)[program]
    if installed or any(uses.docker for uses in (system.uses, *watched)):
        return f"unix://{next(iter(system.docker_sockets), '/var/run/docker.sock')}"
    raise Absent("no Docker engine, and nothing here needs one", (*system.docker_sockets, program))


def _restart(system: WatchedHost, commands: Host) -> tuple[str, ...]:
    if system.settings.docker_start:
        return system.settings.docker_start
    booted = "/run/systemd/system"
    if commands.call(reading.at, [booted], 0)[booted]["kind"] == "folder":
        return ("systemctl", "restart", "docker")
    service = commands.call(naming.programs, ["service"], ["/usr/sbin"])["service"]
    return ("service", "docker", "restart") if service else ()


@probe
def docker_engine(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> DockerState:
    """Whether the Docker engine answers; that we may not ask it is no answer."""
    url, trouble = engine_url(system, watched, commands), ""
    try:
        Docker(commands, url).ping(deadline=system.settings.docker_answer_s)
    except (NotThere, Refused, TimedOut) as why:
        trouble = str(why)
    return DockerState(url, trouble, _restart(system, commands))


def _answering(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> Docker:
    docker = Docker(commands, engine_url(system, watched, commands))
    try:
        docker.ping(deadline=system.settings.docker_answer_s)
    except CannotTell as why:
        raise Blocked(ANSWERS, str(why)) from None
    return docker


@probe(deadline=40.0, every=300.0)
def hoard(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> Hoard:
    """How much disk Docker holds that nothing uses."""
    docker = _answering(system, watched, commands)
    usage, images = docker.usage(deadline=30.0), docker.images()
    dangling = sum(image.size for image in images if not image.tags)
    free = min(dangling, usage.images.reclaimable)
    waste = free + usage.build_cache.reclaimable
    unused = usage.images.reclaimable - free + usage.volumes.reclaimable
    limits = system.settings
    biggest = sorted(images, key=lambda image: -image.size)[:5]
    return Hoard(
        docker.base_url,
        Measure("Docker's waste", round(waste / GIB, 3), "GiB", limits.docker_waste_gib),
        Measure("unused in Docker", round(unused / GIB, 3), "GiB", limits.docker_unused_gib),
        tuple(
            f"{', '.join(image.tags) or image.id[7:19]}: {image.size / GIB:.2f} GiB"
            for image in biggest
        ),
    )


@probe(deadline=20.0, every=30.0)
def killed_containers(
    system: WatchedHost, watched: tuple[Uses, ...], commands: Host, machine: Machine
) -> tuple[Killed, ...]:
    """The containers that were killed for lack of memory within the days that are looked at."""
    docker = _answering(system, watched, commands)
    since = machine.now() - system.settings.oom_days * 86400
    return tuple(
        Killed(one.name, one.image, one.finished, one.memory_limit >> 20)
        for one in docker.containers()
        if one.oom_killed and (not one.finished or _seconds(one.finished) >= since)
    )


def _seconds(text: str) -> float:
    """Return seconds since 1970 of the engine's time; an unreadable one counts as just now."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return float("inf")
