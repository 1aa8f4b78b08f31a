"""Files inside a container, as the Docker engine hands them out: a tar stream, whatever runs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Inside:
    """A regular file or folder in a container: bytes, and nanoseconds since 1970."""

    path: str
    folder: bool
    size: int
    mtime_ns: int
    mode: int


class Stream(io.RawIOBase):
    """The engine's chunks as a file that is read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def readinto(self, room: Any) -> int:
        """Fill the room with what comes next."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        count = min(len(room), len(self._left))
        room[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def listed(chunks: Iterable[bytes], top: str, ending: str) -> Iterator[Inside]:
    """Yield the folders, and the files whose names end so, of a tar stream of the folder `top`."""
    above = top.rstrip("/").rpartition("/")[0]
    stream = io.BufferedReader(Stream(chunks), _BLOCK)
    with tarfile.open(fileobj=stream, mode="r|", errorlevel=0) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # it keeps each that it saw
            path = f"{above}/{member.name.rstrip('/')}"
            wanted = member.isreg() and path.endswith(ending)
            if member.isdir() or wanted:
                moment = int(float(member.mtime) * 1e9)
                yield Inside(path, member.isdir(), member.size, moment, member.mode & 0o7777)


def content(chunks: Iterable[bytes], size: int = _BLOCK) -> Iterator[bytes]:
    """Yield the blocks of the one regular file in a tar stream.

    Raises:
        ValueError: it holds none, something else stands first, or it is cut.
    """
    stream = io.BufferedReader(Stream(chunks), _BLOCK)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            member = archive.next()
            file = archive.extractfile(member) if member and member.isreg() else None
            if file is None:
                raise ValueError("it is no regular file")
            while block := file.read(size):
                yield block
    except tarfile.TarError as error:
        raise ValueError(f"the engine broke off: {error}") from None


def standing(path: str, told: dict[str, Any]) -> Inside:
    """Read the engine's account of one path."""
    mode = int(told.get("mode", 0))
    moment = str(told.get("mtime", ""))
    whole, _, rest = moment.partition(".")
    digits = "".join(c for c in rest[:9] if c.isdigit())
    zone = rest[len(digits) :] if rest else ""
    try:
        seconds = int(datetime.fromisoformat(whole + (zone or "")).timestamp())
    except ValueError:
        seconds = 0
    # Go's own bits, not the kernel's: the highest is a folder.
    nanoseconds = seconds * 10**9 + int(digits.ljust(9, "0"))
    return Inside(path, bool(mode >> 31), int(told.get("size", 0)), nanoseconds, mode & 0o777)
