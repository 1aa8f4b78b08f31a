"""What is seen of the monitor: its processes, its state file, its own time limit."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from healthchecks.crash_protection.monitor_state import (
    STATE,
    MonitorState,
    Told,
    judged,
    pids_told,
    seconds,
    state_told,
)
from healthchecks.crash_protection.monitors import SYSTEM, Kind, is_watch, kind_of, systems_file
from healthchecks.crash_protection.probes_folders import our_uid
from healthchecks.crash_protection.system import CrashProtection
from plugins import Absent, CannotTell, Measure, printable, probe
from plugins.configuration import Configuration
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Process, Processes
from plugins.hosts import Host


@dataclass(frozen=True)
class Running:
    """A monitor that runs: its process, its kind, since when (seconds since 1970), who told."""

    pid: int
    kind: Kind
    started: float
    told_by: str
    suspended: bool


@dataclass(frozen=True)
class Monitors:
    """The monitors that run here.

    Args:
        running: they.
        looked_at: what each file with a pid leads to, for people.
        start: the command that starts one, () where none can be started from here.
        folder: where it is started.
        log: where its output goes, "" for nowhere.
        user: whom it is started as, "" for ourselves.
        home: that user's home folder.
    """

    running: tuple[Running, ...]
    looked_at: tuple[str, ...]
    start: tuple[str, ...]
    folder: str
    log: str
    user: str
    home: str


@dataclass(frozen=True)
class MonitorEnd:
    """How long the shell monitor still runs, in hours; "stopped" when its limit ended it."""

    left: Measure
    stopped: bool


def monitors_running(
    system: CrashProtection, filesystem: Filesystem, processes: Processes, commands: Host
) -> tuple[tuple[Running, ...], tuple[str, ...]]:
    """Return the monitors among the processes that the files name, and what each file leads to."""
    state = state_told(system, filesystem)
    told = [*([state] if state else []), *pids_told(system, filesystem)]
    found: dict[int, Running] = {}
    words = []
    for each in told:
        name = os.path.basename(each.path)
        process = processes.one(each.pid) if each.pid else None
        words.append(f"{name}: {each.trouble or _led_to(each.pid, process)}")
        if process and not process.zombie and (kind := kind_of(process)):
            found.setdefault(process.pid, _running(process, kind, name))
    # A watch writes its state at the end of a round: in its first one only it knows of itself.
    own = processes.one(os.getpid()) if commands.is_local else None
    if own and is_watch(own.argv):
        found.setdefault(own.pid, _running(own, "watch", "this watch"))
    return tuple(found.values()), tuple(words)


def _running(process: Process, kind: Kind, name: str) -> Running:
    return Running(process.pid, kind, process.started, name, process.state in {"T", "t"})


def _led_to(pid: int | None, process: Process | None) -> str:
    if pid is None:
        return "names no process"
    if process is None:
        return f"process {pid} is gone"
    if process.zombie:
        return f"process {pid} has ended (a zombie)"
    if kind := kind_of(process):
        state = "suspended" if process.state in {"T", "t"} else "runs"
        return f"process {pid}, a monitor ({kind}), {state}"
    return f"process {pid} is {printable(process.name, 40)}, which is no monitor"


@probe(every=30.0)
def monitors(
    system: CrashProtection,
    filesystem: Filesystem,
    processes: Processes,
    commands: Host,
    configuration: Configuration,
) -> Monitors:
    """The processes that protect here, and how one is started."""
    running, words = monitors_running(system, filesystem, processes, commands)
    # One that was just started waits for us to end before it writes its state.
    running = running or _young(system, processes, configuration)
    start, folder = system.settings.start_command, ""
    if not start and commands.is_local:
        start, folder = _watch(system, configuration)
    home = system.settings.path("~")
    owner = filesystem.look(home)
    user = owner.owner if owner and owner.uid and our_uid(commands) == 0 else ""
    looked = words or (f"{system.folder}: no {STATE} and no pid file",)
    # Our own watch has a log of its own. Not monitor.log, which is searched for issues.
    wanted = system.settings.start_command and filesystem.exists(system.folder)
    log = f"{system.folder}/monitor_start.log" if wanted else ""
    return Monitors(running, looked, start, folder, log, user, home)


def _young(
    system: CrashProtection, processes: Processes, configuration: Configuration
) -> tuple[Running, ...]:
    """Return the watches of this home folder, by this systems file, that no state file names."""
    home, file = system.settings.path("~"), _absolute(configuration.origin)
    found = []
    for one in processes.all():
        if one.zombie or not is_watch(one.argv) or _absolute(systems_file(one.argv)) != file:
            continue
        try:
            theirs = processes.environment(one.pid, ("HOME",)).get("HOME", "")
        except CannotTell:
            continue
        if theirs and os.path.normpath(theirs) == home:
            found.append(_running(one, "watch", "its command line"))
    return tuple(found)


def _absolute(file: str) -> str:
    return os.path.abspath(os.path.expanduser(file)) if file else ""


def _watch(system: CrashProtection, configuration: Configuration) -> tuple[tuple[str, ...], str]:
    """Return the command of our own watch, and the folder that it runs in."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    file = configuration.origin
    words = ("--systems", _absolute(file)) if file else ()
    pytest = (sys.executable, "-m", "pytest", "healthchecks", "--system", SYSTEM)
    return (*pytest, "--fix", "--watch", f"{system.settings.interval:g}", *words), root


