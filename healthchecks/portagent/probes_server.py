"""The server as it answers: its health, its port, whether it reads its users, its version."""

from __future__ import annotations

import json
import os.path
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.portagent.seat import (
    LARGEST_ANSWER,
    OWN_PORT,
    UP,
    Page,
    demand_first,
    find_seat,
    told,
)
from healthchecks.portagent.system import Portagent
from plugins import Blocked, CannotTell, TimedOut, printable, probe
from plugins.endpoints.commands import Command
from plugins.endpoints.docker import Docker
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.eyes import files, reading
from plugins.hosts import Host

_PACKAGE = 256 << 10
_INSIDE = (
    "/app/apps/portagent/package.json",
    "/usr/local/lib/node_modules/@agentxjs/portagent/package.json",
)


@dataclass(frozen=True)
class Health:
    """What the server says of itself.

    Args:
        generation: 1 or 2; 0 where what answers tells neither.
        trouble: why it is not up, "" where it is.
        off: how many seconds its clock is ahead of the machine's (behind: negative); 0.0 where
            that is within the tolerance.
        kept: for how many seconds a cache says that it kept the answer.
    """

    generation: int
    trouble: str
    off: float
    kept: float


@dataclass(frozen=True)
class PortUse:
    """Who listens on the server's port: the server itself or not, and other programs."""

    port: int
    own: bool
    strangers: tuple[str, ...]
    elsewhere: tuple[int, ...]


@dataclass(frozen=True)
class UsersRead:
    """What a login of nobody was answered with: its status, and what it said."""

    status: int
    said: str


@probe
def health(
    system: Portagent, processes: Processes, sockets: Sockets, http: Http, commands: Host
) -> Health:
    """What the server says of itself, and whether the time that it tells is the machine's."""
    seat = find_seat(system, processes, sockets, http)
    if not seat.holds and (seat.runs or seat.strangers):
        raise Blocked(OWN_PORT, "its port is not its own")
    seen = seat.page
    trouble = seen.trouble if seat.holds else f"nothing of it runs, and {seen.trouble}"
    return Health(seen.generation, trouble, _off(system, commands, seen), seen.age)


def _off(system: Portagent, commands: Host, seen: Page) -> float:
    """How far the time that it tells is from the machine's; 0.0 within the tolerance."""
    if seen.stamp is None:
        return 0.0
    off = seen.stamp - commands.call(reading.now)
    return 0.0 if abs(off) <= system.settings.clock_tolerance else round(off, 1)


