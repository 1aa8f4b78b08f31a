"""A log's complete lines, memory flat, and where reading ended.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator

PIECE = 1 << 20


def opened(path: str, follow: bool) -> tuple[int, os.stat_result]:
    """Open a regular file for reading without ever waiting; anything else is EPROTOTYPE."""
    first = os.stat(path, follow_symlinks=follow)
    if stat.S_ISLNK(first.st_mode):
        raise OSError(errno.ELOOP, "is a symbolic link", path)
    if not stat.S_ISREG(first.st_mode):
        raise OSError(errno.EPROTOTYPE, "is not a regular file", path)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    seen = os.fstat(descriptor)
    if not stat.S_ISREG(seen.st_mode):
        os.close(descriptor)
        raise OSError(errno.EPROTOTYPE, "is not a regular file", path)
    return descriptor, seen


def cursor_at(descriptor: int, seen: os.stat_result, offset: int, unread: int) -> dict[str, object]:
    """Say where reading ended, so that the next run knows the same file again."""
    size = min(offset, 4096)
    tail = os.pread(descriptor, size, offset - size)
    return {
        "file": [seen.st_dev, seen.st_ino],
        "size": seen.st_size,
        "times": [seen.st_mtime_ns, seen.st_ctime_ns],
        "offset": offset,
        "unread": unread,
        "tail": hashlib.sha256(tail).hexdigest(),
    }


def resumed(descriptor: int, seen: os.stat_result, known: dict[str, object]) -> int:
    """Return the offset to go on from, 0 when it is not the file that the cursor is about.

    A file that was rotated, cut, or rewritten at the same size or in its tail starts over.
    """
    if known.get("file") != [seen.st_dev, seen.st_ino]:
        return 0
    offset, size = known["offset"], known["size"]
    if not isinstance(offset, int) or not isinstance(size, int) or seen.st_size < size:
        return 0
    # Who writes may set the one time back, but not the other.
    if seen.st_size == size and [seen.st_mtime_ns, seen.st_ctime_ns] != known.get("times"):
        return 0
    same = cursor_at(descriptor, seen, offset, 0)["tail"] == known["tail"]
    return offset if same else 0


def unchanged(seen: os.stat_result, known: dict[str, object], offset: int) -> bool:
    """Whether all that the file can give was read: a last line without its end gives nothing."""
    return bool(offset and known["size"] == seen.st_size and not known["unread"])


def blocks(
    descriptor: int, offset: int, seen: os.stat_result, ends: float
) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield complete lines: the bytes, where they begin and end, and what was cut.

    A line longer than a MiB comes alone, cut to its first MiB; the last number is the count of its
    bytes that were dropped. What the file grows by meanwhile is left for the next run.
    """
    head = b""
    over = 0
    begin = place = offset
    while place < seen.st_size and time.monotonic() < ends:
        piece = os.pread(descriptor, min(PIECE, seen.st_size - place), place)
        if not piece:
            return
        place += len(piece)
        first = piece.find(b"\n")
        if first < 0:
            room = PIECE - len(head)
            over += max(0, len(piece) - room)
            head += piece[:room]
            continue
        if over or len(head) + first > PIECE:
            over += max(0, len(head) + first - PIECE)
            end = place - len(piece) + first + 1
            yield (head + piece[:first])[:PIECE] + b"\n", begin, end, over
            head, over, begin, piece = b"", 0, end, piece[first + 1 :]
        last = piece.rfind(b"\n") + 1
        if last:
            end = place - len(piece) + last
            yield head + piece[:last], begin, end, 0
            head, begin = piece[last:], end
        else:
            head += piece


def undecodable(block: bytes) -> int:
    """Count the lines that are not UTF-8."""
    if block.isascii():
        return 0
    try:
        block.decode()
    except UnicodeDecodeError:
        return sum(line != line.decode("utf-8", "ignore").encode() for line in block.split(b"\n"))
    return 0


def check(path: str, follow: bool) -> None:
    """Raise the OSError that reading the file would begin with."""
    descriptor, _ = opened(path, follow)
    os.close(descriptor)
