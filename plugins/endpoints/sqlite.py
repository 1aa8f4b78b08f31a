"""SQLite databases, read without leaving a trace beside them and without a writer's noticing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.endpoints.errors import in_words
from plugins.endpoints.memory import Memory
from plugins.eyes import databases
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NoFact, Refused, TimedOut, TooBig
from plugins.text import printable

Rows = list[tuple[Any, ...]]

_LOOKS = 5  # at a database that is written to at the same time
_PAUSE = 0.03  # seconds before the second look; longer before each further one
_GRAIN, _WAITS = 0.01, 5  # seconds between looks for a moment without writes, and how many
_FAULTS = 20  # that a check tells


@dataclass(frozen=True, slots=True)
class Standing:
    """A database file and what stands beside it.

    `size` is bytes; `head` tells whether it begins as a database does, `wal` whether it keeps a
    write-ahead log; `journal` is the bytes of a rollback journal that awaits its end (0 for none),
    `log` those of the write-ahead log (-1 for none), `index` whether the log's index is there.
    `mark` changes with every write; `settled` tells whether the next one is sure to change it.
    """

    real: str
    size: int
    mode: int
    uid: int
    head: bool
    wal: bool
    journal: int
    log: int
    index: bool
    mark: str
    settled: bool


class Sqlite:
    """Questions to database files of this host; the same one is asked once in a look.

    Every method may raise `NotThere` and `NoPermission` where the file cannot be opened,
    `WrongKind` where no regular file stands there, and `CannotTell` for a far host.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory = Memory()
        # To close a file drops this process's locks on it, those of other threads' readings too.
        self._alone = threading.Lock()

    def query(
        self,
        path: str,
        sql: str,
        args: Sequence[object] = (),
        *,
        deadline: float = 5.0,
        most: int = 100_000,
    ) -> tuple[tuple[Any, ...], ...]:
        """Return the rows of one SELECT, or of a PRAGMA that tells something.

        No file is made or changed, no writer waits or fails for it, and nothing that stands in the
        database's own views, triggers and virtual tables runs.

        Args:
            most: rows that are taken in.

        Raises:
            Refused: a writer is at work all the while.
            TimedOut: the deadline passed.
            WrongKind: no database, a damaged one, or SQL that is not taken.
            TooBig: there are more rows than `most`, or a huge value.
        """
        question = (path, sql, tuple(args), most)
        return self._memory.once(question, lambda: self._query(path, sql, args, deadline, most))

    def check(self, path: str, *, full: bool = True, deadline: float = 10.0) -> tuple[str, ...]:
        """Return what SQLite finds damaged, in its own words, 20 at most; () for a whole database.

        Damage is believed only where nobody wrote to the database while it was looked for.

        Args:
            full: compare the indexes with their tables too (integrity_check).

        Raises:
            Refused: it was written to at every look, and seemed damaged.
            TimedOut: the deadline passed.
        """
        from plugins.endpoints.sqlite_reading import Damaged

        sql = f"PRAGMA {'integrity_check' if full else 'quick_check'}({_FAULTS})"
        try:
            rows = self._memory.once(
                (path, sql), lambda: self._query(path, sql, (), deadline, _FAULTS, _sound)
            )
        except Damaged as damage:
            return (str(damage).removeprefix(f"{printable(path)}: "),)
        return tuple(str(row[0]) for row in rows if row[0] != "ok")

    def quick_check(self, path: str, *, deadline: float = 10.0) -> tuple[str, ...]:
        """Return what SQLite finds damaged without comparing indexes; () for a whole database."""
        return self.check(path, full=False, deadline=deadline)

    def standing(self, path: str) -> Standing:
        """Return what stands there now; asked anew each time."""
        with self._looking(path, 5.0):
            return Standing(**self._host.call(databases.standing, path))

    def writers(self, path: str) -> tuple[int, ...]:
        """Return the processes that hold a lock for writing now; one that cannot be named is 0."""
        with self._looking(path, 5.0):
            return tuple(self._host.call(databases.write_locks, path))

    def blocked_by(self, path: str, seconds: float) -> tuple[int, ...]:
        """Return the processes that hold one lock for all of so many seconds, () for none.

        Locks count for which others cannot write: those of a reader too, where there is no
        write-ahead log. A process that cannot be named is 0. A database without such a lock is told
        at once.
        """
        with self._looking(path, seconds + 5.0):
            return tuple(self._host.call(databases.blocked_by, path, seconds))

    @contextlib.contextmanager
    def _looking(self, path: str, deadline: float) -> Iterator[None]:
        if not self._host.is_local:
            raise CannotTell(f"{printable(path)} is on {self._host.spec}: databases are read here")
        if path.startswith("/proc/"):
            # SQLite follows the link /proc/PID/root by its words, and these say "/".
            raise CannotTell(f"{printable(path)} is in another root: databases are read in ours")
        if not self._alone.acquire(timeout=deadline):
            raise TimedOut(f"reading {printable(path)}", deadline)
        try:
            with in_words(path):
                yield
        finally:
            self._alone.release()

    def _query(
        self,
        path: str,
        sql: str,
        args: Sequence[object],
        deadline: float,
        most: int,
        believed: Callable[[Rows], bool] = lambda rows: False,
    ) -> tuple[tuple[Any, ...], ...]:
        from plugins.endpoints import sqlite_reading

        ends = time.monotonic() + deadline
        limits = sqlite_reading.Limits(printable(path), deadline, ends, most)

        def ask(uri: str) -> Rows:
            return sqlite_reading.rows(uri, sql, args, limits)

        with self._looking(path, deadline):
            rows = self._read(path, ask, believed, ends)
        if len(rows) > most:
            failure = TooBig(printable(path), most)
            failure.args = (f"{printable(path)}: more than our limit of {most} rows",)
            raise failure
        return tuple(rows)

    def _read(
        self, path: str, ask: Callable[[str], Rows], believed: Callable[[Rows], bool], ends: float
    ) -> Rows:
        """Return an answer that no writer can have disturbed, or that is believed anyway."""
        failure: NoFact | None = None
        for look in range(1, _LOOKS + 1):
            before = _calm(path)
            isolated = before.log > 0 and before.index
            if not before.journal:
                rows, failure = _answer(before, ask)
                unchanged = before.settled and databases.standing(path)["mark"] == before.mark
                if isinstance(failure, TimedOut) or (failure and unchanged):
                    raise failure
                if not failure and (unchanged or isolated or believed(rows)):
                    return rows
            if time.monotonic() + _PAUSE * look > ends:
                break
            time.sleep(_PAUSE * look)
        if failure and isolated:
            raise failure
        raise Refused(
            f"{printable(path)}: a writer was at work at every look, or was killed in one"
        )


def _calm(path: str) -> Standing:
    """Look, for an instant until the last write is so old that the next one will show."""
    seen = Standing(**databases.standing(path))
    for _ in range(_WAITS):
        if seen.settled and not seen.journal:
            break
        time.sleep(_GRAIN)
        seen = Standing(**databases.standing(path))
    return seen


def _answer(seen: Standing, ask: Callable[[str], Rows]) -> tuple[Rows, NoFact | None]:
    from plugins.endpoints import sqlite_reading

    try:
        if not seen.head:
            what = "it is no SQLite database" if seen.size else "it is empty (0 bytes)"
            raise sqlite_reading.Damaged(f"{printable(seen.real)}: {what}")
        if seen.log <= 0:
            return ask(sqlite_reading.as_a_file(seen.real)), None
        if seen.index:
            return ask(sqlite_reading.with_its_log(seen.real)), None
        with sqlite_reading.apart(seen.real, seen.size + seen.log) as uri:
            return ask(uri), None
    except NoFact as why:
        return [], why


def _sound(rows: Rows) -> bool:
    return rows == [("ok",)]
