"""The search over all conversations: what is indexed is not read, and what changed is read anew."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from healthchecks.crash_protection import search_reading
from healthchecks.crash_protection.search_batches import Batch, Row, batches, clear
from healthchecks.crash_protection.search_words import Needle
from plugins.hosts import Host
from plugins.journal import private_folder
from plugins.outcomes import CannotTell

_APART = 64 << 20  # bytes from which on it is worth to start processes
_MANY, _SMALL = 24, 32 << 20  # batches, and bytes of conversations, from which on they are joined
_HEAD = 16 << 10  # bytes that are looked at first
_LONGEST, _SEAM = 32 << 20, 1 << 16
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Place:
    """A file to search: its path, and its identity as it was just seen."""

    path: str
    identity: str

    @property
    def size(self) -> int:
        """Bytes, as the identity has them."""
        return int(self.identity.split(":")[2])


@dataclass(frozen=True)
class Hit:
    """A file in which something was found, and the first line that holds it."""

    path: str
    line: bytes


class Index:
    """The index of a state folder.

    Args:
        folder: for it alone; made when it is not there.
        commands: of the host that it stands on.
        deadline: seconds that reading may take.
    """

    def __init__(self, folder: Path, commands: Host, deadline: float = 1800.0) -> None:
        self._folder = folder
        self._commands = commands
        self._deadline = deadline
        self._batches: list[Batch] = []
        self._rows: dict[str, Row] = {}
        self._held: dict[str, tuple[Batch, int]] = {}
        try:
            private_folder(folder)
            folder.chmod(0o700)
            clear(folder)
        except OSError as error:
            raise CannotTell(f"no index can be kept in {folder}: {error.strerror}") from None
        self._load()

    def _load(self) -> None:
        self._batches = batches(self._folder)
        self._rows, self._held = {}, {}
        for batch in self._batches:
            self._rows.update((row.path, row) for row in batch.head.rows)
            for digest, group in batch.head.pieces.items():
                self._held[digest] = (batch, group)

    def _row(self, place: Place) -> Row | None:
        """Return what is known of a file, if it is still that file."""
        row = self._rows.get(_named(place.path))
        if row is None or row.identity != place.identity:
            return None
        return row if all(digest in self._held for digest, _ in row.pieces) else None

    def update(self, places: Sequence[Place]) -> tuple[str, ...]:
        """Read what is new or changed; return the paths that cannot be read.

        Raises:
            CannotTell: nothing can be written, as where the disk is full.
        """
        self._tidy(places)
        stale = [place for place in places if self._row(place) is None]
        if not stale:
            return ()
        try:
            unread = self._read(stale)
        except OSError as error:
            raise CannotTell(f"no index can be kept in {self._folder}: {error}") from None
        self._load()
        return unread

    def _read(self, stale: Sequence[Place]) -> tuple[str, ...]:
        if sum(place.size for place in stale) < _APART or (os.cpu_count() or 1) < 2:
            paths = [os.fsencode(place.path) for place in stale]
            unread = search_reading.read_into(self._folder, paths, lambda: True)
            return tuple(map(os.fsdecode, unread))
        # One process for each half: copies of one conversation go to one of them.
        halves: list[list[Place]] = [[], []]
        sizes = [0, 0]
        groups: dict[str, list[Place]] = {}
        for place in stale:
            groups.setdefault(os.path.basename(place.path)[:36], []).append(place)
        for group in sorted(groups.values(), key=lambda one: -max(p.size for p in one)):
            which = sizes.index(min(sizes))
            halves[which] += sorted(group, key=lambda place: -place.size)
            sizes[which] += group[0].size
        met: list[tuple[str, ...] | CannotTell] = []
        threads = [
            threading.Thread(target=self._read_apart, args=(half, met), daemon=True)
            for half in halves
            if half
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for answer in met:
            if isinstance(answer, CannotTell):
                raise answer
        return tuple(path for answer in met if isinstance(answer, tuple) for path in answer)

    def _read_apart(self, half: list[Place], met: list[tuple[str, ...] | CannotTell]) -> None:
        words = (sys.executable, "-m", search_reading.__name__, str(self._folder))
        paths = msgspec.json.encode([_named(place.path) for place in half])
        try:
            ran = self._commands.run(
                words, stdin=paths, cwd=str(_ROOT), deadline=self._deadline, limit=64 << 20
            )
            if ran.status:
                raise CannotTell(f"reading the conversations failed: {ran.complaint}")
            names = msgspec.json.decode(ran.out, type=list[str])
            met.append(tuple(os.fsdecode(name.encode("latin-1")) for name in names))
        except CannotTell as why:
            met.append(why)

    def _tidy(self, places: Sequence[Place]) -> None:
        """Put away batches that nothing needs, and small ones that became many; one at a time."""
        used = {digest for place in places if (row := self._row(place)) for digest, _ in row.pieces}
        current = {id(row) for place in places if (row := self._row(place))}
        idle = [
            batch
            for batch in self._batches
            if used.isdisjoint(batch.head.pieces) and current.isdisjoint(map(id, batch.head.rows))
        ]
        if len(self._batches) - len(idle) > _MANY:
            idle += [batch for batch in self._batches if batch.head.size < _SMALL]
        if not idle:
            return
        with _alone(self._folder) as mine:
            if mine:
                for batch in idle:
                    batch.path.unlink(missing_ok=True)
                self._load()

    def search(self, places: Sequence[Place], needle: Needle) -> Iterator[Hit]:
        """Yield the files that hold it; what equals something that was read is not read again."""
        masks = {id(batch): batch.groups(needle) for batch in self._batches}
        read: dict[str, bytes | None] = {}
        for place in places:
            row = self._row(place)
            if row is None or row.loose:
                line = _read_through(place.path, needle)
            else:
                line = self._confirmed(row, needle, masks, read)
            if line is not None:
                yield Hit(place.path, line)

    def _confirmed(
        self,
        row: Row,
        needle: Needle,
        masks: dict[int, int],
        read: dict[str, bytes | None],
    ) -> bytes | None:
        at = 0
        for digest, size in row.pieces:
            batch, group = self._held[digest]
            if masks[id(batch)] >> group & 1:
                if digest not in read:
                    read[digest] = _first_line(row.path.encode("latin-1"), at, size, needle)
                if read[digest] is not None:
                    return read[digest]
            at += size
        return None


def _named(path: str) -> str:
    return os.fsencode(path).decode("latin-1")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Yield whether nobody else tidies the folder now."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _first_line(path: bytes, at: int, size: int, needle: Needle) -> bytes | None:
    """Return the first line of a part of a file that holds it.

    Most stand near the beginning, and most as they were typed: that is looked for first.
    """
    try:
        descriptor = search_reading.opened(path)
    except OSError:
        return None
    try:
        end = at + size
        looks = [(min(end, at + _HEAD), needle.within)]
        if size > _HEAD:
            looks += [(end, needle.exactly), (end, needle.within)]
        for until, look in looks:
            for lines in _blocks(descriptor, at, until, last=until == end):
                found = look(lines)
                if found is not None:
                    return lines[found[0] : found[1]]
    finally:
        os.close(descriptor)
    return None


def _blocks(descriptor: int, at: int, end: int, *, last: bool) -> Iterator[bytes]:
    """Yield whole lines of a part of a file, more of them each time; what is cut comes last.

    A line that is longer than memory should be comes in parts, each with the end of the last.
    """
    step, left = _HEAD, b""
    while at < end:
        block = os.pread(descriptor, min(step, end - at), at)
        if not block:
            break
        at, step = at + len(block), min(step * 4, 4 << 20)
        lines = left + block
        cut = len(lines) if at >= end and last else lines.rfind(b"\n") + 1
        left = lines[cut:]
        if len(left) > _LONGEST:
            yield left
            left = left[-_SEAM:]
        if cut:
            yield lines[:cut]


def _read_through(path: str, needle: Needle) -> bytes | None:
    """Return the first line of a whole file that holds it, however long the line is."""
    try:
        size = os.lstat(path).st_size
    except OSError:
        return None
    return _first_line(os.fsencode(path), 0, size, needle)
