"""What a step does to a server that is stopped and started again.

A hand answers `{}` when it is done and `{"refused": sentence}` when it did nothing.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import os
import time

from plugins.hands.tasks import Done, end_group, lives, started


def stays(name: str, pid: int, note: str, seconds: float, log: str) -> Done:
    """Watch a process that was just started, and write down which it is.

    Args:
        name: the program's, for people.
        pid: the process.
        note: the file that takes its number and its start; it may be there already.
        seconds: how long it must not end.
        log: the file that takes its output; the last line of it is told when it ends.
    """
    del name
    ticks = started(pid)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not ticks or not lives(pid, ticks):
            return {"refused": f"it ended at once; the last line of {log} is: {_last_line(log)}"}
        time.sleep(0.05)
    os.makedirs(os.path.dirname(note), 0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(note, flags, 0o600), "w", encoding="ascii") as file:
        file.write(f"{pid} {ticks}")
    return {}


def end_written(note: str, patience: float) -> Done:
    """End the process that `stays` wrote down; one that has ended since is done."""
    with open(note, encoding="ascii") as file:
        pid, ticks = map(int, file.read().split())
    return end_group(pid, ticks, patience) if started(pid) == ticks else {}


def _last_line(log: str) -> str:
    with contextlib.suppress(OSError), open(log, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
        lines = file.read().splitlines()
        return next((line.decode("utf-8", "replace") for line in lines[::-1] if line), "none")
    return "none"
