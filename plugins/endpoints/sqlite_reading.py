"""How a database of strangers is opened: nothing of its own runs, nothing beside it changes.

A rollback-journal database is read without any lock, as a file; the caller proves that nobody wrote
to it meanwhile. A reader's lock would make the commit of a writer fail, which may not wait for it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from plugins.outcomes import CannotTell, NoPermission, Refused, TimedOut, TooBig, WrongKind
from plugins.text import printable

SCRATCH = 64 << 20  # bytes of a database and its log that are copied to be read
_STEPS = 4000  # of SQLite's machine between two looks at the clock
_LONGEST = 256 << 20  # bytes of one value
_LIMITS = (
    (sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200),
)
_GUARDS = ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "mmap_size = 0")
_PRAGMAS = {"page_count", "page_size", "freelist_count", "journal_mode", "user_version"}
_CHECKS = {"quick_check", "integrity_check"}
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_BROUGHT = (
    "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')"
    " OR (type = 'table' AND sql LIKE 'CREATE VIRTUAL%')"
)
_MOST_BROUGHT = 1000
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Damaged(WrongKind):
    """SQLite says that the file is not a whole database."""


@dataclass(frozen=True)
class Limits:
    """What an answer may take.

    Args:
        name: of the database, as it is shown.
        deadline: seconds that the caller was given, to be told.
        ends: when they end, on the monotonic clock.
        most: rows that are taken in.
    """

    name: str
    deadline: float
    ends: float
    most: int


def rows(uri: str, sql: str, args: Sequence[object], limits: Limits) -> list[tuple[Any, ...]]:
    """Return at most one row more than the limit; raises kinds of `CannotTell` in words.

    Args:
        uri: of the database, as SQLite takes it.
        sql: one SELECT, or one PRAGMA that tells something.
        args: its values.
        limits: what the answer may take.
    """
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0.0, isolation_level=None)) as one:
            for limit, value in _LIMITS:
                one.setlimit(limit, value)
            one.set_progress_handler(lambda: time.monotonic() > limits.ends, _STEPS)
            for guard in _GUARDS:
                one.execute(f"PRAGMA {guard}")
            if "json_each" in sql:
                # Its making would not be allowed: to SQLite it is that of a table.
                one.execute("SELECT 1 FROM json_each('[]')")
            one.set_authorizer(_allowing(_brought(one, limits.name)))
            return one.execute(sql, tuple(args)).fetchmany(limits.most + 1)
    except sqlite3.Error as error:
        raise _meaning(error, limits.name, limits.deadline) from None


def _brought(one: sqlite3.Connection, name: str) -> frozenset[str]:
    """Return the names of the views and triggers that a database has."""
    found = one.execute(_BROUGHT).fetchmany(_MOST_BROUGHT + 1)
    if len(found) > _MOST_BROUGHT or any(kind == "table" for kind, _ in found):
        raise WrongKind(f"{name}: it has virtual tables or very many views, which are not run")
    return frozenset(str(view).lower() for _, view in found)


def _allowing(
    brought: frozenset[str],
) -> Callable[[int, str | None, str | None, str | None, str | None], int]:
    """Return the judge that allows what reads tables, and nothing within a view or trigger."""

    def judge(
        action: int, first: str | None, second: str | None, database: str | None, within: str | None
    ) -> int:
        del database
        tells = action == sqlite3.SQLITE_PRAGMA and (
            first in _CHECKS or (first in _PRAGMAS and second is None)
        )
        works = action == sqlite3.SQLITE_FUNCTION and second != "load_extension"
        foreign = within is not None and within.lower() in brought
        allowed = not foreign and (action in _READING or works or tells)
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    return judge


def _meaning(error: sqlite3.Error, name: str, deadline: float) -> CannotTell:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    said = printable(str(error), 120)
    if code == sqlite3.SQLITE_INTERRUPT:
        return TimedOut(f"reading {name}", deadline)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}:
        return Refused(f"{name}: a writer holds the database's lock")
    if code == sqlite3.SQLITE_PERM:
        return NoPermission(f"we may not read {name}")
    if code == sqlite3.SQLITE_AUTH:
        return WrongKind(f"{name}: that would run what the database brings, or write to it: {said}")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return CannotTell(f"{name} cannot be read without writing: {said}")
    if code == sqlite3.SQLITE_TOOBIG:
        return TooBig(f"a value of {name}", _LONGEST)
    if code in _DAMAGED:
        return Damaged(f"{name}: {said}")
    if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}:
        return CannotTell(f"{name}: {said}")
    return WrongKind(f"{name}: {said}")


def as_a_file(real: str) -> str:
    """Return the URI to read a database without locks, journal and log."""
    return f"{_named(real)}?mode=ro&immutable=1"


def with_its_log(real: str) -> str:
    """Return the URI to read a database with the write-ahead log and the index that are there."""
    return f"{_named(real)}?mode=ro&readonly_shm=1"


def _named(real: str) -> str:
    return f"file:{quote(os.fsencode(real))}"


@contextmanager
def apart(real: str, size: int) -> Iterator[str]:
    """Yield the URI of a private copy with its write-ahead log, which reading may change.

    Raises:
        CannotTell: it is too large to be copied.
    """
    if size > SCRATCH:
        raise CannotTell(
            f"{printable(real)} has a write-ahead log that nobody has open: to read it would write"
        )
    with tempfile.TemporaryDirectory(prefix="healthchecks-") as folder:
        for end in ("", "-wal"):
            _copied(f"{real}{end}", os.path.join(folder, f"copy.db{end}"))
        yield f"{_named(os.path.join(folder, 'copy.db'))}?mode=rw"


def _copied(source: str, target: str) -> None:
    """Copy a regular file; what its owner put a link, a device or no end there for is not read."""
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as reader, open(target, "xb") as writer:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EPROTOTYPE, "is not a regular file", source)
        left = SCRATCH + 1
        while left and (block := reader.read(min(left, 1 << 20))):
            writer.write(block)
            left -= len(block)
    if not left:
        raise CannotTell(f"{printable(source)} grew while it was copied to be read")
