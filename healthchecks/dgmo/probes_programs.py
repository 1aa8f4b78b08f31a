"""The programs of DGMO: their versions, the memory that node may take, the server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.dgmo.store_looks import WHOLE, looks
from healthchecks.dgmo.system import Dgmo
from plugins import (
    Absent,
    CannotTell,
    Measure,
    NoPermission,
    NotThere,
    TimedOut,
    TooBig,
    ToolMissing,
    WrongKind,
    printable,
    probe,
)
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.json_folders import JsonFolders
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Listener, Sockets
from plugins.hosts import Host
from plugins.run import Run

_SECONDS = 10.0
_LARGEST_LIST = 64 << 20
_VERSION = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?")
_MOST_MEMORY = re.compile(r"--max[-_]old[-_]space[-_]size[= ]([0-9]{1,12})(?![0-9])")
_LINE = 4096
_COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True)
class BadProgram:
    """A program that DGMO needs, and what is wrong with it."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{printable(self.name)} {self.why}"


@dataclass(frozen=True)
class NodeMemory:
    """How much memory node may take for objects, and what the store and the machine have, in MiB.

    Args:
        large: whether the store is so large that it matters.
        store: its size, or that of all projects together.
        told: what NODE_OPTIONS says, 0 where it says nothing.
        where: where that stands.
        machine: the memory of the machine, or of the container that we are in.
    """

    large: bool
    store: Measure
    told: int
    where: str
    machine: int


@dataclass(frozen=True)
class Server:
    """What listens on the port of `dgmo serve`.

    Args:
        place: its address.
        stranger: what shows that it is another program, "" where it is DGMO's server.
        trouble: why DGMO's server is of no use, "" where it answers.
    """

    place: str
    stranger: str
    trouble: str


@probe(deadline=60.0, every=300.0)
def bad_programs(system: Dgmo, commands: Host) -> tuple[BadProgram, ...]:
    """The programs that are missing, do not work, or are older than their least version."""
    if not system.settings.programs:
        raise Absent("programs to look for in the systems file")
    return tuple(_bad_programs(system, commands))


def _bad_programs(system: Dgmo, commands: Host) -> Iterator[BadProgram]:
    for words in system.settings.programs:
        name, _, least = words.strip().rpartition(" ")
        if not name or not _VERSION.fullmatch(least):
            name, least = words.strip(), ""
        command = system.settings.path(name) if "/" in name else name
        why = _why_bad(command, least, commands)
        if why:
            yield BadProgram(os.path.basename(name), why)


def _why_bad(command: str, least: str, commands: Host) -> str:
    """Tell what is wrong with a program; "" for nothing."""
    try:
        argv = (command, "--version")
        ran = commands.run(argv, deadline=_SECONDS, limit=1 << 16, cwd="/")
    except TimedOut:
        return f"does not tell its version within {_SECONDS:g} s"
    except ToolMissing:
        return "is not installed"
    except NoPermission:
        return "may not be executed by us"
    except CannotTell as why:
        return f"cannot be started: {printable(str(why))}"
    if ran.status:
        said = printable(ran.complaint or ran.text.strip(), 200)
        return f"--version ends with status {ran.status}: {said}"
    found = _VERSION.search(ran.text)
    if found is None:
        return f"tells no version: {printable(ran.text.strip(), 100) or 'nothing'}"
    wanted = _VERSION.fullmatch(least)
    old = wanted is not None and _numbers(found) < _numbers(wanted)
    return f"is of version {found[0]}, and {least} is the least" if old else ""


def _numbers(found: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number or 0) for number in found.groups())


@probe(deadline=WHOLE)
def node_memory(
    system: Dgmo,
    json_folders: JsonFolders,
    run: Run,
    filesystem: Filesystem,
    processes: Processes,
    machine: Machine,
    commands: Host,
) -> NodeMemory:
    """What NODE_OPTIONS says of node's memory, beside the sizes of store and machine."""
    limit = system.settings.large_store_mib
    size = sum(
        one.size for one in looks(system, json_folders, run) if one.store in system.in_use
    ) / (1 << 20)
    told, where = _told(system, filesystem, processes, commands)
    total = machine.memory().total >> 20
    store = Measure("session store", round(size, 1), "MiB", limit)
    return NodeMemory(size >= limit, store, told, where, total)


def _told(
    system: Dgmo, filesystem: Filesystem, processes: Processes, commands: Host
) -> tuple[int, str]:
    """Return what NODE_OPTIONS says in MiB and where: of DGMO as it runs, else as it would."""
    names = {os.path.basename(words.split(" ")[0]) for words in system.settings.programs}
    for one in processes.by_program(sorted(names & {"dgmo"})):
        try:
            said = processes.environment(one.pid, ("HOME", "NODE_OPTIONS"))
        except CannotTell:
            continue
        if said.get("HOME") == system.home:  # another user's DGMO has a store of its own
            return _size(said.get("NODE_OPTIONS", "")), f"the environment of process {one.pid}"
    if commands.is_local and (told := _size(os.environ.get("NODE_OPTIONS", ""))):
        return told, "our own environment"
    for path in system.settings.paths(system.settings.shell_profiles):
        try:
            text = filesystem.text(path, follow=True)
        except NotThere:
            continue
        for line in reversed(text.splitlines()):
            order = _COMMENT.sub("", line[:_LINE])
            if "NODE_OPTIONS" in order and (told := _size(order)):
                return told, path
    return 0, ""


def _size(text: str) -> int:
    sizes = _MOST_MEMORY.findall(text)
    return int(sizes[-1]) if sizes else 0


@probe(deadline=30.0)
def dgmo_server(system: Dgmo, sockets: Sockets, http: Http) -> Server:
    """What listens on the port of `dgmo serve`, and how it answers."""
    port = system.settings.server_port
    listeners = sockets.on(port)
    if not listeners:
        raise Absent("a server of DGMO", (f"port {port}",))
    place = _place(listeners[0])
    program = listeners[0].program
    who = f"{printable(program, 60)}, process {listeners[0].pid}" if program else "a program"
    try:
        answer = http.get(f"http://{place}/session", deadline=_SECONDS, limit=_LARGEST_LIST)
    except TimedOut as why:
        return Server(place, "", f"/session is not answered within {why.limit:g} s")
    except TooBig:
        return Server(place, "", "")
    except WrongKind:
        return Server(place, f"{who}, which does not speak HTTP as DGMO's server does", "")
    return _judged(place, who, answer)


def _judged(place: str, who: str, answer: Answer) -> Server:
    try:
        said = answer.json()
    except CannotTell:
        said = None
    if answer.status == 200 and isinstance(said, list):
        return Server(place, "", "")
    if isinstance(said, dict) and isinstance(said.get("name"), str) and "data" in said:
        return Server(place, "", f"/session answers HTTP {answer.status}: {_complaint(said)}")
    return Server(place, f"{who}, which answers /session with HTTP {answer.status}", "")


def _complaint(said: dict[str, object]) -> str:
    data = said.get("data")
    message = data.get("message") if isinstance(data, dict) else None
    return printable(message if isinstance(message, str) else str(said.get("name")), 300)


def _place(listener: Listener) -> str:
    """Return where to ask a listener from its own host: those of every address on loopback."""
    every = {"ipv4": "127.0.0.1", "ipv6": "::1"}
    is_every = not listener.address.strip("0.:")
    address = every[listener.family] if is_every else listener.address
    return f"[{address}]:{listener.port}" if ":" in address else f"{address}:{listener.port}"
