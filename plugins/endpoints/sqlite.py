"""SQLite databases, read without leaving a trace beside them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from plugins.endpoints.errors import in_words
from plugins.endpoints.memory import Memory
from plugins.eyes import tail
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NoPermission, Refused, TimedOut, TooBig, WrongKind
from plugins.text import printable

if TYPE_CHECKING:
    import sqlite3

_MAGIC = b"SQLite format 3\0"
_PATIENCE = 1.0  # seconds that a writer's lock is waited for
_STEPS = 1000  # of SQLite's machine between two looks at the clock


class Sqlite:
    """Questions to database files of this host; the same one is asked once in a look."""

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
        """Return the rows of one SELECT or PRAGMA.

        No file is made or changed: a database with a write-ahead log is read with the index that is
        there, one without a log as a file that does not change.

        Args:
            most: rows that are taken in.

        Raises:
            Refused: a writer holds the lock.
            TimedOut: the deadline passed.
            WrongKind: no database, a damaged one, or SQL that it does not take.
            NotThere, NoPermission: the file cannot be opened.
            TooBig: there are more rows than `most`.
            CannotTell: the database is on a far host, or nobody has opened it since its crash.
        """
        question = (path, sql, tuple(args), most)
        return self._memory.once(question, lambda: self._query(path, sql, args, deadline, most))

    def quick_check(self, path: str, *, deadline: float = 10.0) -> tuple[str, ...]:
        """Return what SQLite finds damaged, in its own words; () for a sound database."""
        try:
            rows = self.query(path, "PRAGMA quick_check", deadline=deadline)
        except WrongKind as damage:
            if "malformed" in str(damage):
                return (str(damage),)
            raise
        return tuple(str(row[0]) for row in rows if row[0] != "ok")

    def _query(
        self, path: str, sql: str, args: Sequence[object], deadline: float, most: int
    ) -> tuple[tuple[Any, ...], ...]:
        if not self._host.is_local:
            raise CannotTell(f"{printable(path)} is on {self._host.spec}: databases are read here")
        ends = time.monotonic() + deadline
        if not self._alone.acquire(timeout=deadline):
            raise TimedOut(f"reading {printable(path)}", deadline)
        try:
            rows = _rows(path, sql, args, ends, deadline, most)
        finally:
            self._alone.release()
        if len(rows) > most:
            failure = TooBig(printable(path), most)
            failure.args = (f"{printable(path)}: more than our limit of {most} rows",)
            raise failure
        return tuple(rows)


def _rows(
    path: str, sql: str, args: Sequence[object], ends: float, deadline: float, most: int
) -> list[tuple[Any, ...]]:
    """Return at most one row more than `most`."""
    import sqlite3

    uri = _uri(path)
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=min(_PATIENCE, deadline / 2))
        connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        return connection.execute(sql, tuple(args)).fetchmany(most + 1)
    except sqlite3.Error as error:
        raise _meaning(error, path, deadline) from None
    finally:
        if connection is not None:
            connection.close()


def _uri(path: str) -> str:
    """Return the URI to open the file with, such that SQLite makes no file beside it."""
    with in_words(path):
        descriptor, _ = tail.opened(path, follow=True)
        try:
            head = os.pread(descriptor, 20, 0)
        finally:
            os.close(descriptor)
        real = os.path.realpath(path)
    if head[:16] != _MAGIC:
        raise WrongKind(f"{printable(path)} is not a SQLite database")
    uri = f"file:{quote(os.fsencode(real))}?mode=ro"
    if head[18:20] != b"\2\2":
        return uri
    if not os.path.exists(f"{real}-wal"):
        return f"{uri}&immutable=1"
    if not os.path.exists(f"{real}-shm"):
        raise CannotTell(
            f"{printable(path)} has a write-ahead log that nobody has open: to read it would write"
        )
    return f"{uri}&readonly_shm=1"


def _meaning(error: sqlite3.Error, path: str, deadline: float) -> CannotTell:
    import sqlite3

    name = printable(path)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        return TimedOut(f"reading {name}", deadline)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return Refused(f"{name}: a writer holds the database's lock")
    if code in {sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        return NoPermission(f"we may not read {name}")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return CannotTell(f"{name} cannot be read without writing: {printable(str(error), 120)}")
    return WrongKind(f"{name}: {printable(str(error), 120)}")
