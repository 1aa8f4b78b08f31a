"""Which files are in some process's hands.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import os
import stat


def open_now(paths: list[str], writing: bool = False) -> list[str]:
    """Give those of the paths that a process holds open; one pass over /proc, none without it.

    writing: whether only those count that are open for writing.
    """
    wanted = {}
    for path in paths:
        try:
            seen = os.lstat(path)
        except OSError:
            continue
        wanted[seen.st_dev, seen.st_ino] = path
    held = set()
    for folder in _descriptors() if wanted else []:
        try:
            # The link's own mode tells how the file is open.
            if writing and not os.lstat(folder).st_mode & stat.S_IWUSR:
                continue
            seen = os.stat(folder)
        except OSError:
            continue
        if (seen.st_dev, seen.st_ino) in wanted:
            held.add(wanted[seen.st_dev, seen.st_ino])
    return sorted(held)


def writers_below(folder: str) -> list[int]:
    """Give the processes that hold something below a folder open for writing; none without /proc.

    Those of other users are seen by root alone.
    """
    inside = os.path.realpath(folder).rstrip("/") + "/"
    found = set()
    for held in _descriptors():
        try:
            if os.lstat(held).st_mode & stat.S_IWUSR and os.readlink(held).startswith(inside):
                found.add(int(held.split("/")[2]))
        except OSError:
            continue
    return sorted(found)


def _descriptors() -> list[str]:
    found = []
    for pid in _names("/proc"):
        if pid.isdigit():
            found += [f"/proc/{pid}/fd/{number}" for number in _names(f"/proc/{pid}/fd")]
    return found


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
