"""The server's process, its port, and what its children do."""

from __future__ import annotations

import os.path
import time
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.pocket_agent.seat import OWN_PORT, RUNS, Seat, find_seat
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Blocked, Measure, NotThere, probe
from plugins.endpoints.growth import Growth, grown
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Process, Processes
from plugins.endpoints.sockets import Sockets
from plugins.eyes import metadata, pulse, reading
from plugins.hosts import Host
from plugins.run import Run

_SAMPLE = 0.25  # seconds of one CPU sample; three of them in a row must be over the limit


@dataclass(frozen=True)
class ServerProcess:
    """The server's processes, and as whom one would have to be started.

    Args:
        pids: their ids.
        suspended: whether all are.
        looked_for: where we looked.
        user: the user to start it as, empty where that is ours.
        home: that user's home folder, empty where it is ours.
    """

    pids: tuple[int, ...]
    suspended: bool
    looked_for: tuple[str, ...]
    user: str = ""
    home: str = ""


@dataclass(frozen=True)
class PortUse:
    """Who listens on the server's port: the server itself or not, and other programs.

    Where it does not, `elsewhere` has the ports on which it listens instead.
    """

    port: int
    own: bool
    strangers: tuple[str, ...]
    elsewhere: tuple[int, ...] = ()


@dataclass(frozen=True)
class Zombie:
    """An ended process that its parent, the server, has not collected."""

    pid: int
    name: str
    parent: int

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name}), a child of {self.parent}"


@dataclass(frozen=True)
class Execution:
    """A run of the CLI that nobody waits for.

    Args:
        pid: its process.
        started: the clock tick of its start.
        group: its process group.
        cwd: the folder it runs in.
        why: what is wrong with it.
    """

    pid: int
    started: int
    group: int
    cwd: str
    why: str

    def __str__(self) -> str:
        group = "" if self.group == self.pid else f" of group {self.group}"
        where = self.cwd or "a folder that we may not see"
        return f"process {self.pid}{group} in {where}: {self.why}"


@dataclass(frozen=True)
class Load:
    """What the server takes of the machine: CPU in percent of a core, memory in MiB."""

    cpu: Measure
    memory: Measure


@probe
def server_process(
    system: PocketAgent, commands: Host, processes: Processes, sockets: Sockets, http: Http
) -> ServerProcess:
    """The server's processes, found by executable, script or port; never by a part of a name."""
    seat = find_seat(system, processes, sockets, http)
    if not seat.running and seat.strangers:
        raise Blocked(OWN_PORT, "another program listens on the server's port")
    known = tuple(one.pid for one in seat.running) or tuple(one.pid for one in seat.own)
    looked = (
        f"looked for an executable or script named {system.settings.program}",
        f"looked for a listener on port {system.port}",
    )
    user, home = ("", "") if known else _account(system, commands)
    return ServerProcess(known, seat.suspended, looked, user, home)


def _account(system: PocketAgent, host: Host) -> tuple[str, str]:
    """The user to start the server as, and its home; what may be left as it is is empty."""
    ours = host.run(("id", "-u"), deadline=5.0).text.strip()
    other = system.uid is not None and str(system.uid) != ours
    own = host.call(reading.accounts, [system.user]).get(system.user, []) if other else []
    named = system.settings.home != "~"
    home = system.settings.path("~") if named else str(own[2]) if own else ""
    return (system.user if other else ""), home


@probe
def port_use(system: PocketAgent, processes: Processes, sockets: Sockets, http: Http) -> PortUse:
    """Who listens on the server's port."""
    seat = find_seat(system, processes, sockets, http)
    if not seat.listeners and not seat.running:
        raise Blocked(RUNS, "the server does not run")
    strangers = tuple(
        f"{one.program or 'a program'} (process {one.pid or 'unknown'}) on {one.address}"
        for one in seat.strangers
    )
    pids = {one.pid for one in seat.running}
    held = () if seat.own else (one.port for one in sockets.listeners() if one.pid in pids)
    return PortUse(system.port, bool(seat.own), strangers, tuple(sorted(set(held))))


@probe
def zombies(
    system: PocketAgent, commands: Host, processes: Processes, sockets: Sockets, http: Http
) -> tuple[Zombie, ...]:
    """The ended children that the server has not collected for longer than a moment."""
    servers = find_seat(system, processes, sockets, http).demand_process()
    pids = {one.pid for one in servers}
    first = {one.pid for one in processes.all() if one.zombie and one.ppid in pids}
    if not first:
        return ()
    time.sleep(0.5)  # a child is defunct for a moment whenever it ends
    later = Processes(commands).all()
    return tuple(Zombie(one.pid, one.name, one.ppid) for one in later if _still(one, first))


