"""What the server takes of memory and processors, in its container or as a plain process."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

from healthchecks.portagent.probes_container import STAYS_UP, running
from healthchecks.portagent.seat import UP
from healthchecks.portagent.system import Portagent
from plugins import Blocked, Measure, NotThere, probe
from plugins.endpoints.docker import Docker, Stats
from plugins.endpoints.growth import Growth, grown
from plugins.endpoints.processes import Process, Processes
from plugins.eyes import machine, pulse
from plugins.hosts import Host
from plugins.run import Run

_MIB = 1 << 20
_SAMPLE = 0.25  # seconds of one look at the processors; the least of three in a row counts
_SAMPLES = 3
_LIFE = 60.0  # from so many seconds on, the average of its life counts too


@dataclass(frozen=True)
class Load:
    """What the server takes just now.

    Args:
        what: "the container agents" or "process 12".
        cpu: percent of one processor, the least of some looks in a row.
        memory: percent of the limit that it has, None where it has none.
    """

    what: str
    cpu: Measure
    memory: Measure | None


@probe
def unlimited(system: Portagent, commands: Host) -> str:
    """The limits that the container lacks, "" where it has them."""
    _, one = running(system, commands)
    limits = {"memory": one.memory_limit, "processors": one.nano_cpus}
    missing = [name for name, limit in limits.items() if not limit]
    return f"{one.name} has no limit of {' and '.join(missing)}" if missing else ""


@probe(deadline=20.0)
def load(system: Portagent, commands: Host, processes: Processes) -> Load:
    """What the server takes of processors and of its memory limit."""
    if system.container:
        return _of_container(system, commands)
    one = _server(system, processes)
    return Load(
        f"process {one.pid}",
        _cpu(system, max(_busy(commands, one.pid), _average(one))),
        _of_limit(system, commands, one.pid),
    )


def _of_container(system: Portagent, commands: Host) -> Load:
    docker, one = running(system, commands)
    looks = []
    for turn in range(_SAMPLES + 1):
        time.sleep(_SAMPLE if turn else 0.0)
        # A fresh one of the same address: one is asked the same question once in a look.
        fresh = Docker(commands, docker.base_url)
        looks.append((_stats(fresh, one.id, one.name), time.monotonic()))
    shares = [
        100 * (later.cpu_ns - first.cpu_ns) / max((end - begin) * 1e9, 1.0)
        for (first, begin), (later, end) in itertools.pairwise(looks)
    ]
    limit, stats = one.memory_limit, looks[-1][0]
    memory = _memory(system, stats.memory_percent(limit)) if limit else None
    return Load(f"the container {one.name}", _cpu(system, min(shares)), memory)


def _stats(docker: Docker, container: str, name: str) -> Stats:
    stats = docker.stats(container)
    if stats is None:
        raise Blocked(STAYS_UP, f"the container {name} ended while it was looked at")
    return stats


def _server(system: Portagent, processes: Processes) -> Process:
    """Return the process that works most of those it has.

    Raises:
        Blocked: it does not run.
    """
    found = [one for pid in system.pids if (one := processes.one(pid))]
    if not found:
        raise Blocked(UP, "it does not run")
    return max(found, key=lambda one: one.cpu_seconds)


def _busy(commands: Host, pid: int) -> float:
    try:
        return min(commands.call(pulse.busy, "/proc", pid, _SAMPLE, _SAMPLES), default=0.0)
    except OSError:
        raise NotThere(f"process {pid} ended while it was looked at") from None


def _average(one: Process) -> float:
    age = time.time() - one.started
    return 100 * one.cpu_seconds / age if age >= _LIFE else 0.0


def _of_limit(system: Portagent, commands: Host, pid: int) -> Measure | None:
    """Return how much is used of the limit, such as a unit's, that is nearest to its end."""
    bounds = commands.call(machine.bounds, "/proc", "/sys", str(pid))
    # A limit above that of the whole machine, or of the box that we are in ourselves, is another's.
    ours = {limit for limit, _ in commands.call(machine.bounds, "/proc", "/sys", "self")}
    shares = [100 * taken / limit for limit, taken in bounds if limit and limit not in ours]
    return _memory(system, max(shares)) if shares else None


def _cpu(system: Portagent, percent: float) -> Measure:
    return Measure("processors", round(percent, 1), "%", system.settings.cpu_percent)


def _memory(system: Portagent, percent: float) -> Measure:
    return Measure("memory of its limit", round(percent, 1), "%", system.settings.memory_percent)


@probe
def memory_growth(system: Portagent, commands: Host, processes: Processes, run: Run) -> Growth:
    """How the server's memory grew from run to run; a former life of it does not count."""
    if system.container:
        docker, one = running(system, commands)
        life: list[object] = [one.id, one.started]
        memory = _stats(docker, one.id, one.name).memory_used / _MIB
    else:
        server = _server(system, processes)
        life = [server.pid, server.started_ticks]
        memory = sum(each.rss for pid in system.pids if (each := processes.one(pid))) / _MIB
    return grown(
        str(run.state / "cursors"),
        (commands.spec, "portagent's memory", system.data_dir),
        life,
        time.time(),
        round(memory, 1),
        name="growth of its memory",
        apart=system.settings.memory_look_seconds,
        limit=system.settings.memory_growth_mib,
    )
