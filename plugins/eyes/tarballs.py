"""Compressed archives, read to their end in flat memory.

tarfile takes a broken header for the end, an archive without an end for whole, and the size that a
stranger names for a header for what it may take of memory. Here every header is looked at, headers
of headers are bounded, and what is not a document that was asked for is only passed over.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import gzip
import json
import os
import stat
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

BLOCK = 512
CHUNK = 1 << 20
_LONGEST_NAME = 1 << 20
_LARGEST_DOCUMENT = 64 << 20
_MOST_DOCUMENTS = 100
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NAMES = {b"L": "path", b"K": "linkpath"}
_WITHOUT_CONTENT = {b"1", b"2", b"3", b"4", b"5", b"6"}


class Fault(Exception):  # noqa: N818 - it is the archive that is at fault
    """What is wrong with an archive, in one sentence."""


class Late(Exception):  # noqa: N818 - the archive may be all right
    """The time for an archive was over."""


class Timed:
    """A file that is read for so many seconds and no longer; `digest` is fed what was read."""

    def __init__(self, file: Any, seconds: float, digest: Any = None) -> None:
        self._file = file
        self._ends = time.monotonic() + seconds
        self._digest = digest

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`."""
        if time.monotonic() > self._ends:
            raise Late
        block: bytes = self._file.read(size)
        if self._digest:
            self._digest.update(block)
        return block


class Member:
    """A member of an archive while it passes; what was not read of it is passed over.

    Attributes:
        name: as the archive has it.
        size: bytes of content.
        regular: whether it is a regular file.
        left: bytes of content that were not read yet.
    """

    def __init__(self, packed: Any, name: str, size: int, regular: bool) -> None:
        self._packed = packed
        self.name = name
        self.size = self.left = size
        self.regular = regular

    @property
    def parts(self) -> list[str]:
        """The parts of its name, those left out that lead nowhere."""
        return [part for part in self.name.split("/") if part not in ("", ".")]

    @property
    def astray(self) -> bool:
        """Whether its name leads out of the archive."""
        return self.name.startswith("/") or ".." in self.name.split("/")

    def read(self) -> bytes:
        """Return all its content."""
        self.left = 0
        content = _exactly(self._packed, self.size)
        if len(content) < self.size:
            raise EOFError
        return content


def read_through(path: str, documents: list[str], seconds: float) -> dict[str, Any]:
    """Read a tar.gz to its last byte.

    Args:
        path: a regular file; a link at its end is not followed.
        documents: base names of JSON documents to look for in the folder at the top of the archive
            and in the folders right below it.
        seconds: after which the reading is given up.

    Returns:
        fault: what is wrong with it, "" when it is whole; late: whether it was given up; members:
        how many were read; size: the bytes of all files in it; astray: a member that leads out of
        the archive, "" when none does; top: the names of the first two levels, at most 1000;
        filled: those of them below which a member stands, at most 1000; documents: for each that
        was found, 100 at most, by its name in the archive, "" or why it is no JSON object.
    """
    told: dict[str, Any] = {"size": 0, "astray": "", "documents": {}}
    top: set[str] = set()
    filled: set[str] = set()

    def visit(member: Member) -> None:
        told["size"] += member.size
        if member.astray:
            told["astray"] = told["astray"] or member.name
        parts = member.parts
        if len(top) < 1000:
            top.add("/".join(parts[:2]))
        if len(parts) > 2 and len(filled) < 1000:
            filled.add("/".join(parts[:2]))
        wanted = parts and parts[-1] in documents and len(parts) <= 3 and member.regular
        if wanted and len(told["documents"]) < _MOST_DOCUMENTS:
            told["documents"]["/".join(parts)] = _document(member)

    told |= read(path, seconds, visit)
    whole = not (told["fault"] or told["late"])
    told["top"], told["filled"] = (sorted(top), sorted(filled)) if whole else ([], [])
    return told


def read(path: str, seconds: float, visit: Callable[[Member], None]) -> dict[str, Any]:
    """Read a tar.gz to its last byte, and show each member as it passes.

    Returns:
        fault, late and members, as `read_through` tells them.
    """
    told: dict[str, Any] = {"fault": "", "late": False, "members": 0}
    with open(os.open(path, FLAGS), "rb") as raw:
        if fit(raw, told):
            with gzip.GzipFile(fileobj=raw, mode="rb") as packed:
                walk(Timed(packed, seconds), told, visit)
    return told


def fit(raw: Any, told: dict[str, Any]) -> bool:
    """Tell whether an open file may be an archive; write down why not."""
    status = os.fstat(raw.fileno())
    empty = "" if status.st_size else "it is empty"
    told["fault"] = fault = empty if stat.S_ISREG(status.st_mode) else "it is no regular file"
    return not fault