def _still(one: Process, first: set[int]) -> bool:
    return one.zombie and one.pid in first


@probe
def lone_executions(
    system: PocketAgent, commands: Host, processes: Processes, sockets: Sockets, http: Http
) -> tuple[Execution, ...]:
    """Runs of the CLI beyond their time, or left to init by a server that is gone."""
    seat = find_seat(system, processes, sockets, http)
    names = frozenset({os.path.basename(system.claude) or "claude", "claude"})
    runs = tuple(one for one in processes.all() if one.programs & names and not one.zombie)
    return (*_overdue(runs, seat, system), *_orphans(runs, seat, system, commands))


def _overdue(runs: tuple[Process, ...], seat: Seat, system: PocketAgent) -> Iterator[Execution]:
    """The server's own children that run for longer than an execution may."""
    servers = {one.pid for one in seat.running}
    limit = system.execution_timeout
    for one in runs:
        age = time.time() - one.started
        if one.ppid in servers and age > limit:
            yield _execution(one, f"has run for {age:.0f} s; an execution may take {limit:g} s")


def _orphans(
    runs: tuple[Process, ...], seat: Seat, system: PocketAgent, host: Host
) -> Iterator[Execution]:
    """Runs that init has, without a terminal, of the server's user, in one of its projects.

    What a person runs has a terminal, or a shell, a multiplexer or an editor for a parent.
    """
    users: set[int | None] = {one.uid for one in seat.running}
    users = users or {system.uid}
    left = [one for one in runs if one.ppid == 1 and one.uid in users]
    if not left:
        return
    terminals = host.call(pulse.terminals, "/proc", [one.pid for one in left])
    paths = _project_paths(system, host)
    groups = {one.cgroup for one in seat.running if one.cgroup.endswith(".service")}
    for one in left:
        inside = any(f"{one.cwd}/".startswith(f"{path}/") for path in paths)
        if terminals.get(str(one.pid)) is False and (inside or one.cgroup in groups):
            yield _execution(one, "its server is gone, and init has it")


def _execution(one: Process, why: str) -> Execution:
    return Execution(one.pid, one.started_ticks, one.pgid, one.cwd, why)


def _project_paths(system: PocketAgent, host: Host) -> tuple[str, ...]:
    """The folder that each project works in."""
    top = os.path.join(system.data_dir, "projects")
    limit = system.settings.metadata_kib << 10
    try:
        rows = host.call(metadata.survey, top, "metadata.json", ["id", "path"], limit)
    except OSError:
        return ()
    return tuple(str(row[2]).rstrip("/") for row in rows["good"])


@probe
def load(
    system: PocketAgent, commands: Host, processes: Processes, sockets: Sockets, http: Http
) -> Load:
    """What the server takes of CPU, the least of some samples in a row, and of memory."""
    servers = find_seat(system, processes, sockets, http).demand_process()
    settings = system.settings
    one = max(servers, key=lambda each: each.cpu_seconds)
    age = time.time() - one.started
    try:
        percent = min(commands.call(pulse.busy, "/proc", one.pid, _SAMPLE, 3), default=0.0)
    except OSError:
        raise NotThere(f"process {one.pid} ended while it was looked at") from None
    if age >= settings.cpu_seconds:
        percent = max(percent, 100 * one.cpu_seconds / age)
    memory = sum(each.rss for each in servers) / (1 << 20)
    return Load(
        Measure("CPU of the server", round(percent, 1), "%", float(settings.cpu_percent)),
        Measure("memory of the server", round(memory, 1), "MiB", float(settings.memory_mib)),
    )


@probe
def growth(
    system: PocketAgent,
    commands: Host,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    run: Run,
) -> Growth:
    """How the server's memory grew from run to run; an earlier process's looks do not count."""
    servers = find_seat(system, processes, sockets, http).demand_process()
    first = min(servers, key=lambda each: each.started_ticks)
    return grown(
        str(run.state / "cursors"),
        (commands.spec, "memory", str(system.port)),
        [first.pid, first.started_ticks],
        time.time(),
        round(sum(each.rss for each in servers) / (1 << 20), 1),
        name="growth of the server's memory",
        apart=system.settings.memory_look_seconds,
        limit=float(system.settings.memory_growth_mib),
    )
