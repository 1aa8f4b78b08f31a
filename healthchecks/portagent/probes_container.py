"""The container: which one it is, whether it stays up, what it printed last, its bounds."""

from __future__ import annotations

import itertools
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, NotThere, ToolMissing, printable, probe
from plugins.endpoints.docker import Container, Docker
from plugins.endpoints.engines import ailments, answering
from plugins.endpoints.machine import Machine
from plugins.endpoints.systemd import Systemd
from plugins.hosts import Host
from plugins.redaction import Redactor

ANSWERS = "host.the_docker_engine_answers"
STAYS_UP = "portagent.its_container_stays_up"
# Variables whose names say that their values are secret.
SECRET = re.compile(r"(?i)key|secret|token|passw|credential|auth")
_LAST = 8


@dataclass(frozen=True)
class ContainerState:
    """How the container fares.

    Args:
        name: of the container that is there, or should be.
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


def container(system: Portagent, commands: Host) -> tuple[Docker, Container]:
    """Return the engine and the container, running or not.

    Raises:
        Absent: it is in no container.
        Blocked: the engine does not answer, or the container that is named is not there.
    """
    docker = engine(system, commands)
    rows = docker.containers(deadline=15.0) if system.container_id else ()
    found = next((one for one in rows if one.id == system.container_id), None)
    if found is not None:
        return docker, found
    if system.engine_trouble or system.container_id:
        raise CannotTell(system.engine_trouble or "its container went while it was looked for")
    if system.settings.container:
        raise Blocked(STAYS_UP, "the container that the systems file names is not there")
    raise Absent("a container of Portagent", (docker.base_url,))


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
    try:
        docker, one = container(system, commands)
    except Blocked as why:
        if why.by != STAYS_UP:
            raise
        return ContainerState(system.settings.container, ("there is no container of this name",))
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
def lone_container(system: Portagent, commands: Host) -> str:
    """Why nothing starts the container again when it ends, "" where something does."""
    _, one = container(system, commands)
    if one.settings.restart != "no" or _supervised(system, commands):
        return ""
    removed = ", and it removes itself when it ends (--rm)" if one.auto_remove else ""
    return f"{one.name} has no restart policy{removed}"


def _supervised(system: Portagent, commands: Host) -> bool:
    """Tell whether a unit of systemd runs it, which starts it again."""
    if not system.unit:
        return False
    systemd = Systemd(commands, systemctl=system.settings.systemctl)
    try:
        return systemd.unit(system.unit, user=system.users_unit).runs
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
