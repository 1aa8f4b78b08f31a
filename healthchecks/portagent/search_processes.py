"""The processes that may be Portagent's, each with what it was started with."""

from __future__ import annotations

import os.path
from dataclasses import dataclass

from healthchecks.portagent.variables import NAMES
from plugins.endpoints.commands import Command
from plugins.endpoints.processes import Process, Processes
from plugins.endpoints.sockets import Sockets
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NotThere


@dataclass(frozen=True)
class Seen:
    """A process of it.

    Args:
        command: what it runs.
        container: the id of its container, "" where it runs on the machine itself.
        hidden: what of it could not be read, "" for nothing.
    """

    command: Command
    container: str
    hidden: str

    @property
    def root(self) -> str:
        """Where its files are seen from outside of its container."""
        return f"/proc/{self.command.pid}/root" if self.container else ""

    @property
    def data_dir(self) -> str:
        """Its data folder, as it sees it itself; "" where nothing tells."""
        command = self.command
        said = command.flag("data-dir", "d") or command.environment.get("AGENTX_DIR", "")
        home = command.environment.get("HOME", "")
        return command.absolute(said) or (os.path.join(home, ".agentx") if home else "")

    @property
    def ports(self) -> frozenset[int]:
        """The ports that it listens on, else that which it was started with."""
        told = number(self.command.flag("port", "p"))
        return frozenset(self.command.ports) or frozenset({told} - {0})


def processes_named(names: tuple[str, ...], host: Host) -> tuple[Seen, ...]:
    """Return the living processes that run one of the programs, by process id."""
    processes = Processes(host)
    return _looked_at(processes, processes.by_program(names), host)


def servers_holding(folder: str, host: Host) -> tuple[Seen, ...]:
    """Return the processes that listen and keep the data of a folder open, whatever their names.

    Those of other users are seen by root only. Who has but one of its databases open looks at it.
    """
    processes = Processes(host)
    held: list[set[int]] = []
    for name in ("portagent", "queue"):
        try:
            held.append({pid for pid, _ in processes.holders(f"{folder}/data/{name}.db")})
        except CannotTell:
            return ()  # it is not there, or not ours to see
    pids = set.intersection(*held) - ({os.getpid()} if host.is_local else set())
    found = tuple(one for pid in sorted(pids) if (one := processes.one(pid)) is not None)
    return tuple(row for row in _looked_at(processes, found, host) if row.command.ports)


def _looked_at(processes: Processes, found: tuple[Process, ...], host: Host) -> tuple[Seen, ...]:
    """Return each process with what it was started with."""
    if not found:
        return ()
    # Where we are in a container ourselves, what is in the same one runs on "the machine".
    mine = processes.one(os.getpid()) if host.is_local else None
    here = mine.container if mine is not None else ""
    ports = _ports(host)
    seen = (_seen(processes, one, ports.get(one.pid, ()), here) for one in found)
    return tuple(row for row in seen if row is not None)


def _ports(host: Host) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    try:
        listeners = Sockets(host).listeners()
    except CannotTell:
        return {}
    for each in listeners:
        found[each.pid] = (*found.get(each.pid, ()), each.port)
    return found


def _seen(processes: Processes, one: Process, ports: tuple[int, ...], here: str) -> Seen | None:
    """Return what a process was started with; None where it has ended since it was found."""
    environment: dict[str, str] = {}
    hidden = ""
    try:
        environment = processes.environment(one.pid, NAMES)
    except NotThere:
        return None  # it hides nothing, and may well have been another home's
    except CannotTell:
        hidden = f"the environment of process {one.pid}, which belongs to {one.owner}"
    inside = "" if one.container == here else one.container
    listens = () if inside else tuple(dict.fromkeys(ports))
    command = Command(one.argv, environment, one.cwd, one.exe, str(one.uid), one.pid, listens)
    return Seen(command, inside, hidden)


def number(text: str) -> int:
    """Return a port's number, 0 where the text is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
