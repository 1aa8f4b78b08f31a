"""What is seen of memory, of kills for lack of it, and of how busy CPUs and disks are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plugins import CannotTell, Measure, NotThere, probe
from plugins.endpoints.errors import in_words
from plugins.endpoints.machine import Machine
from plugins.eyes import kernel, reading
from plugins.hosts import Host

from .probes_space import moment
from .system import WatchedHost

KILLED = "Killed process"


@dataclass(frozen=True)
class Memory:
    """Memory that is to be had, the narrowest of the machine's and the control groups' limits.

    Args:
        available: percent of it, with its limit.
        limited: whether a control group allows us less than the machine has.
        pressure: percent of the last minute in which everything waited for memory; None where the
            kernel does not tell.
    """

    available: Measure
    total_mib: int
    limited: bool
    pressure: Measure | None


@dataclass(frozen=True)
class Kills:
    """Processes that the kernel killed for lack of memory.

    Args:
        since_boot: how many.
        recent: how many of them may have happened within the days that are looked at.
        latest: the kernel's own words on the latest ones, where its log can be read.
        days: how far back is looked.
    """

    since_boot: Measure
    recent: int
    latest: tuple[str, ...]
    days: float


@dataclass(frozen=True)
class Busy:
    """How busy the machine was over the last minute; `too_busy` holds what is over its limit."""

    measures: tuple[Measure, ...]

    @property
    def too_busy(self) -> tuple[str, ...]:
        """The measures that are over their limits, in words."""
        return tuple(
            f"{one.name}: {one}"
            for one in self.measures
            if one.limit is not None and one.value >= one.limit
        )


@probe
def memory(system: WatchedHost, commands: Host) -> Memory:
    """The memory that is available, under the narrowest limit that holds for us."""
    limits = system.settings
    machine = Machine(commands, limits.proc, limits.sys)
    seen, waited = machine.memory(), machine.pressure("memory")
    share = round(seen.available_percent, 1)
    return Memory(
        Measure("memory available", share, "%", limits.memory_available_percent),
        seen.total >> 20,
        seen.limit is not None,
        Measure("waiting for memory", waited.full60, "%", limits.memory_pressure_percent)
        if waited
        else None,
    )


@probe
def kills(system: WatchedHost, commands: Host) -> Kills:
    """The processes that were killed for lack of memory since the machine started."""
    days = system.settings.oom_days
    machine = Machine(commands, system.settings.proc, system.settings.sys)
    total = machine.oom_kills()
    counts = f"{system.settings.proc}/vmstat"
    if not total and "oom_kill" not in _text(commands, counts):
        raise NotThere(f"{counts} does not count kills: they can be told on Linux since 4.13 only")
    measure = Measure("killed for lack of memory since the start", total, "processes", None)
    if not total:
        return Kills(measure, 0, (), days)
    up = machine.now() - machine.booted()
    ages = [(_age(line, up), line) for line in _kernel_log(system, commands)]
    recent = sum(age < days * 86400 for age, _ in ages)
    # Without a log nothing is known of when; what it no longer holds is older than what it does.
    if not ages or up < days * 86400:
        recent = total
    now = machine.now()
    latest = tuple(f"{moment(now - age)}: {line.partition(';')[2]}" for age, line in ages[-3:])
    return Kills(measure, recent, latest, days)


def _text(commands: Host, file: str) -> str:
    return str(commands.call(reading.at, [file], 16 << 20)[file]["text"])


def _kernel_log(system: WatchedHost, commands: Host) -> list[str]:
    file = system.settings.kernel_log
    try:
        with in_words(file):
            return commands.call(kernel.records, file, [KILLED], 16 << 20)
    except CannotTell:
        return []


def _age(line: str, up: float) -> float:
    """Return the age in seconds of a record `priority,number,microseconds,flags;text`."""
    fields = line.partition(";")[0].split(",")
    stamp = int(fields[2]) / 1e6 if len(fields) > 2 and fields[2].isdigit() else up
    return max(0.0, up - stamp)


@probe
def busy(system: WatchedHost, commands: Host) -> Busy:
    """Load for each CPU, and how much of the last minute was spent waiting for CPU or disks."""
    limits = system.settings
    machine = Machine(commands, limits.proc, limits.sys)
    # The load is the whole machine's, also in a container: it is not divided by our share of CPUs.
    table = _text(commands, f"{limits.proc}/stat")
    cpus = len(re.findall(r"^cpu\d+ ", table, re.MULTILINE)) or machine.cpus()
    share = round(machine.load()[0] / cpus, 2)
    cpu, disks = machine.pressure("cpu"), machine.pressure("io")
    measures = [Measure("load for each CPU", share, "", limits.load_per_cpu)]
    if cpu:
        wait = Measure("waiting for CPU", cpu.some60, "%", limits.cpu_pressure_percent)
        measures.append(wait)
    if disks:
        wait = Measure("waiting for disks", disks.full60, "%", limits.io_pressure_percent)
        measures.append(wait)
    return Busy(tuple(measures))