def walk(packed: Any, told: dict[str, Any], visit: Callable[[Member], None]) -> None:
    """Show each member of a tar, and write down how the reading ended."""
    try:
        for member in _members(packed):
            told["members"] += 1
            visit(member)
    except Late:
        told["late"] = True
    except Fault as fault:
        told["fault"] = str(fault)
    except gzip.BadGzipFile as error:
        stranger = told["members"] == 0 and "Not a gzipped" in str(error)
        told["fault"] = "it is no gzip file" if stranger else f"it is broken: {error}"
    except EOFError:
        told["fault"] = "it is cut: its end is missing"
    except (zlib.error, tarfile.TarError, ValueError) as error:
        told["fault"] = f"it is broken: {error}"


def _members(packed: Any) -> Iterator[Member]:
    while True:
        header = _exactly(packed, BLOCK)
        if not header:
            raise Fault("it has no end mark: the archiving was broken off")
        if not header.strip(b"\0"):
            break
        member = Member(packed, *_member(packed, header))
        yield member
        _skip(packed, member.left + -member.size % BLOCK)
    while block := packed.read(CHUNK):
        if block.strip(b"\0"):
            raise Fault("it is broken: something follows its end mark")


def _ordinary(header: bytes) -> tuple[str, int] | None:
    """Return name and size of a regular file with a short name, as nearly all are, else None."""
    # The type is that of a file, and no part of its name stands elsewhere.
    if header[156:157] != b"0" or header[257:262] != b"ustar" or header[345]:
        return None
    size, told = header[124:136].rstrip(b"\0 "), header[148:156].strip(b"\0 ")
    if not (size.isdigit() and told.isdigit()):
        return None
    try:
        # The sum is taken as if blanks stood in its own place.
        if int(told, 8) != sum(header) - sum(header[148:156]) + 8 * 32:
            return None
        name = header[:100].partition(b"\0")[0].decode("utf-8", "surrogateescape")
        return name, int(size, 8)
    except ValueError:
        return None


def _member(packed: Any, header: bytes) -> tuple[str, int, bool]:
    """Read a member's header, with those that stand before it to say what has no room in it.

    Returns:
        its name, the bytes of its content, and whether it is a regular file.
    """
    said: dict[str, str] = {}
    while True:
        plain = _ordinary(header)
        if plain is not None:
            size = int(said.get("size", plain[1]))
            return said.get("path", plain[0]), size, True
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if member.type == b"S":
            _sparse(packed, header)
        if member.type not in (b"L", b"K", b"x", b"g", b"X"):
            size = int(said.get("size", member.size))
            if size < 0:
                raise Fault(f"it is broken: a member of it has {size} bytes")
            size = 0 if member.type in _WITHOUT_CONTENT else size
            return said.get("path", member.name), size, member.isreg()
        if not 0 <= member.size <= _LONGEST_NAME:
            raise Fault(f"it is broken: a header in it says that it has {member.size} bytes")
        text = _exactly(packed, member.size)
        _skip(packed, -member.size % BLOCK)
        if member.type in _NAMES:
            said[_NAMES[member.type]] = text.rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif member.type != b"g":
            said |= _records(text)
        header = _exactly(packed, BLOCK)
        if len(header) < BLOCK:
            raise EOFError


def _records(text: bytes) -> dict[str, str]:
    """Read the path and the size of an extended header: lines of "length key=value"."""
    found: dict[str, str] = {}
    text = text.rstrip(b"\0")
    at = 0
    while at < len(text):
        length, _, _ = text[at : at + 8].partition(b" ")
        if not length.isdigit() or not len(length) < 8 or not 4 < int(length) <= len(text) - at:
            raise Fault("it is broken: an extended header in it cannot be read")
        key, _, value = text[at + len(length) + 1 : at + int(length) - 1].partition(b"=")
        if key == b"path" or (key == b"size" and value.isdigit() and len(value) < 19):
            found[key.decode()] = value.decode("utf-8", "surrogateescape")
        at += int(length)
    return found


def _sparse(packed: Any, header: bytes) -> None:
    """Pass over the maps of a sparse file, which stand before its content."""
    more = header[482:483] not in (b"", b"\0")
    while more:
        block = _exactly(packed, BLOCK)
        if len(block) < BLOCK:
            raise EOFError
        more = block[504:505] != b"\0"


def _document(member: Member) -> str:
    """Return why a document is no JSON object, or an empty string; its text is let go."""
    if member.size > _LARGEST_DOCUMENT:
        return f"it has {member.size} bytes"
    return fault_of(member.read())


def fault_of(text: bytes) -> str:
    """Return why a text is no JSON object, without any of it; an empty string when it is one."""
    try:
        said = json.loads(text)
    except json.JSONDecodeError as error:
        return "it is empty" if not text.strip() else f"it is no JSON (line {error.lineno})"
    except (ValueError, RecursionError):
        return "it is no JSON that can be read"
    return "" if isinstance(said, dict) else "it is no JSON object"


def _exactly(packed: Any, size: int) -> bytes:
    """Return the next bytes, fewer only where the archive ends; none where it ends at once."""
    parts = []
    left = size
    while left and (part := packed.read(left)):
        parts.append(part)
        left -= len(part)
    if left and parts and size == BLOCK:
        raise EOFError
    return b"".join(parts)


def _skip(packed: Any, size: int) -> None:
    while size:
        if not (block := packed.read(min(size, CHUNK))):
            raise EOFError
        size -= len(block)
