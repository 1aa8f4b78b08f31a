"""What is seen of the three databases: whether they are whole, who blocks them, how they grow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from healthchecks.portagent.generations import is_second
from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, NoPermission, NotThere, WrongKind, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.endpoints.sqlite import Sqlite, Standing
from plugins.run import Run

T = TypeVar("T")

WHOLE = "portagent.its_databases_are_whole"
TABLES = {
    "portagent": ("users",),
    "agentx": ("kv_storage",),
    "queue": ("queue_entries", "queue_consumers"),
}
# The program makes queue.db anew without any loss; the others hold what people cannot get back.
DISPENSABLE = {"queue"}
_MIB = 1 << 20
_TABLE_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_HOT = "a writer was killed in the middle of a transaction, and its journal waits beside it"


@dataclass(frozen=True)
class BrokenDatabase:
    """A database that is not whole.

    Args:
        path: of its file.
        name: which one it is.
        faults: what is wrong with it, in words.
        tables: those that it should have.
        recoverable: whether there is anything in it to be recovered.
    """

    path: str
    name: str
    faults: tuple[str, ...]
    tables: tuple[str, ...]
    recoverable: bool

    def __str__(self) -> str:
        return f"{printable(self.path)}: {'; '.join(self.faults)}"


@dataclass(frozen=True)
class Accounts:
    """How many users there are, and how many of them may log in."""

    total: int
    active: int


@dataclass(frozen=True)
class WriteLog:
    """The write-ahead log of queue.db and what it may take, in MiB."""

    path: str
    mib: float
    limit: float


def present(system: Portagent, sqlite: Sqlite) -> Iterator[tuple[str, str, Standing | None]]:
    """Yield name, path and what stands there of each database, None where nothing does.

    Raises:
        Absent: none of them is there: the server never ran on this folder, or it is its successor.
    """
    found: list[tuple[str, str, Standing | None]] = []
    for name in TABLES:
        path = system.database(name)
        try:
            found.append((name, path, sqlite.standing(path)))
        except NotThere:
            found.append((name, path, None))
    if not any(standing for _, _, standing in found):
        raise Absent("databases of Portagent", tuple(path for _, path, _ in found))
    yield from found


def _expected(
    system: Portagent, sqlite: Sqlite, filesystem: Filesystem
) -> Iterator[tuple[str, str, Standing | None]]:
    """Yield what `present` does, and every one as missing where the server ran and none is left."""
    try:
        yield from present(system, sqlite)
    except Absent:
        log = os.path.join(system.data_dir, "logs", "portagent.log")
        if not filesystem.exists(log) or is_second(system, filesystem):
            raise
        yield from ((name, system.database(name), None) for name in TABLES)


@probe(deadline=600.0, every=900.0)
def broken_databases(
    system: Portagent, sqlite: Sqlite, filesystem: Filesystem, run: Run
) -> tuple[BrokenDatabase, ...]:
    """Each database that is not whole, and what is wrong with it."""
    broken: list[BrokenDatabase] = []
    unseen: list[CannotTell] = []
    for name, path, standing in _expected(system, sqlite, filesystem):
        try:
            faults = faults_of(system, sqlite, name, path, standing, deep=run.deep)
        except CannotTell as why:
            unseen.append(why)
            continue
        if faults:
            recoverable = standing is not None and standing.size > 0
            broken.append(BrokenDatabase(path, name, faults, TABLES[name], recoverable))
    if unseen and not broken:
        raise unseen[0]
    return tuple(broken)


def faults_of(
    system: Portagent,
    sqlite: Sqlite,
    name: str,
    path: str,
    standing: Standing | None,
    *,
    deep: bool,
) -> tuple[str, ...]:
    """Return what is wrong with a database; `deep` compares its indexes whatever its size."""
    if standing is None:
        return () if name in DISPENSABLE else ("it is not there, and the server ran before",)
    if is_hot(sqlite, path, standing):
        return (_HOT,)
    settings = system.settings
    full = deep or standing.size <= settings.quick_check_mib * _MIB
    faults = sqlite.check(path, full=full, deadline=settings.check_seconds)
    if faults:
        return tuple(printable(fault, 160) for fault in faults)
    return tables_lacking(sqlite, name, path)


def tables_lacking(sqlite: Sqlite, name: str, path: str) -> tuple[str, ...]:
    """Return in words which tables a database has not got."""
    there = {str(row[0]) for row in sqlite.query(path, _TABLE_NAMES)}
    return tuple(f"it has no table {table}" for table in TABLES[name] if table not in there)


def is_hot(sqlite: Sqlite, path: str, standing: Standing) -> bool:
    """Tell whether a rollback journal waits that no transaction under way is writing."""
    if not standing.journal or sqlite.writers(path):
        return False
    # Of a writer who goes on, this may be the journal of another transaction.
    again = sqlite.standing(path)
    return again.mark == standing.mark and again.settled and not sqlite.writers(path)


@probe
def accounts(system: Portagent, sqlite: Sqlite) -> Accounts:
    """How many users there are, and how many of them may log in."""
    path = readable(system, sqlite, "portagent")
    sql = "SELECT count(*), coalesce(sum(isActive = 1), 0) FROM users"
    total, active = unless_broken(lambda: sqlite.query(path, sql))[0]
    return Accounts(int(total), int(active))


def unless_broken(ask: Callable[[], T]) -> T:
    """Return an answer of a database; a damaged one is another check's finding."""
    try:
        return ask()
    except WrongKind as why:
        raise Blocked(WHOLE, str(why)) from None


def readable(system: Portagent, sqlite: Sqlite, wanted: str) -> str:
    """Return the path of a database; `Blocked` where it is gone or half written."""
    for name, path, standing in present(system, sqlite):
        if name == wanted:
            if standing is None:
                raise Blocked(WHOLE, f"{printable(path)} is not there")
            if is_hot(sqlite, path, standing):
                raise Blocked(WHOLE, f"{printable(path)}: {_HOT}")
            return path
    raise KeyError(wanted)


@probe(deadline=120.0)
def blocked_databases(system: Portagent, sqlite: Sqlite, processes: Processes) -> tuple[str, ...]:
    """Each database that a process blocks, or that several have open; with who they are."""
    found: list[str] = []
    unseen = ""
    for _, path, standing in present(system, sqlite):
        if standing is None:
            continue
        found += [
            f"{printable(path)}: {_named(processes, pid)} holds a lock of it"
            for pid in sqlite.blocked_by(path, system.settings.lock_seconds)
        ]
        writers = sorted(pid for pid, writes in processes.holders(path) if writes)
        if len(writers) > 1:
            names = ", ".join(_named(processes, pid) for pid in writers)
            found.append(f"{printable(path)}: {len(writers)} processes have it open: {names}")
        if os.geteuid() not in {0, standing.uid} and not writers:
            unseen = f"who has {printable(path)} open is told to root and its owner only"
    if unseen and not found:
        raise NoPermission(unseen)
    return tuple(found)


def _named(processes: Processes, pid: int) -> str:
    one = processes.one(pid) if pid else None
    if one is None:
        return f"process {pid}" if pid else "a process that cannot be seen from here"
    return f"{printable(one.name)} (process {pid}, of {printable(one.owner)})"


@probe
def write_log(system: Portagent, sqlite: Sqlite) -> WriteLog:
    """How large the write-ahead log of queue.db is."""
    path = system.database("queue")
    try:
        standing = sqlite.standing(path)
    except NotThere as why:
        raise Absent(str(why)) from None
    return WriteLog(f"{path}-wal", max(0, standing.log) / _MIB, system.settings.wal_mib)
