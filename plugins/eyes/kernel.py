"""What the kernel says of the clock, of its kills, and of ended processes that nobody collected.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import ctypes
import os
import select

CLOCK_WORDS = 26  # struct timex is 208 bytes on 64-bit Linux


def clock() -> float:
    """Give the greatest error that the kernel reckons its clock may have, in seconds.

    It grows while no time service disciplines the clock, up to 16 s. Nothing is changed.

    Raises:
        OSError: the system is no 64-bit Linux, or the kernel does not let us ask.
    """
    if os.uname().sysname != "Linux" or ctypes.sizeof(ctypes.c_long) != 8:
        raise OSError(38, "no adjtimex here")
    words = (ctypes.c_long * CLOCK_WORDS)()
    library = ctypes.CDLL(None, use_errno=True)
    if library.adjtimex(ctypes.byref(words)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return words[3] / 1e6


def records(path: str, texts: list[str], limit: int) -> list[str]:
    """Give the kernel log's records that hold one of the texts, oldest first.

    Args:
        path: /dev/kmsg, or a file in its format; it is never waited for.
        texts: what a wanted record holds.
        limit: how many bytes are read at most.
    """
    found: list[str] = []
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    rest = b""
    try:
        while limit > 0:
            try:
                part = os.read(descriptor, 64 << 10)
            except BlockingIOError:
                break
            except BrokenPipeError:
                continue  # records were overwritten meanwhile: the next read goes on behind them
            if not part:
                break
            limit -= len(part)
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                text = os.fsdecode(line)
                if any(wanted in text for wanted in texts):
                    found.append(text)
    finally:
        os.close(descriptor)
    return found


def zombies(proc: str, pause: float) -> list[dict[str, object]]:
    """Give the defunct processes that are still there after `pause` seconds.

    A process is defunct for a moment whenever it ends; one that stays was not collected by its
    parent. A row has pid, name and parent (a pid).
    """
    first = _defunct(proc)
    if not first:
        return []
    select.select([], [], [], pause)
    second = {(row["pid"], row["started"]) for row in _defunct(proc)}
    return [row for row in first if (row["pid"], row["started"]) in second]


def _defunct(proc: str) -> list[dict[str, object]]:
    rows = []
    for pid in _numbers(proc):
        text = _text(f"{proc}/{pid}/stat")
        fields = text.rpartition(")")[2].split()
        if len(fields) > 19 and fields[0] == "Z":
            name = text.partition("(")[2].rpartition(")")[0]
            started = int(fields[19])
            rows.append({"pid": pid, "name": name, "parent": int(fields[1]), "started": started})
    return rows


def _numbers(proc: str) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(proc) if name.isdigit())
    except OSError:
        return []


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.fsdecode(os.read(descriptor, 64 << 10))
    except OSError:
        return ""
    finally:
        os.close(descriptor)
