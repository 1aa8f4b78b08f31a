"""How busy a process is right now, and which terminal a process belongs to.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import os
import select
import time


def busy(proc: str, pid: int, pause: float, times: int) -> list[float]:
    """Give the percent of one core that a process used in each of so many pauses of seconds.

    A process that ends meanwhile gives fewer; one that is not there is an OSError.
    """
    ticks = os.sysconf("SC_CLK_TCK")
    found = []
    began, used = time.monotonic(), _used(proc, pid)
    for _ in range(times):
        select.select([], [], [], pause)
        try:
            now, more = time.monotonic(), _used(proc, pid)
        except OSError:
            break
        found.append(100.0 * (more - used) / ticks / max(now - began, 0.001))
        began, used = now, more
    return found


def terminals(proc: str, pids: list[int]) -> dict[str, bool]:
    """Give for each process whether it has a controlling terminal; one that is gone is left out."""
    found = {}
    for pid in pids:
        try:
            found[str(pid)] = _fields(proc, pid)[4] != "0"
        except OSError:
            continue
    return found


def _used(proc: str, pid: int) -> int:
    fields = _fields(proc, pid)
    return int(fields[11]) + int(fields[12])


def _fields(proc: str, pid: int) -> list[str]:
    """The fields of a process's stat from the state on; its name may hold blanks and brackets."""
    with open(f"{proc}/{pid}/stat", "rb") as file:
        return os.fsdecode(file.read()).rpartition(")")[2].split()
