"""The Docker volume of origin: its folder where that can be read, else through a container."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from healthchecks.crash_protection.engine import engine_url
from healthchecks.crash_protection.system import VOLUME_SIGNS, CrashProtection
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.inside import Inside
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.outcomes import CannotTell, NoPermission, NotThere, Refused, TimedOut

ENGINE = "host.the_docker_engine_answers"
VOLUME = "crash_protection.the_conversation_volume_exists"
ENDING = ".jsonl"
_PATIENCE = 35.0  # seconds: what the host itself holds is looked at in the same look, and must be


@dataclass(frozen=True)
class Origin:
    """A folder of origin: "host" or "volume"; with `container`, a folder in it, and its files."""

    folder: str
    where: str
    container: str = ""
    files: tuple[Inside, ...] = ()


@dataclass(frozen=True)
class Unseen:
    """What of the origins could not be looked at, and why.

    Args:
        by: the check that owns it.
        doubtful: nothing but its name in our settings tells that there is such an origin.
    """

    what: str
    why: str
    by: str = ""
    doubtful: bool = False

    def __str__(self) -> str:
        return self.why if self.what in self.why else f"{self.what} {self.why}"


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
    url = engine_url(system.settings, commands) if system.settings.volume else ""
    if not url:
        return [], []
    docker, what = Docker(commands, url), f"the volume {system.settings.volume}:"
    try:
        return _through(system, filesystem, docker, memo if memo is not None else Kept())
    except (NotThere, Refused, TimedOut) as error:
        if url.startswith("unix://") and (known := _beside_the_engine(system, filesystem)):
            return [known], []
        doubtful = not isinstance(error, TimedOut) and not expected(system, filesystem)
        return [], [Unseen(what, str(error), ENGINE, doubtful)]
    except NoPermission as error:
        return [], [Unseen(what, str(error), "", not expected(system, filesystem))]
    except CannotTell as error:
        return [], [Unseen(what, str(error))]


def _beside_the_engine(system: CrashProtection, filesystem: Filesystem) -> Origin | None:
    """Return the volume where an engine that does not answer keeps it, for those who may look.

    An engine that hangs or restarts lets its containers run on, and they write. A volume with
    options is mounted there only at times, and has a file that names them.
    """
    folder = f"{system.settings.path(system.settings.volumes_folder)}/{system.settings.volume}"
    try:
        if filesystem.look(f"{folder}/_data") is None or filesystem.look(f"{folder}/opts.json"):
            return None
        filesystem.folder(f"{folder}/_data")
    except CannotTell:
        return None
    return Origin(f"{folder}/_data/projects", "volume")


def signs_of_the_volume(system: CrashProtection, filesystem: Filesystem) -> tuple[str, ...]:
    """Return what shows that this host's conversations stood in the volume."""
    paths = [f"{system.folder}/{name}" for name in VOLUME_SIGNS]
    paths.append(system.settings.path(system.settings.container_file))
    return tuple(path for path in paths if path and filesystem.exists(path))


def expected(system: CrashProtection, filesystem: Filesystem) -> bool:
    """Tell whether Docker has to do with conversations here, by what somebody set or left."""
    return bool(system.settings.docker_url or signs_of_the_volume(system, filesystem))


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
    return [], [Unseen(f"the volume {name}:", f"{hidden}, and no container mounts it: {how}")]


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
    listed = docker.files_inside(container, top, ENDING, deadline=_PATIENCE)
    # The stream's times are whole seconds; the engine's own account of a path has all of it.
    found = docker.look_inside(container, [one.path for one in listed])
    told = tuple(one for one in found if one is not None)
    memo[key] = told
    return tuple(one for one in told if not one.folder)


def _folders(inside: Iterable[Inside]) -> list[tuple[str, int]]:
    return [(one.path, one.mtime_ns) for one in inside if one.folder]
