"""The file of a bundle: a tar of plain files, compressed with zstd; it is never laid out on a disk.

What is read may come from anybody: it is read in memory, up to limits, and nothing but files with
plain names counts.
"""

from __future__ import annotations

import io
import os
import re
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

FIRST = "manifest.json"
LARGEST_FILE = 64 << 20  # bytes, of one file in a bundle
LARGEST = 256 << 20  # bytes, of all that is in one
_LARGEST_PACKED = 128 << 20
_MOST = 2000
_LONGEST = 200
_WINDOW = 1 << 27  # zstd asks for so much memory at most
_NAME = re.compile(r"[a-z0-9_]+(?:[./-][a-z0-9_]+)*")


class NoBundle(Exception):  # noqa: N818 - a usage error, shown as one sentence
    """A file that is no bundle, or none that can be read."""


def packed(members: Mapping[str, bytes], moment: float) -> bytes:
    """Return the bundle of these files: the manifest first, then by name, whatever their order.

    Args:
        members: name -> content.
        moment: seconds since 1970, which all of them are dated.
    """
    import zstandard

    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(members, key=lambda name: (name != FIRST, name)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(members[name]), int(moment), 0o600
            tar.addfile(entry, io.BytesIO(members[name]))
    return zstandard.ZstdCompressor(level=9, write_checksum=True).compress(held.getvalue())


class _Bounded(io.RawIOBase):
    """A stream that ends in `NoBundle` beyond a limit: a small file may hold endless zeros."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = LARGEST

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(block)
        if self._left < 0:
            raise NoBundle(f"it holds more than {LARGEST >> 20} MiB")
        return block


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the files of a bundle, by name.

    Raises:
        NoBundle: it is none, it is broken, or it holds more than a bundle does.
    """
    import zstandard

    found: dict[str, bytes] = {}
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        stream = _Bounded(unpacker.stream_reader(io.BytesIO(content)))
        with tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 16) as tar:
            for number, entry in enumerate(tar):
                found[_named(entry, number, found)] = _read(tar, entry)
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError, RecursionError) as error:
        raise NoBundle(f"it is no bundle, or it was cut: {type(error).__name__}") from None
    if FIRST not in found:
        raise NoBundle(f"it is no bundle: there is no {FIRST} in it")
    return found


def _named(entry: tarfile.TarInfo, number: int, found: Mapping[str, bytes]) -> str:
    plain = entry.type == tarfile.REGTYPE and len(entry.name) <= _LONGEST
    if not plain or not _NAME.fullmatch(entry.name) or entry.name in found:
        raise NoBundle("it holds something else than files with plain names, each once")
    if entry.size > LARGEST_FILE or number >= _MOST:
        raise NoBundle("it holds more, or larger, files than a bundle does")
    return entry.name


def _read(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(entry)
    content = stream.read() if stream is not None else b""
    if len(content) != entry.size:
        raise NoBundle("it was cut")
    return content


def content_of(path: Path) -> bytes:
    """Return what stands in a regular file; raises `NoBundle` where that cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode):
                raise NoBundle("it is no regular file")
            if seen.st_size > _LARGEST_PACKED:
                raise NoBundle(f"it is larger than {_LARGEST_PACKED >> 20} MiB")
            return file.read(_LARGEST_PACKED)
    except OSError as error:
        raise NoBundle(str(error.strerror)) from None
