"""What is seen of the watched systems' processes: zombies under them, and open descriptors."""

from __future__ import annotations

from dataclasses import dataclass

from plugins import Absent, CannotTell, Measure, NoPermission, NotThere, probe
from plugins.endpoints.processes import Process, Processes
from plugins.eyes import kernel
from plugins.hosts import Host
from plugins.systems import Uses

from .system import WatchedHost, every


@dataclass(frozen=True)
class Zombie:
    """A process that ended and was not collected, and the watched process that should have."""

    pid: int
    name: str
    parent: int
    program: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid}) under {self.program} (process {self.parent})"


@dataclass(frozen=True)
class Holding:
    """How much of its own soft limit of open files a watched process uses, in percent."""

    pid: int
    program: str
    open: int
    soft_limit: int
    used: Measure

    def __str__(self) -> str:
        used = f"{self.used.value:g} % of its descriptors in use"
        return f"{self.program} (process {self.pid}): {used} ({self.open} of {self.soft_limit})"


def _watched(
    system: WatchedHost, watched: tuple[Uses, ...], processes: Processes
) -> tuple[Process, ...]:
    programs = every("programs", system, watched)
    if not programs:
        raise Absent("no present system has processes of its own")
    found = processes.by_program(programs)
    if not found:
        raise Absent("no process of a watched system runs", programs)
    return found


@probe(every=30.0)
def uncollected(
    system: WatchedHost, watched: tuple[Uses, ...], processes: Processes, commands: Host
) -> tuple[Zombie, ...]:
    """The zombies that stay, right under processes of watched systems."""
    parents = {one.pid: one for one in _watched(system, watched, processes)}
    if not any(one.zombie and one.ppid in parents for one in processes.all()):
        return ()
    stay = system.settings.zombies_stay_s
    rows = commands.call(kernel.zombies, "/proc", stay, deadline=stay + 5)
    return tuple(
        Zombie(int(str(row["pid"])), str(row["name"]), parent, parents[parent].name)
        for row in rows
        if (parent := int(str(row["parent"]))) in parents
    )


@probe(every=30.0)
def holdings(
    system: WatchedHost, watched: tuple[Uses, ...], processes: Processes
) -> tuple[Holding, ...]:
    """The open descriptors of each process of a watched system, against its own soft limit."""
    found, hidden = [], []
    for one in _watched(system, watched, processes):
        try:
            seen = processes.descriptors(one.pid)
        except NotThere:
            continue
        except CannotTell as why:
            hidden.append(str(why))
            continue
        if seen.soft_limit > 0:
            share = round(100 * seen.open / seen.soft_limit, 1)
            name = f"descriptors of {one.name} ({one.pid})"
            limit = system.settings.descriptors_percent
            used = Measure(name, share, "%", limit)
            found.append(Holding(one.pid, one.name, seen.open, seen.soft_limit, used))
    short = any(one.used.value >= system.settings.descriptors_percent for one in found)
    if hidden and not short:
        raise NoPermission(f"{hidden[0]}: only its own user and root see what a process has open")
    return tuple(found)
