"""What the monitors' logs show: known issues, and a monitor that spins."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from dataclasses import dataclass

from healthchecks.crash_protection.monitor_state import seconds, state_told
from healthchecks.crash_protection.probes_monitor import Running, monitors_running
from healthchecks.crash_protection.system import CrashProtection
from plugins import Absent, Measure, NotThere, printable, probe, table_beside
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.hits import Hits, LogHits
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Processes
from plugins.endpoints.signatures import load
from plugins.hosts import Host

LOGS = ("monitor.log", "periodic_backup.log", "simple_monitor.log")
_TAIL = 256 << 10
# In a terminal's colours, where the script has any.
_STAMP = re.compile(rb"(?m)^(?:\x1b\[[\d;]*m)*\[(\d\d:\d\d:\d\d)\]")
_MIB = 1 << 20
_HOUR, _DAY = 3600, 86_400
_SLACK = 300  # seconds by which a line may be ahead of what stands below it
_SETTLED = 10  # seconds after which an average tells something
# What a loop says that has lost its variables; once is enough of a reason to look at the rate.
_SPINNING = (b"sleep: missing operand", b"integer expression expected", b"/monitor_state.json")


@dataclass(frozen=True)
class MonitorLog:
    """A monitor's log: how large, how many lines a second, and what a spinning loop said in it."""

    path: str
    size: Measure
    rate: Measure
    said: tuple[str, ...]


def _logs(system: CrashProtection, filesystem: Filesystem) -> list[Entry]:
    """Return the logs that are there.

    Raises:
        Absent: there is none.
    """
    looked = [filesystem.look(f"{system.folder}/{name}") for name in LOGS]
    found = [one for one in looked if one is not None]
    if not found:
        raise Absent("a log of a monitor", tuple(f"{system.folder}/{name}" for name in LOGS))
    return found


@probe(every=60.0)
def monitor_logs(
    system: CrashProtection,
    filesystem: Filesystem,
    processes: Processes,
    machine: Machine,
    commands: Host,
) -> tuple[MonitorLog, ...]:
    """The monitors' logs: their size, and their growth where one was just written."""
    entries = _logs(system, filesystem)
    running, _ = monitors_running(system, filesystem, processes, commands)
    state, now = state_told(system, filesystem), machine.now()
    told = seconds(state.table.get("start_time")) if state and state.table else None
    began = min([one.started for one in running] + ([told] if told else []), default=None)
    alive = max(now - _HOUR, _successor(running))
    return tuple(
        _judged(system, one, _tail(one, filesystem), began, lively=one.mtime > alive)
        for one in entries
    )


def _successor(running: tuple[Running, ...]) -> float:
    """Return when the last monitor began: a log that was not written since tells of one before."""
    return max((one.started for one in running if not one.suspended), default=0.0)


def _tail(entry: Entry, filesystem: Filesystem) -> bytes:
    if entry.kind != "file":
        return b""
    try:
        return filesystem.tail(entry.path, _TAIL)
    except NotThere:
        return b""


def _judged(
    system: CrashProtection, entry: Entry, tail: bytes, began: float | None, *, lively: bool
) -> MonitorLog:
    settings = system.settings
    rate = _rate(entry, tail, began) if lively else 0.0
    lines = tail.splitlines()
    said = {text: line for text in _SPINNING for line in lines if lively and text in line}
    name = os.path.basename(entry.path)
    return MonitorLog(
        entry.path,
        Measure(f"{name} takes", round(entry.size / _MIB, 2), "MiB", settings.log_mib),
        Measure(f"{name} grows by", round(rate, 1), "lines/s", settings.log_lines_per_second),
        # One such line may be chance; a loop that lost its variables says all of them.
        tuple(printable(line, 200) for line in said.values()) if len(said) > 1 else (),
    )


def _rate(entry: Entry, tail: bytes, began: float | None) -> float:
    """Return the lines a second: those of one time of day, or on average since the beginning."""
    stamps = Counter(_STAMP.findall(tail))
    # One round may tell of many copies at once; a loop does not stop after a second.
    fullest = min(count for _, count in stamps.most_common(2)) if len(stamps) > 1 else 0
    average = 0.0
    lines = tail.count(b"\n")
    if began is not None and entry.mtime - began >= _SETTLED and lines:
        average = entry.size / (len(tail) / lines) / (entry.mtime - began)
    return max(float(fullest), average)


@probe(deadline=20.0, every=60.0)
def log_hits(
    system: CrashProtection,
    filesystem: Filesystem,
    processes: Processes,
    machine: Machine,
    commands: Host,
) -> LogHits:
    """Every known issue that shows at the end of the monitors' logs, in the hours that count."""
    entries = _logs(system, filesystem)
    running, _ = monitors_running(system, filesystem, processes, commands)
    since = machine.now() - system.settings.log_hours * _HOUR
    lines = [
        line
        for entry in entries
        if entry.mtime >= max(since, _successor(running))
        for line in recent(_tail(entry, filesystem), entry.mtime, since)
    ]
    found = {}
    for one in load(table_beside(__file__)):
        pattern = re.compile(one.pattern.encode())
        fitting = [line for line in lines if pattern.search(line) and one.fits(line)]
        if fitting:
            shown = tuple(printable(line, 300) for line in fitting[-3:])
            found[one.key] = Hits(len(fitting), None, None, shown)
    return LogHits(found)


def recent(tail: bytes, written: float, since: float) -> list[bytes]:
    """Return the lines of a log's end that are of a moment or later, the oldest first.

    The monitors write the time of day and no date: the last line is of when the file was written,
    and a time that is later than that of the line below it is of the day before.

    Args:
        tail: whole lines, but for the first.
        written, since: seconds since 1970.
    """
    kept: list[bytes] = []
    moment = written
    for line in reversed(tail.splitlines()):
        told = _STAMP.match(line)
        if told is not None:
            back = (moment - _of_day(told[1], moment)) % _DAY
            # A clock that is a little ahead of the line below is no day before.
            moment -= back if back < _DAY - _SLACK else 0
        if moment < since:
            break
        kept.append(line)
    return kept[::-1]


def _of_day(stamp: bytes, moment: float) -> float:
    """Return the moment of a time of day on the local day of another moment."""
    day = time.localtime(moment)
    hours, minutes, seconds_ = (int(part) for part in stamp.split(b":"))
    return time.mktime((*day[:3], hours, minutes, seconds_, 0, 0, -1))
