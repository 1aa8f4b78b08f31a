"""Whether one file begins with another; and a piece of a file. No link is followed on the way.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from typing import Any

from plugins.hands.tree import READING, at, identity

_BLOCK = 1 << 18
SEAM = 4096


def compare(pairs: list[list[Any]]) -> list[dict[str, Any]]:
    """Compare pairs of files as far as the shorter one goes.

    Args:
        pairs: [path, the folder that it lies in, the other's path and folder, bytes from the
            beginning that are known to be the same: of these only the last 4096 are read].

    Returns:
        Of each pair: common (bytes that are the same from the beginning), sizes, identities and
        ctimes (ns) of both as they were opened, and why: "" or what kept us from reading one.
    """
    return [_compared(*pair) for pair in pairs]


def _compared(one: str, top: str, other: str, root: str, known: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"common": 0, "sizes": [0, 0], "identities": ["", ""], "why": ""}
    answer["ctimes"] = [0, 0]
    first = second = -1
    try:
        first, second = opened(one, top), opened(other, root)
        seen = (os.fstat(first), os.fstat(second))
        answer["sizes"] = [status.st_size for status in seen]
        answer["identities"] = [identity(status) for status in seen]
        answer["ctimes"] = [status.st_ctime_ns for status in seen]
        until = min(answer["sizes"])
        answer["common"] = _common(first, second, max(0, min(known, until) - SEAM), until)
    except OSError as error:
        answer["why"] = f"{error.filename or one}: {error.strerror or error}"
    finally:
        for descriptor in (first, second):
            if descriptor >= 0:
                os.close(descriptor)
    return answer


def opened(path: str, top: str) -> int:
    """Open a regular file below a folder, never through a link and never waiting for a FIFO.

    A second name of another user's file is refused: who laid it there may not be able to read it.
    """
    with at(path, [top]) as (folder, name):
        # Opening a device may do something: what is none is told before.
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        descriptor = os.open(name, READING | os.O_CLOEXEC, dir_fd=folder)
        status, owner = os.fstat(descriptor), os.fstat(folder).st_uid
    why = "" if stat.S_ISREG(status.st_mode) else "it is no regular file"
    if status.st_nlink > 1 and status.st_uid != owner:
        why = "it has another name (hard link), and is not its folder's owner's"
    if why:
        os.close(descriptor)
        raise OSError(errno.EINVAL, why, path)
    return descriptor


def _common(first: int, second: int, begin: int, until: int) -> int:
    """Return up to where both are the same; before `begin` nothing is read."""
    place = begin
    while place < until:
        size = min(_BLOCK, until - place)
        one, other = os.pread(first, size, place), os.pread(second, size, place)
        if one != other or not one:
            return place + _same(one, other)
        place += len(one)
    return until


def _same(one: bytes, other: bytes) -> int:
    """Return the length of what two blocks have in common at their beginnings."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def pieces(rows: list[list[Any]]) -> list[str]:
    """Return, as latin-1 of the bytes, what stands at [path, top, offset, size] of each row."""
    found = []
    for path, top, offset, size in rows:
        try:
            descriptor = opened(path, top)
        except OSError:
            found.append("")
            continue
        try:
            found.append(os.pread(descriptor, size, offset).decode("latin-1"))
        finally:
            os.close(descriptor)
    return found


def against(blocks: Iterable[bytes], path: str, top: str) -> tuple[int, int]:
    """Compare what is handed out in blocks with a file; return the common bytes and the total."""
    common = total = 0
    descriptor = opened(path, top)
    try:
        for block in blocks:
            if common == total:
                common += _same(block, os.pread(descriptor, len(block), total))
            total += len(block)
    finally:
        os.close(descriptor)
    return common, total