@probe
def port_use(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> PortUse:
    """Who listens on the server's port."""
    seat = find_seat(system, processes, sockets, http)
    if not seat.listeners and not seat.runs and not seat.holds:
        raise Blocked(UP, "it does not run")
    strangers = tuple(
        f"{one.program or 'a program'} (process {one.pid or 'unknown'}) on {one.address}"
        for one in seat.strangers
    )
    held = () if seat.holds else _held(system, sockets)
    return PortUse(system.port, seat.holds, strangers, held)


def _held(system: Portagent, sockets: Sockets) -> tuple[int, ...]:
    pids = set(system.pids)
    return tuple(sorted({one.port for one in sockets.listeners() if one.pid in pids}))


@probe
def ignored_port(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> str:
    """The port that a variable asks for in vain, with what sets it; "" where none does."""
    seat = find_seat(system, processes, sockets, http)
    asked = system.variable("PORT")
    if asked is None:
        demand_variables(system, processes, sockets, http)
    if seat.page.generation == 2 or asked is None:
        return ""
    wanted = asked.value.reveal().strip()
    # The command's own default takes the variable's place; in a container that is its inner port.
    listens = system.asked_port or (5200 if system.container else system.port)
    return "" if wanted == str(listens) else printable(f"{wanted} ({asked.source})", 80)


@probe(every=30.0)  # a watch does not log in each round
def users_read(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> UsersRead:
    """What the login of somebody who cannot exist is answered with; it writes nothing."""
    demand_first(system, processes, sockets, http)
    nobody = {"usernameOrEmail": f"nobody-{uuid.uuid4()}", "password": str(uuid.uuid4())}
    try:
        answer = http.request(
            "POST",
            f"{system.url}/api/auth/login",
            body=json.dumps(nobody).encode(),
            headers={"Content-Type": "application/json"},
            deadline=system.settings.connect_deadline,
            limit=LARGEST_ANSWER,
        )
    except TimedOut as met:
        return UsersRead(0, str(met))
    said = told(answer)
    if answer.status == 401 and (said is None or "error" not in said):
        raise CannotTell("a login is answered with HTTP 401, and not by the server itself")
    words = said.get("error", "") if said is not None else answer.body[:200]
    shown = words if isinstance(words, str | bytes) else str(words)
    kind = "" if said is not None else f" as {answer.content_type or 'nothing'}"
    return UsersRead(answer.status, f"{printable(shown, 200)}{kind}")


@probe
def log_level(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> str:
    """The level of its logging, "" where nothing sets it."""
    if system.variable("LOG_LEVEL") is None:
        demand_variables(system, processes, sockets, http)
    return system.text("LOG_LEVEL").strip()


def demand_variables(system: Portagent, processes: Processes, sockets: Sockets, http: Http) -> None:
    """Return when what it is started with was seen; raises `Blocked` and `CannotTell`."""
    if system.hidden:
        raise CannotTell(f"its variables cannot all be read: {', '.join(system.hidden)}")
    if not (system.pid or system.container or system.unit_file or system.environment):
        if find_seat(system, processes, sockets, http).holds:
            raise CannotTell("it answers, and its process is not seen, or goes by another name")
        raise Blocked(UP, "it does not run, and nothing tells how it is started")


@dataclass(frozen=True)
class Versions:
    """What tells its version, each with where; and where that was looked for."""

    known: tuple[str, ...]
    looked_in: tuple[str, ...]


@probe
def versions(system: Portagent, commands: Host, processes: Processes, http: Http) -> Versions:
    """Its version, by its image and its package; its own --version is always 0.0.1."""
    if not (system.pid or system.container):
        raise Blocked(UP, "it does not run")
    if system.container:
        return Versions(*_of_image(system, commands))
    running = processes.one(system.pid)
    argv = running.argv if running is not None else ()
    command = Command(argv, folder=system.folder)
    script = next((word for word in argv if os.path.basename(word) in system.settings.programs), "")
    if not script:
        return Versions((), ("its command line names no file of it",))
    return Versions(*_of_package(commands, command.absolute(script)))


def _of_image(system: Portagent, commands: Host) -> tuple[tuple[str, ...], tuple[str, ...]]:
    docker = Docker(commands, system.settings.docker_url)
    one = next((each for each in docker.containers() if each.id == system.container_id), None)
    if one is None:
        raise CannotTell(f"the container {system.container} went away meanwhile")
    tag = one.image.rpartition(":")[2] if ":" in one.image.rpartition("/")[2] else ""
    if tag and tag != "latest":
        return (f"image {one.image}",), ()
    paths = (os.path.join(one.settings.folder or "/app", "package.json"), *_INSIDE)
    for path in paths:
        try:
            text = docker.read_inside(one.id, path, b"".join)
        except CannotTell:
            continue
        if version := _version(text, path):
            return (version,), ()
    return (), (f"the tag of its image {one.image}", *paths)


def _of_package(commands: Host, script: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        real = commands.call(files.resolve, script)
    except OSError:
        real = script
    paths = list(_packages(real))
    rows = commands.call(reading.at, paths, _PACKAGE)
    for path in paths:
        if version := _version(str(rows[path]["text"]), path):
            return (version,), ()
    return (), tuple(paths)


def _version(text: str | bytes, path: str) -> str:
    """The version in a package of Portagent; "" where it is none, or another one."""
    try:
        package = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(package, dict) or "portagent" not in str(package.get("name", "")):
        return ""
    version = package.get("version")
    return f"{printable(version, 60)} ({path})" if isinstance(version, str) and version else ""


def _packages(script: str) -> Iterator[str]:
    """Yield where the package of a script may be described: a few folders upwards."""
    folder = os.path.dirname(script)
    for _ in range(4):
        if folder in {"/", ""}:
            return
        yield os.path.join(folder, "package.json")
        folder = os.path.dirname(folder)
