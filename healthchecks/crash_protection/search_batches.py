"""The index on disk: batches of words, each written once and never changed.

A batch holds, for the pieces of conversations that were read for it, the words that stand in
several of its groups once, with a mask that tells in which, and the words of one group beside one
another. To look a run up is to search a few MB for it. What is in a batch is as private as the
conversations: the folder is 0700 and each file 0600.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from healthchecks.crash_protection.search_words import Needle, is_hex

VERSION = 1
GROUPS = 64  # as many as a mask has bits
_DAY = 86_400
_NAME = re.compile(r"\d{20}-\d+\.words")


class Row(msgspec.Struct, array_like=True, frozen=True):
    """A file as it was read: its path (bytes as Latin-1), its identity, and its pieces in order.

    Args:
        path: of the file.
        identity: of what was read.
        pieces: digest and bytes of each.
        loose: whether a line of it was too long to be indexed, so that it must always be read.
    """

    path: str
    identity: str
    pieces: list[tuple[str, int]]
    loose: bool


class Head(msgspec.Struct):
    """What stands at the head of a batch.

    Args:
        version: of the way in which words are made.
        rows: the files that were read.
        pieces: digest -> the group that holds its words.
        size: bytes of conversations that the words are of.
        common: how many words stand in several groups, and bytes of them.
        plain: where the plain words of each group begin and end.
        hexes: the same for words of hexadecimal digits.
    """

    version: int
    rows: list[Row]
    pieces: dict[str, int]
    size: int
    common: tuple[int, int]
    plain: list[tuple[int, int]]
    hexes: list[tuple[int, int]]


@dataclass
class Draft:
    """A batch in the making; when it is full it is written, and another one begun.

    Args:
        folder: of the index.
        room: bytes of small pieces after which their group is full.
    """

    folder: Path
    room: int = 1 << 20
    rows: list[Row] = field(default_factory=list)
    pieces: dict[str, int] = field(default_factory=dict)
    size: int = 0
    groups: int = 0
    _words: dict[bytes, int] = field(default_factory=dict)
    _shared: int = 0
    _left: int = 0

    def add(self, digest: str, size: int, words: set[bytes]) -> None:
        """Add the words of a piece, to a group of its own or to one of small ones with room."""
        group = self._shared if size <= self._left else self.groups
        if group == GROUPS or (group == self.groups and len(self._words) > 1_500_000):
            self.write()
            group = 0
        self.groups = max(self.groups, group + 1)
        if size <= self._left and group == self._shared:
            self._left -= size
        elif size <= self.room // 2:
            # The next small one comes here too: what is found is then looked for in all of them.
            self._shared, self._left = group, self.room - size
        self.size += size
        self.pieces[digest] = group
        known, bit = self._words, 1 << group
        for word in words:
            known[word] = known.get(word, 0) | bit

    def write(self) -> None:
        """Write it whole, or not at all, and begin another."""
        if not (self.rows or self.pieces):
            return
        common = {word: mask for word, mask in self._words.items() if mask & (mask - 1)}
        plain: list[list[bytes]] = [[] for _ in range(self.groups)]
        hexes: list[list[bytes]] = [[] for _ in range(self.groups)]
        for word, mask in self._words.items():
            if not mask & (mask - 1):
                (hexes if is_hex(word) else plain)[mask.bit_length() - 1].append(word)
        starts, blobs = array("Q"), [_between_breaks(common)]
        at = 0
        for word in common:
            starts.append(at)
            at += len(word) + 1
        head = Head(
            version=VERSION,
            rows=self.rows,
            pieces=self.pieces,
            size=self.size,
            common=(len(common), len(blobs[0])),
            plain=_laid(plain, blobs),
            hexes=_laid(hexes, blobs),
        )
        written = msgspec.json.encode(head)
        first = len(written).to_bytes(8, sys.byteorder) + written
        tables = starts.tobytes() + array("Q", common.values()).tobytes()
        _stored(self.folder, (first, tables, *blobs))
        self.rows, self.pieces, self.size, self.groups = [], {}, 0, 0
        self._words, self._shared, self._left = {}, 0, 0


def _stored(folder: Path, parts: Iterable[bytes]) -> None:
    """Write a batch whole, or leave no trace of it."""
    name = f"{time.time_ns():020d}-{os.getpid()}.words"
    temporary = folder / f".{name}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def clear(folder: Path) -> None:
    """Take away what processes began to write and never will end: they were killed a day ago."""
    for path in folder.glob(".*.words.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > _DAY:
                path.unlink()


def _between_breaks(words: Iterable[bytes]) -> bytes:
    return b"\n" + b"".join(word + b"\n" for word in words)


def _laid(groups: list[list[bytes]], blobs: list[bytes]) -> list[tuple[int, int]]:
    """Lay the words of each group behind what is there; return where they begin and end."""
    spans, at = [], sum(map(len, blobs))
    for words in groups:
        blobs.append(_between_breaks(words))
        spans.append((at, at + len(blobs[-1])))
        at += len(blobs[-1])
    return spans


class Batch:
    """A batch on disk.

    Args:
        path: of its file.

    Raises:
        ValueError, OSError: it is none that this version wrote, or it is cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), sys.byteorder)
            size = os.fstat(file.fileno()).st_size
            if not 0 < length < size:
                raise ValueError("a batch that is cut")
            self.head = msgspec.json.decode(file.read(length), type=Head)
        head = self.head
        self._tables = 8 + length
        self._blob = self._tables + 16 * head.common[0]
        ends = max((end for _, end in (*head.plain, *head.hexes)), default=head.common[1])
        if head.version != VERSION or self._blob + ends != size:
            raise ValueError("a batch of another version, or a cut one")

    def groups(self, needle: Needle) -> int:
        """Return the mask of the groups in which every run of the needle is part of some word."""
        found = (1 << len(self.head.plain)) - 1
        if not needle.wants:
            return found
        with self.path.open("rb") as file:
            hexes = any(is_hex(form.strip()) for forms in needle.wants for form in forms)
            spans = self.head.hexes if hexes else self.head.plain
            end = spans[-1][1] if spans else self.head.common[1]
            file.seek(self._tables)
            blob = file.read(self._blob - self._tables + end)
        for forms in needle.wants:
            held = 0
            for form in forms:
                held |= self._holding(blob, form, found & ~held)
            found &= held
            if not found:
                break
        return found

    def _holding(self, blob: bytes, form: bytes, wanted: int) -> int:
        """Return the mask of those of the wanted groups that have a word with this in it."""
        count, length = self.head.common
        offset = 16 * count
        starts, masks = array("Q", blob[: 8 * count]), array("Q", blob[8 * count : offset])
        held, at = 0, blob.find(form, offset, offset + length)
        while at >= 0 and wanted & ~held:
            number = bisect_right(starts, at - offset) - 1
            held |= masks[number]
            after = starts[number + 1] + offset if number + 1 < count else offset + length
            at = blob.find(form, after, offset + length)
        for spans in (self.head.plain, self.head.hexes if is_hex(form.strip()) else []):
            for group, (start, end) in enumerate(spans):
                if wanted & ~held & (1 << group):
                    held |= (blob.find(form, offset + start, offset + end) >= 0) << group
        return held & wanted


def batches(folder: Path) -> list[Batch]:
    """Return the batches of a folder, the oldest first; what is none is passed over."""
    found = []
    for name in sorted(os.listdir(folder)):
        if _NAME.fullmatch(name):
            try:
                found.append(Batch(folder / name))
            except (ValueError, OSError, msgspec.MsgspecError):
                continue
    return found
