"""The container: which one it is, whether it stays up, what it printed last, its bounds."""

from __future__ import annotations

import itertools
import re
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from healthchecks.portagent.system import Portagent, Settings
from plugins import Absent, Blocked, CannotTell, NotThere, ToolMissing, printable, probe
from plugins.endpoints.docker import Container, Docker
from plugins.endpoints.engines import ailments, answering
from plugins.endpoints.machine import Machine
from plugins.endpoints.systemd import Systemd
from plugins.hosts import Host
from plugins.redaction import Redactor

ANSWERS = "host.the_docker_engine_answers"
STAYS_UP = "portagent.its_container_stays_up"
# The name that a recreated container's predecessor is kept under.
FORMER = re.compile(r"-before-\d{8}-\d{6}$")
# Variables whose names say that their values are secret.
SECRET = re.compile(r"(?i)key|secret|token|passw|credential|auth")
_LAST = 8
_FOLDERS = ("the names and images of containers",)


@dataclass(frozen=True)
class ContainerState:
    """How the container fares.

    Args:
        name: of the container that was looked for or found.
        troubles: what is wrong with it; () where nothing is.
        last: the last lines that it printed, secrets masked; () where nothing is wrong.
    """

    name: str
    troubles: tuple[str, ...]
    last: tuple[str, ...] = ()


def engine(system: Portagent, commands: Host) -> Docker:
    """Return the engine that answers.

    Raises:
        Absent: nothing says that Portagent is in a container, and no engine answers.
        Blocked: its container is there, or may be, and the engine does not answer.
    """
    return answering(
        commands,
        system.settings.docker_url,
        needed=bool(system.container) or system.uses.docker,
        likely=not system.pid,
        what="a container of Portagent",
        looked_in=(),
        cause=ANSWERS,
    )


def chosen(settings: Settings, found: Iterable[Container]) -> Container | None:
    """Return its container: the one that is named, else of its names, else of its images.

    One that runs comes first; what a recreation keeps of a former one is none.
    """
    named = (settings.container,) if settings.container else settings.container_names

    def rank(one: Container) -> tuple[bool, bool]:
        return one.name not in named, one.state != "running"

    ours = [
        one
        for one in found
        if one.name in named
        or (not settings.container and _of_image(one, settings) and not FORMER.search(one.name))
    ]
    return min(ours, key=rank, default=None)


def _of_image(one: Container, settings: Settings) -> bool:
    whole = one.image.partition("@")[0]
    above, slash, last = whole.rpartition("/")
    image = f"{above}{slash}{last.partition(':')[0]}"
    return any(f"/{image}".endswith(f"/{name}") for name in settings.container_images)


def container(system: Portagent, commands: Host) -> tuple[Docker, Container]:
    """Return the engine and the container, running or not.

    Raises:
        Absent: it is in no container.
        Blocked: the engine does not answer, or the container that is named is not there.
    """
    docker = engine(system, commands)
    found = chosen(system.settings, docker.containers(deadline=15.0))
    if found is None and system.settings.container:
        raise Blocked(STAYS_UP, "the container that the systems file names is not there")
    if found is None:
        raise Absent("a container of Portagent", (docker.base_url, *_FOLDERS))
    return docker, found


def running(system: Portagent, commands: Host) -> tuple[Docker, Container]:
    """Return the engine and the container, which runs.

    Raises:
        Absent: it is in no container.
        Blocked: it does not run.
    """
    docker, found = container(system, commands)
    if found.state != "running":
        raise Blocked(STAYS_UP, f"its container is {found.state}")
    return docker, found


def masked(one: Container, text: str) -> str:
    """Return the text without the secrets that the container was made with, or any other."""
    told = one.settings
    secrets = [value.reveal() for name, value in told.environment if SECRET.search(name)]
    words = [word.reveal() for word in told.words]
    behind = [word for option, word in itertools.pairwise(words) if SECRET.search(option)]
    return Redactor((*secrets, *behind))(text)


@probe(deadline=25.0)
def container_state(system: Portagent, commands: Host, machine: Machine) -> ContainerState:
    """How the container fares, and what it printed last where it does not."""
    docker = engine(system, commands)
    one = chosen(system.settings, docker.containers(deadline=15.0))
    if one is None:
        name = system.settings.container
        if name:
            return ContainerState(name, ("there is no container of this name",))
        raise Absent("a container of Portagent", (docker.base_url, *_FOLDERS))
    troubles = tuple(_troubles(one, machine.now()))
    return ContainerState(one.name, troubles, tuple(_last(docker, one)) if troubles else ())


def _troubles(one: Container, now: float) -> Iterator[str]:
    told = one.settings
    if one.state == "exited":
        yield f"it ended with exit status {_status(one.exit_code)}, {one.finished[:19]}"
    if one.state == "created":
        yield "it was made, and never ran"
    if one.state == "paused":
        yield "it is paused: nothing in it runs"
    if told.error:
        yield f"the engine could not start it: {masked(one, printable(told.error))}"
    yield from ailments(one, now)
    if one.health == "unhealthy" and told.complaint.strip():
        yield f"its check said: {masked(one, printable(told.complaint.strip()))}"


def _status(code: int) -> str:
    try:
        return f"{code} ({signal.Signals(code - 128).name})" if code > 128 else str(code)
    except ValueError:
        return str(code)


def _last(docker: Docker, one: Container) -> Iterator[str]:
    try:
        printed = docker.printed(one.id, last=2 * _LAST)
    except CannotTell as why:
        yield f"what it printed cannot be read: {why}"
        return
    text = masked(one, printed.decode("utf-8", "backslashreplace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines[-_LAST:]:
        yield f"it printed: {printable(line)}"


@probe
def lone_container(system: Portagent, commands: Host, systemd: Systemd) -> str:
    """Why nothing starts the container again when it ends, "" where something does."""
    _, one = container(system, commands)
    if one.settings.restart != "no" or _supervised(system, systemd):
        return ""
    removed = ", and it removes itself when it ends (--rm)" if one.auto_remove else ""
    return f"{one.name} has no restart policy{removed}"


def _supervised(system: Portagent, systemd: Systemd) -> bool:
    """Tell whether a unit of systemd runs it, which starts it again."""
    unit = system.settings.unit
    try:
        return bool(unit) and systemd.unit(unit).runs
    except (ToolMissing, NotThere):
        return False
    except CannotTell as why:
        if type(why) is CannotTell:  # no systemd runs here
            return False
        raise


@probe
def endless_log(system: Portagent, commands: Host) -> str:
    """Why what the container prints is kept without bounds, "" where it is not."""
    _, one = container(system, commands)
    told, options = one.settings, dict(one.settings.log_options)
    # The driver `local` has bounds of its own, and the others keep nothing in files of Docker's.
    if told.log_driver != "json-file" or options.get("max-size", "-1") != "-1":
        return ""
    return f"{one.name} logs by {told.log_driver}, without max-size and max-file"
