"""Which lines of a JSON-lines file are no JSON, or too long.

Standard library only and other eyes; a far host's python3 runs this source.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from plugins.eyes.tail import blocks, cursor_at, opened, resumed, unchanged, undecodable

ROWS = 1000


def json_lines(
    path: str,
    limit: int,
    known: dict[str, Any],
    seconds: float,
    follow: bool,
    decode: Callable[[bytes], object] = json.loads,
    refusals: tuple[type[Exception], ...] = (ValueError, RecursionError),
) -> dict[str, Any]:
    """Read what is new in a file of JSON lines and tell which lines are bad or too long.

    Args:
        path: a regular file; anything else is EPROTOTYPE.
        limit: bytes that a line may have.
        known: the cursor of the last call, {} at first.
        seconds: wall time; where it ends too early, the cursor's "unread" is not 0.
        follow: whether a last symbolic link is followed.
        decode: raises one of `refusals` for what is no JSON.

    The answer holds "lines", "undecodable", "bad" and "long" (rows of line number, from 1 at the
    first line read, and byte offset in the file; the first 1000 each), "bad_total", "long_total",
    "cut_last", "again" (the file started over), "read" (bytes) and "cursor".
    """
    descriptor, seen = opened(path, follow)
    try:
        begun = offset = resumed(descriptor, seen, known)
        found: dict[str, Any] = {
            **dict.fromkeys(("lines", "undecodable", "bad_total", "long_total"), 0),
            "bad": [],
            "long": [],
            "again": not offset,
        }
        ends = time.monotonic() + seconds
        done = unchanged(seen, known, offset)
        for block, start, end, over in () if done else blocks(descriptor, offset, seen, ends):
            lines = block.split(b"\n")
            lines.pop()
            if over or len(max(lines, key=len)) > limit or not _sound(lines, decode, refusals):
                _judge(lines, start, limit - over, found, decode, refusals)
            found["lines"] += len(lines)
            found["undecodable"] += undecodable(block)
            offset = end
        unread = 0 if done or time.monotonic() < ends else seen.st_size - offset
        if not (done or unread) and seen.st_size - offset > limit:
            found["long_total"] += 1
            found["long"] += [[found["lines"] + 1, offset]][: ROWS - len(found["long"])]
        found["cut_last"] = offset < seen.st_size and not unread
        found["read"] = offset - begun
        found["cursor"] = cursor_at(descriptor, seen, offset, unread)
        return found
    finally:
        os.close(descriptor)


def _sound(
    lines: list[bytes],
    decode: Callable[[bytes], object],
    refusals: tuple[type[Exception], ...],
) -> bool:
    try:
        deque(map(decode, lines), maxlen=0)
    except refusals:
        return False
    return True


def _judge(
    lines: list[bytes],
    offset: int,
    limit: int,
    found: dict[str, Any],
    decode: Callable[[bytes], object],
    refusals: tuple[type[Exception], ...],
) -> None:
    """Look at each line of a block that is not sound; an empty line is no record and no harm."""
    for number, line in enumerate(lines, found["lines"] + 1):
        kind = ""
        if len(line) > limit:
            kind = "long"
        elif line.strip() and not _sound([line], decode, refusals):
            kind = "bad"
        if kind:
            found[f"{kind}_total"] += 1
            if len(found[kind]) < ROWS:
                found[kind].append([number, offset])
        offset += len(line) + 1
