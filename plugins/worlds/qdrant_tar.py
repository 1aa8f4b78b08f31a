"""Snapshots of a world's Qdrant as tars with holes, as the server writes them.

The engine maps its files whole, 32 MiB each, with next to nothing in them.
"""

from __future__ import annotations

import os
import tarfile
from io import BytesIO
from pathlib import Path

_BLOCK = 512


def pack(archive: tarfile.TarFile, folder: Path) -> None:
    """Add everything below a folder; of a file's holes only their place (PAX sparse format 1.0)."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file():
            archive.add(path, name, recursive=False)
            continue
        with path.open("rb", buffering=0) as file:
            entry = archive.gettarinfo(arcname=name, fileobj=file)
            pieces = _pieces(file.fileno(), entry.size)
            if pieces == [(0, entry.size)] or not entry.size:
                file.seek(0)
                archive.addfile(entry, file)
                continue
            content = _map(pieces, entry.size)
            content += b"".join(os.pread(file.fileno(), length, start) for start, length in pieces)
            entry.pax_headers = {
                "GNU.sparse.major": "1",
                "GNU.sparse.minor": "0",
                "GNU.sparse.name": name,
                "GNU.sparse.realsize": str(entry.size),
            }
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Put everything back in its place, holes too; what would land elsewhere is refused.

    Raises:
        tarfile.TarError: it is not whole, or no such archive.
        OSError: there is no room.
    """
    archive.extractall(folder, filter="data")


def _pieces(descriptor: int, size: int) -> list[tuple[int, int]]:
    """Return (start, length) of what is not a hole."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < size:
        try:
            start = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            break
        at = os.lseek(descriptor, start, os.SEEK_HOLE)
        found.append((start, at - start))
    return found


def _map(pieces: list[tuple[int, int]], size: int) -> bytes:
    # A last piece of nothing tells where the file ends, as GNU tar writes it.
    rows = [*pieces, (size, 0)]
    numbers = [len(rows), *(number for row in rows for number in row)]
    text = "".join(f"{number}\n" for number in numbers).encode()
    return text + b"\0" * (-len(text) % _BLOCK)
