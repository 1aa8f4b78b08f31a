"""Which programs an image holds, from the layers that the engine hands out; nothing is run."""

from __future__ import annotations

import io
import json
import posixpath
import tarfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import IO

from plugins.endpoints.inside import Stream

_FOLDERS = frozenset({"bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"})
_HIDDEN = ".wh."  # a name that begins so takes what stood there away
_MANIFEST_LIMIT = 4 << 20
_BLOCK = 1 << 20


@dataclass
class _Layer:
    """What one layer brings, and what it takes away."""

    there: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


class Overflow(Exception):  # noqa: N818 - the engine's answer, not an error of ours
    """The image is larger than what we take in."""


def programs(chunks: Iterable[bytes], names: Collection[str], limit: int) -> frozenset[str]:
    """Return those of the names that are programs in the image.

    Args:
        chunks: of the archive that `docker save` gives.
        names: such as "sha256sum"; a link to a program is one.
        limit: bytes of the archive.

    Raises:
        Overflow: it is larger.
        ValueError, tarfile.TarError: it is no such archive.
    """
    layers: dict[str, _Layer] = {}
    order: list[str] = []
    stream = io.BufferedReader(Stream(_counted(chunks, limit)), _BLOCK)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # it keeps each that it saw
            file = archive.extractfile(member) if member.isreg() else None
            if file is None:
                continue
            if member.name == "manifest.json" and member.size < _MANIFEST_LIMIT:
                order = _order(file.read())
            elif not member.name.endswith(".json"):
                layers[member.name] = _layer(file, names)
    held: set[str] = set()
    for name in order:
        layer = layers.get(name, _Layer())
        held = {path for path in held if not _gone(path, layer)} | layer.there
    return frozenset(posixpath.basename(path) for path in held)


def _counted(chunks: Iterable[bytes], limit: int) -> Iterable[bytes]:
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > limit:
            raise Overflow
        yield chunk


def _order(content: bytes) -> list[str]:
    """Return the layers, the lowest first."""
    told = json.loads(content)
    try:
        return [str(name) for name in told[0]["Layers"]]
    except (LookupError, TypeError):
        raise ValueError("the image's manifest names no layers") from None


def _layer(file: IO[bytes], names: Collection[str]) -> _Layer:
    """Read a layer, compressed or not; a file of the archive that is none brings nothing."""
    found = _Layer()
    try:
        with tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]
                path = posixpath.normpath(member.name).lstrip("/")
                folder, name = posixpath.split(path)
                if name.startswith(_HIDDEN):
                    hides_all = name == ".wh..wh..opq"
                    gone = folder if hides_all else posixpath.join(folder, name[len(_HIDDEN) :])
                    found.gone.add(gone)
                elif folder in _FOLDERS and name in names and not member.isdir():
                    runs = member.issym() or member.islnk() or bool(member.mode & 0o111)
                    found.there |= {path} if runs else set()
    except (tarfile.ReadError, EOFError):
        return _Layer()
    return found


def _gone(path: str, layer: _Layer) -> bool:
    return any(path == gone or path.startswith(f"{gone}/") for gone in layer.gone)
