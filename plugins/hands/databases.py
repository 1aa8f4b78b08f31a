"""What a step does with copies of SQLite databases: always in a private folder of the run's own.

What a database brings (views, triggers, virtual tables) is not run: only rows of plain tables are
read. Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from plugins.hands.tree import CHUNK, Done

_PLAIN = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"
    " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_PATIENCE = 3600.0  # seconds: a database that was made to be endless is given up
_BROKEN = (sqlite3.DatabaseError, OverflowError)


def back_up(uri: str, target: str) -> Done:
    """Copy a database to a new file by SQLite's backup API, and see that the copy is whole.

    It is one step: as the caller opens it, the source is under no lock that a writer minds.
    """
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=0.0)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        try:
            source.backup(copy)
        except sqlite3.Error as error:
            return {"refused": f"it cannot be copied: {error}"}
    return whole(target, [])


def whole(path: str, tables: list[str]) -> Done:
    """Refuse unless a private copy, with what its journal holds, is whole and has the tables."""
    try:
        with closing(_opened(path)) as one:
            faults = [str(row[0]) for row in one.execute("PRAGMA integrity_check(5)")]
            there = {str(row[0]) for row in one.execute(_PLAIN)}
    except _BROKEN as error:
        return {"refused": f"it is not whole: {error}"}
    if faults != ["ok"]:
        return {"refused": f"it is not whole: {'; '.join(faults)}"}
    missing = [table for table in tables if table not in there]
    return {"refused": f"it has no table {', '.join(missing)}"} if missing else {}


def logged(path: str) -> Done:
    """Let a private copy keep a write-ahead log, as the original does."""
    with closing(sqlite3.connect(path)) as one:
        one.execute("PRAGMA journal_mode = wal")
    return {}


def _opened(path: str) -> sqlite3.Connection:
    one = sqlite3.connect(path, isolation_level=None)
    ends = time.monotonic() + _PATIENCE
    one.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
    for guard in ("trusted_schema = OFF", "cell_size_check = ON"):
        one.execute(f"PRAGMA {guard}")
    one.text_factory = _text
    return one


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def compare(old: str, new: str) -> Done:
    """Refuse unless the new one holds all that can still be read of the old one, row by row.

    A row counts where its table gives it, and also where only an index still tells that it was
    there.
    """
    lost = []
    with closing(_opened(old)) as before, closing(_opened(new)) as after:
        for table in _tables(before):
            rows = sum(1 for row in _rows(before, table) if not _holds(after, table, row))
            known = max(
                (_entries(before, table, index) for index in _indexes(before, table)), default=0
            )
            there = _count(after, table)
            if rows or known > there:
                gone = max(rows, known - there)
                lost.append(f"{gone} of {max(known, there + rows)} rows of {table}")
    if lost:
        return {"refused": f"what is left of it lacks {', '.join(lost)}"}
    return {}


def _tables(one: sqlite3.Connection) -> list[str]:
    try:
        return [str(row[0]) for row in one.execute(_PLAIN)]
    except _BROKEN:
        return []


def _indexes(one: sqlite3.Connection, table: str) -> list[str]:
    try:
        rows = one.execute(f"PRAGMA index_list({_quoted(table)})").fetchall()
    except _BROKEN:
        return []
    return [str(row[1]) for row in rows if not row[4]]  # a partial index does not know all rows


def _select(what: str, table: str, rest: str = "") -> str:
    return f"SELECT {what} FROM {_quoted(table)} {rest}"  # noqa: S608 - names are quoted


def _entries(one: sqlite3.Connection, table: str, index: str) -> int:
    """Count the entries of an index, as far as it can be read."""
    count = 0
    with contextlib.suppress(*_BROKEN):
        for _ in one.execute(_select("1", table, f"INDEXED BY {_quoted(index)}")):
            count += 1
    return count


def _rows(one: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """Yield each row with its number first, from both ends to where the table is broken."""
    last: int | None = None
    try:
        for row in one.execute(_select("rowid, *", table, "NOT INDEXED ORDER BY rowid")):
            last = row[0]
            yield row
    except _BROKEN:
        rest = "NOT INDEXED WHERE ?1 IS NULL OR rowid > ?1 ORDER BY rowid DESC"
        with contextlib.suppress(*_BROKEN):
            yield from one.execute(_select("rowid, *", table, rest), (last,))


def _holds(one: sqlite3.Connection, table: str, row: tuple[Any, ...]) -> bool:
    try:
        found = one.execute(_select("rowid, *", table, "WHERE rowid = ?"), row[:1])
        return bool(found.fetchone() == row)
    except _BROKEN:
        return False


def _count(one: sqlite3.Connection, table: str) -> int:
    try:
        return int(one.execute(_select("count(*)", table)).fetchone()[0])
    except _BROKEN:
        return 0


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def unpack(archive: str, member: str, target: str) -> Done:
    """Copy one file of a tar.gz to a new file, and read the archive to its end."""
    found = False
    with tarfile.open(archive, "r|gz") as tar:
        for one in tar:
            content = tar.extractfile(one) if one.isreg() and one.name == member else None
            if content is not None:
                found = True
                with open(target, "xb") as file:
                    shutil.copyfileobj(content, file, CHUNK)
    return {} if found else {"refused": f"it holds no {member}"}


def clear(folder: str) -> Done:
    """Remove the private folder."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    return {}


def without(path: str) -> Done:
    """Remove a private copy that did not succeed."""
    for end in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{end}")
    return {}
