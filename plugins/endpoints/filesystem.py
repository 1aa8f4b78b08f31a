"""Files, folders and the room they lie in."""

from __future__ import annotations

import base64
import copy
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

from plugins.endpoints.errors import in_words, outcome_of, shown
from plugins.endpoints.memory import Memory
from plugins.endpoints.tracing import Recording, Trace
from plugins.eyes import endings, files, marks, metadata, mounts
from plugins.hosts import Host
from plugins.outcomes import CannotTell, WrongKind

T = TypeVar("T")

# Their names must fit into a command line for a far host.
_AT_ONCE = 256

Kind = Literal["file", "folder", "link", "fifo", "socket", "device"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder, itself and not what it points to.

    `size` is bytes, `mode` the permission bits, `mtime_ns` nanoseconds since 1970; `owner` is a
    login name or, where there is none, the number; `target` is what a link says, else empty.
    """

    path: str
    kind: Kind
    size: int
    mode: int
    uid: int
    gid: int
    owner: str
    mtime_ns: int
    inode: int
    device: int
    links: int
    target: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(self.path)

    @property
    def mtime(self) -> float:
        """Seconds since 1970 of the last change of the content."""
        return self.mtime_ns / 1e9

    @property
    def identity(self) -> str:
        """Changes when another thing stands at the path, or its content was written."""
        return f"{self.device}:{self.inode}:{self.size}:{self.mtime_ns}"


@dataclass(frozen=True, slots=True)
class Room:
    """The file system that holds a path.

    `path` is the nearest parent that exists, links followed; `total` and `free` are bytes, `free`
    what an ordinary user may still take; the percentages are df's, 0 to 100. `inodes_total` is 0
    where the file system does not count them. `device` and `kind` are empty where no mount table
    can be read. `read_only` is how it is mounted.
    """

    path: str
    mount: str
    device: str
    kind: str
    total: int
    free: int
    used_percent: float
    inodes_total: int
    inodes_used_percent: float
    read_only: bool


class Sighting(NamedTuple):
    """A regular file, where thousands of them are looked at: what lstat says, times in ns."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    mode: int
    uid: int
    links: int

    @property
    def identity(self) -> str:
        """Changes when another thing stands at the path, or its content was written."""
        return f"{self.device}:{self.inode}:{self.size}:{self.mtime_ns}"


@dataclass(frozen=True, slots=True)
class Below:
    """What lies below a folder: files, and (path, what it is) of what is none or was not seen."""

    files: tuple[Sighting, ...]
    odd: tuple[tuple[str, str], ...]
    unread: tuple[tuple[str, str], ...]


class Filesystem:
    """Looks at a host's files; what is not content is asked once in a look.

    Every method may raise `NoPermission` for what we may not see, `NotThere`, `WrongKind` for
    links, loops, FIFOs and the like, `TooBig` over its limit, and `CannotTell` when a disk does not
    answer.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory = Memory()

    @property
    def memory(self) -> Memory:
        """What was asked in this look."""
        return self._memory

    def traced(self, trace: Trace) -> Filesystem:
        """Return the same endpoint, for one probe: all that it asks is noted in the trace."""
        other = copy.copy(self)
        other._memory = Recording(self._memory, trace)
        return other

    def _marked(self, paths: Sequence[str], follow: bool) -> None:
        """Note which content is about to be read, where that is traced; before it is read."""
        if isinstance(self._memory, Recording):
            ask = partial(self._host.call, marks.marks, list(paths), follow)
            self._memory.once((marks.marks, tuple(paths), follow), ask)

    def look(self, path: str) -> Entry | None:
        """Return what stands at a path, a link itself when it is one, or None when nothing does."""
        row = self._remembered(path, 0, files.look, path)
        return None if row is None else Entry(**row)

    def exists(self, path: str) -> bool:
        """Tell whether something stands at a path; a dangling link does."""
        return self.look(path) is not None

    def resolve(self, path: str) -> str:
        """Follow all links; raises `NotThere` when one dangles and `WrongKind` when they loop."""
        return self._remembered(path, 0, files.resolve, path)

    def folder(self, path: str, *, limit: int = 200_000, follow: bool = False) -> tuple[Entry, ...]:
        """Return the entries of a folder, sorted by name; `follow` a link that names the folder."""
        return self._entries(path, limit, files.folder, path, limit, follow)

    def walk(
        self, path: str, *, depth: int = 64, limit: int = 200_000, lenient: bool = False
    ) -> tuple[Entry, ...]:
        """Return all entries below a folder, parents first, no link followed.

        Args:
            path: the folder.
            depth: 1 is the folder's own entries.
            limit: entries, over which it is `TooBig`.
            lenient: pass over folders that we may not read instead of raising `NoPermission`.
        """
        return self._entries(path, limit, files.walk, path, depth, limit, lenient)

    def below(
        self,
        top: str,
        ending: str,
        *,
        depth: int = 16,
        limit: int = 1_000_000,
        follow: bool = True,
    ) -> Below:
        """Return the files below a folder whose names end so; see the eye `endings`."""

        host = self._host

        def ask() -> Below:
            told = host.call(endings.below, top, ending, depth, limit, follow)
            odd, unread = ([(path, words) for path, words in told[k]] for k in ("odd", "unread"))
            return Below(tuple(Sighting(*row) for row in told["files"]), tuple(odd), tuple(unread))

        with in_words(top, limit):
            return self._memory.once((endings.below, top, ending, depth, limit, follow), ask)

    def du(self, path: str, *, limit: int = 1_000_000, lenient: bool = False) -> int:
        """Return the bytes of disk that a file or tree takes; `limit` counts entries."""
        return self._remembered(path, limit, files.occupied, path, limit, lenient)

    def room(self, path: str) -> Room:
        """Return how full the file system is that holds, or would hold, a path."""
        return Room(**self._remembered(path, 0, mounts.room, path))

    def may(self, path: str, uid: int, gids: Sequence[int], wanted: str = "r") -> bool:
        """Tell whether a user could do `wanted` (of the letters rwx) with a path, by the mode bits.

        All parent folders must let the user through; ACLs and read-only mounts are not seen.
        """
        return self._remembered(path, 0, files.may, path, uid, list(gids), wanted)

    def read(self, path: str, limit: int = 1 << 20, follow: bool = False) -> bytes:
        """Return the content of a regular file; it is not kept, so ask once.

        Args:
            path: the file.
            limit: bytes, over which it is `TooBig` without a byte being read.
            follow: follow a link at the end of the path; FIFOs and devices are refused still.
        """
        with in_words(path, limit):
            self._marked((path,), follow)
            return base64.b64decode(self._host.call(files.read, path, limit, follow))

    def contents(
        self, paths: Sequence[str], limit: int = 1 << 20, follow: bool = False
    ) -> Iterator[tuple[str, bytes | CannotTell]]:
        """Yield each path with its content, or with why that cannot be told, which is not raised.

        For thousands of files: a few hundred are read at a time, in one round trip.
        """
        for start in range(0, len(paths), _AT_ONCE):
            some = list(paths[start : start + _AT_ONCE])
            with in_words(some[0], limit):
                self._marked(some, follow)
                answers = self._host.call(files.read_each, some, limit, follow)
            for path, (content, number, words) in zip(some, answers, strict=True):
                if number:
                    yield path, outcome_of(OSError(number, words, path), path, limit)
                else:
                    yield path, base64.b64decode(content)

    def survey(
        self, top: str, file: str, fields: tuple[str, ...], limit: int
    ) -> dict[str, list[metadata.Row]]:
        """Read the JSON file of one name in every folder of a folder; see the eye of this name.

        What the files say is kept for the look, as several probes ask for it.
        """
        return self._remembered(top, limit, metadata.survey, top, file, list(fields), limit)

    def tail(self, path: str, size: int, follow: bool = False) -> bytes:
        """Return the last `size` bytes of a regular file of any size."""
        with in_words(path, size):
            self._marked((path,), follow)
            return base64.b64decode(self._host.call(files.tail, path, size, follow))

    def text(self, path: str, limit: int = 1 << 20, follow: bool = False) -> str:
        """Return a file's text; bytes that are not UTF-8 stand as backslash escapes."""
        return self.read(path, limit, follow).decode("utf-8", "backslashreplace")

    def json(self, path: str, limit: int = 16 << 20, follow: bool = False) -> object:
        """Return the value of a JSON file; `WrongKind` says where it breaks, not what is there."""
        content = self.read(path, limit, follow)
        # The error holds the whole text, which may be a secret: it ends here.
        try:
            return json.loads(content)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno} column {error.colno}"
        except UnicodeDecodeError as error:
            where = f"not UTF-8 at byte {error.start}"
        except RecursionError:
            where = "nested too deeply"
        except ValueError:
            where = "a number is too long"
        raise WrongKind(f"{shown(path)} is not JSON: {where}")

    def _entries(
        self, path: str, limit: int, eye: Callable[..., list[dict[str, Any]]], *args: object
    ) -> tuple[Entry, ...]:
        """Return the entries that an eye sees; they are kept, its rows are not."""

        host = self._host  # a trace keeps the question, and should not keep this look's answers

        def ask() -> tuple[Entry, ...]:
            return tuple(Entry(**row) for row in host.call(eye, *args))

        with in_words(path, limit):
            return self._memory.once((eye, *args), ask)

    def _remembered(self, path: str, limit: int, eye: Callable[..., T], *args: object) -> T:
        with in_words(path, limit):
            question = (eye, *(tuple(arg) if isinstance(arg, list) else arg for arg in args))
            return self._memory.once(question, partial(self._host.call, eye, *args))
