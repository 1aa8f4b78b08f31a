"""What a step does to processes.

A hand answers `{}` when it is done and `{"refused": sentence}` when it did nothing.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

Done = dict[str, str]


def _fields(pid: int) -> list[bytes]:
    """Return the words of /proc/PID/stat after the name: state, parent, group, …; or none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def started(pid: int) -> int:
    """Return the clock ticks at which a process started, 0 when there is none."""
    fields = _fields(pid)
    return int(fields[19]) if len(fields) > 19 else 0


def _members(group: int) -> list[int]:
    """Return the processes of a group that still run."""
    found = []
    for name in os.listdir("/proc"):
        fields = _fields(int(name)) if name.isdigit() else []
        if len(fields) > 2 and int(fields[2]) == group and fields[0] not in (b"Z", b"X"):
            found.append(int(name))
    return found


def lives(pid: int, ticks: int) -> bool:
    """Tell whether the process that started at these clock ticks still runs."""
    fields = _fields(pid)
    return len(fields) > 19 and int(fields[19]) == ticks and fields[0] not in (b"Z", b"X")


def end_group(pid: int, ticks: int, patience: float) -> Done:
    """End a process and the group that it leads: SIGTERM, then SIGKILL after `patience` s."""
    if pid <= 1 or pid == os.getpid():
        return {"refused": f"process {pid} is not one that a fix may end"}
    if ticks <= 0 or started(pid) != ticks:
        return {"refused": f"process {pid} is not the one that was looked at"}
    leads = os.getpgid(pid) == pid
    if leads and pid == os.getpgrp():
        return {"refused": f"process {pid} leads the group that these checks run in"}
    send = os.killpg if leads else os.kill
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            send(pid, number)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if not (_members(pid) if leads else lives(pid, ticks)):
                return {}
            time.sleep(0.02)
    return {"refused": f"process {pid} did not end"}
