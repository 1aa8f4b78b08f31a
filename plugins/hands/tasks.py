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


def started(pid: int) -> int:
    """Return the clock ticks at which a process started, 0 when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def end_group(pid: int, ticks: int, patience: float) -> Done:
    """End a process and the group that it leads: SIGTERM, then SIGKILL after `patience` s."""
    if pid <= 1 or pid == os.getpid() or started(pid) != ticks:
        return {"refused": f"process {pid} is not the one that was looked at"}
    leads = os.getpgid(pid) == pid
    send = os.killpg if leads else os.kill
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            send(pid, number)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if started(pid) != ticks or _state_letter(pid) == "Z":
                return {}
            time.sleep(0.02)
    return {"refused": f"process {pid} did not end"}


def _state_letter(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0].decode()
    except (OSError, IndexError):
        return "Z"
