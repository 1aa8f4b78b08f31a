"""Which files of JSON lines hold a line that is no record: no object, or without a field.

Standard library only and other eyes; a far host's python3 runs this source.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from plugins.eyes.tail import cursor_at, opened, resumed

PIECE = 1 << 20
LONGEST = 64 << 20  # bytes of a line that is still taken in


def plain(field: str) -> Callable[[bytes], object]:
    """Return a judge of lines that the standard library has: it raises for what is no record."""

    def judge(line: bytes) -> object:
        found = json.loads(line)
        if not isinstance(found, dict) or not isinstance(found.get(field), str):
            raise ValueError("it is no object with this field")
        return found

    return judge


def records(
    paths: list[str],
    field: str,
    known: dict[str, Any],
    seconds: float,
    judge: Callable[[bytes], object] | None = None,
) -> dict[str, Any]:
    """Judge each complete line of files of JSON lines; what is unchanged is not read again.

    Args:
        paths: the files.
        field: a text that every record has.
        known: what the last call answered under "files", {} at first.
        seconds: wall time for all; what was read until then is in the answer.
        judge: raises ValueError or RecursionError for what is no record; None for the standard
            library's.

    The answer holds "files" (path -> a row with "bad", the number of the first bad line from 1 or
    0; "long", the same for lines that were too long to be judged; "size"; "error", 0 or an errno;
    "cursor"), "unread" (paths that time did not reach) and "read" (bytes).
    """
    ends = time.monotonic() + seconds
    found: dict[str, Any] = {}
    unread: list[str] = []
    read = 0
    for path in paths:
        row = known.get(path)
        if time.monotonic() >= ends:
            found |= {path: row} if row else {}
            unread.append(path)
            continue
        try:
            found[path], bytes_read = _file(path, row or {}, ends, judge or plain(field))
        except OSError as error:
            found[path] = {"bad": 0, "long": 0, "size": 0, "error": error.errno or 5, "cursor": {}}
            continue
        read += bytes_read
        if found[path]["cursor"]["unread"]:
            unread.append(path)
    return {"files": found, "unread": unread, "read": read}


def _file(
    path: str,
    row: dict[str, Any],
    ends: float,
    judge: Callable[[bytes], object],
) -> tuple[dict[str, Any], int]:
    status = os.lstat(path)
    cursor = row.get("cursor") or {}
    same = [status.st_dev, status.st_ino] == cursor.get("file")
    same = same and cursor["size"] == status.st_size and not cursor["unread"]
    if same and cursor.get("times") == [status.st_mtime_ns, status.st_ctime_ns]:
        return row, 0
    descriptor, seen = opened(path, follow=False)
    try:
        begun = resumed(descriptor, seen, cursor) if cursor else 0
        # A bad line is told once: what comes behind it changes nothing.
        state = {"line": row["line"], "bad": row["bad"], "long": row["long"]} if begun else {}
        told = {"line": 0, "bad": 0, "long": 0, **state}
        offset = _through(descriptor, begun, seen.st_size, ends, told, judge)
        late = time.monotonic() >= ends and not told["bad"]
        unread = seen.st_size - offset if late else 0
        told |= {"size": seen.st_size, "error": 0}
        told["cursor"] = cursor_at(descriptor, seen, offset, unread)
        return told, offset - begun
    finally:
        os.close(descriptor)


def _through(
    descriptor: int,
    offset: int,
    size: int,
    ends: float,
    told: dict[str, int],
    judge: Callable[[bytes], object],
) -> int:
    """Judge line by line up to the size; return where the last complete line ends."""
    parts: list[bytes] = []
    held = 0  # bytes of the line that is not over, kept or not
    place = offset
    while place < size and not told["bad"] and time.monotonic() < ends:
        piece = os.pread(descriptor, min(PIECE, size - place), place)
        if not piece:
            break
        place += len(piece)
        head, end, rest = piece.rpartition(b"\n")
        if not end:
            held += len(piece)
            parts = [*parts, piece] if held <= LONGEST else []
            continue
        first, _, others = head.partition(b"\n")
        whole = b"".join([*parts, first])
        lines = others.split(b"\n") if b"\n" in head else []
        if held + len(first) > LONGEST:
            told["long"] = told["long"] or told["line"] + 1
            whole = b""
        _judge([whole, *lines], told, judge)
        parts, held = [rest], len(rest)
        offset = place - len(rest)
    return offset


def _judge(
    lines: list[bytes],
    told: dict[str, int],
    judge: Callable[[bytes], object],
) -> None:
    """Judge complete lines; an empty one is no record and no harm."""
    for line in lines:
        told["line"] += 1
        if line and line.strip() and not told["bad"]:
            try:
                judge(line)
            except (ValueError, RecursionError):
                told["bad"] = told["line"]