@probe(every=30.0)
def monitor_state(
    system: CrashProtection,
    filesystem: Filesystem,
    processes: Processes,
    machine: Machine,
    commands: Host,
) -> MonitorState:
    """What the state file and monitor.pid say that is not so."""
    state = state_told(system, filesystem)
    own = next(
        (one for one in pids_told(system, filesystem) if one.path.endswith("/monitor.pid")), None
    )
    if state is None and own is None:
        raise Absent("a monitor's state", (f"{system.folder}/{STATE}",))
    running, _ = monitors_running(system, filesystem, processes, commands)
    limit = system.settings.starting_seconds
    return judged(state, own, {one.pid for one in running}, machine.now(), limit)


@probe(every=60.0)
def monitor_end(
    system: CrashProtection,
    filesystem: Filesystem,
    processes: Processes,
    machine: Machine,
    commands: Host,
) -> MonitorEnd:
    """How long the shell monitor still runs before its own limit ends it."""
    running, _ = monitors_running(system, filesystem, processes, commands)
    settings = system.settings
    shell = [one for one in running if one.kind == "guide"]
    if not shell:
        if not running and _was_ended(system, filesystem):
            left = Measure("hours that the monitor still runs", 0.0, "h", None)
            return MonitorEnd(left, stopped=True)
        raise Absent("a monitor with a time limit of its own")
    state, now = state_told(system, filesystem), machine.now()
    begun = max(_begun(one, state, now) for one in shell)
    hours = settings.monitor_hours - (now - begun) / 3600
    name = "hours that the monitor still runs"
    return MonitorEnd(Measure(name, round(hours, 2), "h", settings.monitor_hours_left), False)


def _begun(running: Running, state: Told | None, now: float) -> float:
    """Return when a monitor began, by its state file where that is about it."""
    told = seconds(state.table.get("start_time")) if state and state.table else None
    ours = state is not None and state.pid == running.pid
    return told if ours and told is not None and 0 < told <= now else running.started


def _was_ended(system: CrashProtection, filesystem: Filesystem) -> bool:
    try:
        tail = filesystem.tail(f"{system.folder}/monitor.log", 4096)
    except CannotTell:
        return False
    last = [line for line in tail.splitlines() if line.strip()][-3:]
    return any(b"Max monitoring time reached" in line for line in last)
