"""SQLite: databases that somebody made to do harm to who looks at them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.endpoints.sqlite import Sqlite
from plugins.hosts import Host
from plugins.outcomes import CannotTell, TimedOut, WrongKind


@pytest.fixture
def look() -> Sqlite:
    return Sqlite(Host())


@contextlib.contextmanager
def made(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as one:
        one.execute("CREATE TABLE job (id INTEGER, word TEXT)")
        yield one


BOMB = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 999999999)"
    " SELECT sum(i) AS word FROM n"
)


@pytest.mark.parametrize(
    "schema",
    [
        f"CREATE VIEW users AS {BOMB}",
        "CREATE VIEW users AS SELECT load_extension('/tmp/x.so') AS word",
        "CREATE VIRTUAL TABLE users USING fts5(word)",
    ],
)
def test_what_a_database_brings_is_not_run(look: Sqlite, tmp_path: Path, schema: str) -> None:
    with made(tmp_path / "a.db") as one:
        one.execute(schema)
    began = time.monotonic()
    with pytest.raises(WrongKind, match=r"run|not authorized|unsafe"):
        look.query(str(tmp_path / "a.db"), "SELECT word FROM users", deadline=9.0)
    assert time.monotonic() - began < 2


def test_a_check_of_a_column_that_never_ends_is_cut(look: Sqlite, tmp_path: Path) -> None:
    with made(tmp_path / "a.db") as one:
        one.execute("PRAGMA ignore_check_constraints = ON")
        like = "x LIKE '%a%a%a%a%a%a%a%a%a%a%a%a%b'"
        one.execute(f"CREATE TABLE slow (x TEXT, CHECK ({like} OR {like} OR 1))")
        one.execute("BEGIN")
        one.executemany("INSERT INTO slow VALUES (?)", [("a" * 60,)] * 2000)
        one.execute("COMMIT")
    began = time.monotonic()
    with contextlib.suppress(TimedOut):
        look.check(str(tmp_path / "a.db"), deadline=1.0)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("sql", ["CREATE TABLE x", "CREATE TABLE", "", "CREATE VIEW v AS SELECT"])
def test_malformed_objects_are_damage(look: Sqlite, tmp_path: Path, sql: str) -> None:
    with made(tmp_path / "a.db") as one:
        one.execute("PRAGMA writable_schema = ON")
        one.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'job'", (sql,))
    assert "malformed" in "".join(look.check(str(tmp_path / "a.db"))) or sql == ""


def test_nobodys_pragma_sets_anything(look: Sqlite, tmp_path: Path) -> None:
    with made(tmp_path / "a.db"):
        pass
    for sql in ("PRAGMA journal_mode = wal", "PRAGMA user_version = 3", "ATTACH 'x' AS y"):
        with pytest.raises(CannotTell):
            look.query(str(tmp_path / "a.db"), sql)


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "fifo"])
def test_a_log_that_leads_elsewhere_is_not_read(look: Sqlite, tmp_path: Path, target: str) -> None:
    with made(tmp_path / "a.db"):
        pass
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "a.db-wal").symlink_to(target)
    with pytest.raises(CannotTell):
        look.check(str(tmp_path / "a.db"))
