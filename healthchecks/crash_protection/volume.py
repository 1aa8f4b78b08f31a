"""The Docker volume of origin: its folder where that can be read, else through a container."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from healthchecks.crash_protection.system import CrashProtection
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.inside import Inside
from plugins.eyes import naming, reading
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.outcomes import CannotTell, NotThere, Refused, TimedOut

ENGINE = "host.the_docker_engine_answers"
VOLUME = "crash_protection.the_conversation_volume_exists"
_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
_TOOLS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
ENDING = ".jsonl"


@dataclass(frozen=True)
class Origin:
    """A folder of origin: "host" or "volume"; with `container`, a folder in it, and its files."""

    folder: str
    where: str
    container: str = ""
    files: tuple[Inside, ...] = ()


@dataclass(frozen=True)
class Unseen:
    """What of the origins could not be looked at, and why; `by` is the check that owns it."""

    what: str
    why: str
    by: str = ""

    def __str__(self) -> str:
        return self.why if self.what in self.why else f"{self.what} {self.why}"


def engine_url(system: CrashProtection, commands: Host) -> str:
    """Return where the engine is asked, "" where this host has none."""
    ours = os.environ.get("DOCKER_HOST", "") if commands.is_local else ""
    named = system.settings.docker_url or ours
    if named:
        return named
    sockets = [*_SOCKETS, f"{system.settings.path('~')}/.docker/run/docker.sock"]
    seen = commands.call(reading.at, sockets, 0)
    for path in sockets:
        if seen[path]["kind"] != "missing":
            return f"unix://{path}"
    installed = commands.call(naming.programs, ["docker"], _TOOLS)["docker"]
    return f"unix://{_SOCKETS[0]}" if installed else ""


def volume_origin(
    system: CrashProtection,
    filesystem: Filesystem,
    commands: Host,
    memo: Kept | None = None,
) -> tuple[list[Origin], list[Unseen]]:
    """Return the volume's projects, and what keeps us from seeing them.

    A volume that the engine does not know holds nothing that could be protected: another check
    says so. A host without Docker has no volume.
    """
    named = system.settings.path(system.settings.volume_folder)
    if named:
        if filesystem.look(named) is None:
            return [], [Unseen(named, "is not there", VOLUME)]
        return [Origin(f"{named}/projects", "volume")], []
    url = engine_url(system, commands) if system.settings.volume else ""
    if not url:
        return [], []
    docker = Docker(commands, url)
    try:
        return _through(system, filesystem, docker, memo if memo is not None else Kept())
    except (NotThere, Refused, TimedOut) as error:
        return [], [Unseen(f"the volume {system.settings.volume}", str(error), ENGINE)]
    except CannotTell as error:
        return [], [Unseen(f"the volume {system.settings.volume}", str(error))]


def _through(
    system: CrashProtection, filesystem: Filesystem, docker: Docker, memo: Kept
) -> tuple[list[Origin], list[Unseen]]:
    name = system.settings.volume
    volume = next((one for one in docker.volumes() if one.name == name), None)
    if volume is None:
        return [], []
    # With options it is mounted while a container runs, and its folder is empty at other times.
    plain = volume.driver == "local" and not volume.options
    try:
        if plain and volume.folder and filesystem.look(volume.folder) is not None:
            filesystem.folder(volume.folder)
            return [Origin(f"{volume.folder}/projects", "volume")], []
        hidden = f"{volume.folder or name} is not on this machine's own disk"
    except CannotTell as error:
        hidden = str(error)
    for one in sorted(docker.containers(), key=lambda one: one.state != "running"):
        for mount in one.mounts:
            if mount.kind == "volume" and mount.name == name:
                top = f"{mount.target.rstrip('/')}/projects"
                return [Origin(top, "volume", one.id, _inside(docker, one.id, top, memo))], []
    how = "start or create a container that mounts it, or run these checks as one who may read it"
    return [], [Unseen(f"the volume {name}", f"{hidden}, and no container mounts it: {how}")]


def _inside(docker: Docker, container: str, top: str, memo: Kept) -> tuple[Inside, ...]:
    """Return the volume's files; the whole of it is sent only when a folder in it was changed."""
    key = f"inside {container} {top}"
    known = memo.get(key)
    if isinstance(known, tuple):
        now = docker.look_inside(container, [one.path for one in known])
        there = tuple(one for one in now if one is not None)
        if _folders(there) == _folders(known):
            return tuple(one for one in there if not one.folder)
    if docker.look_inside(container, [top]) == (None,):
        return ()
    listed = docker.files_inside(container, top, ENDING)
    # The stream's times are whole seconds; the engine's own account of a path has all of it.
    found = docker.look_inside(container, [one.path for one in listed])
    told = tuple(one for one in found if one is not None)
    memo[key] = told
    return tuple(one for one in told if not one.folder)


def _folders(inside: Iterable[Inside]) -> list[tuple[str, int]]:
    return [(one.path, one.mtime_ns) for one in inside if one.folder]
