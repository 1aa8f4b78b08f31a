"""How long it takes to read and parse some groups of JSON files.

Standard library only; a far host's python3 runs this source. No link at a path's end is followed.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from typing import Any

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY


def load(groups: list[list[Any]], limit: int, seconds: float) -> list[list[Any]]:
    """Read each group as a program does that shows it.

    Args:
        groups: [name, paths of files and of folders of files].
        limit: bytes over which a file is not read, only counted.
        seconds: after which no further group is begun.

    Returns:
        [name, seconds, bytes] of each group that was read.
    """
    rows: list[list[Any]] = []
    ends = time.monotonic() + seconds
    for name, paths in groups:
        began = time.monotonic()
        if rows and began > ends:
            break
        size = sum(_read(file, limit) for path in paths for file in _files(path))
        rows.append([name, time.monotonic() - began, size])
    return rows


def _files(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(one.path for one in entries if one.name.endswith(".json"))
    except NotADirectoryError:
        return [path]
    except OSError:
        return []


def _read(path: str, limit: int) -> int:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return 0
    with open(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            return 0
        if seen.st_size <= limit:
            # What is broken is told by others.
            with contextlib.suppress(OSError, ValueError, RecursionError):
                json.loads(file.read(limit))
        return seen.st_size
