"""SQLite: real databases are read, and nothing is left beside them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.endpoints.sqlite import Sqlite
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NotThere, Refused, TimedOut, TooBig, WrongKind
from plugins.tests.sqlite_writers import filled

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"


@pytest.fixture
def look() -> Sqlite:
    return Sqlite(Host())


@contextlib.contextmanager
def database(path: Path, mode: str = "delete") -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("CREATE TABLE job (id INTEGER, word TEXT)")
        connection.executemany("INSERT INTO job VALUES (?, ?)", [(1, "a"), (2, "b"), (3, "c")])
        yield connection


def tree(folder: Path) -> list[tuple[str, int]]:
    return sorted((one.name, one.stat().st_mtime_ns) for one in folder.iterdir())


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("opened", [True, False])
def test_rows_are_read_and_no_file_is_made(
    look: Sqlite, tmp_path: Path, mode: str, opened: bool
) -> None:
    path = tmp_path / "odd ?#%.db"
    with database(path, mode):
        if opened:
            before = tree(tmp_path)
            rows = look.query(str(path), "SELECT word FROM job WHERE id > ?", (1,))
            assert tree(tmp_path) == before
    if not opened:
        before = tree(tmp_path)
        rows = look.query(str(path), "SELECT word FROM job WHERE id > ?", (1,))
        assert tree(tmp_path) == before
        assert [name for name, _ in before] == [path.name]
    assert rows == (("b",), ("c",))


@pytest.mark.parametrize("names", [("a.db", "a.db-wal"), ("a.db", "a.db-wal", "a.db-shm")])
def test_a_log_that_a_crash_left_is_read_and_not_touched(
    look: Sqlite, tmp_path: Path, names: tuple[str, ...]
) -> None:
    with database(tmp_path / "a.db", "wal"):
        (tmp_path / "left").mkdir()
        for name in names:
            shutil.copy(tmp_path / name, tmp_path / "left" / name)
    before = tree(tmp_path / "left")
    assert len(look.query(str(tmp_path / "left/a.db"), "SELECT * FROM job")) == 3
    assert look.check(str(tmp_path / "left/a.db")) == ()
    assert tree(tmp_path / "left") == before


def test_a_large_log_without_its_index_is_not_copied(
    look: Sqlite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database(tmp_path / "a.db", "wal"):
        (tmp_path / "left").mkdir()
        for name in ("a.db", "a.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "left" / name)
    monkeypatch.setattr("plugins.endpoints.sqlite_reading.SCRATCH", 100)
    with pytest.raises(CannotTell, match="would write"):
        look.query(str(tmp_path / "left/a.db"), "SELECT 1")


def test_nothing_can_be_written(look: Sqlite, tmp_path: Path) -> None:
    with database(tmp_path / "a.db"):
        pass
    with pytest.raises(CannotTell):
        look.query(str(tmp_path / "a.db"), "DELETE FROM job")
    assert len(look.query(str(tmp_path / "a.db"), "SELECT * FROM job")) == 3


def test_a_journal_that_awaits_its_end_is_no_answer(look: Sqlite, tmp_path: Path) -> None:
    with database(tmp_path / "a.db"):
        pass
    (tmp_path / "a.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(600))
    assert look.standing(str(tmp_path / "a.db")).journal == 608
    with pytest.raises(Refused, match="killed"):
        look.query(str(tmp_path / "a.db"), "SELECT 1 FROM job")
    (tmp_path / "a.db-journal").write_bytes(bytes(608))  # as journal_mode=persist leaves it
    assert look.query(str(tmp_path / "a.db"), "SELECT 1 FROM job LIMIT 1") == ((1,),)


def test_damage_is_told_although_somebody_reads_and_writes_elsewhere(
    look: Sqlite, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    filled(path, "wal", mib=2)
    content = bytearray(path.read_bytes())
    content[4096 * 100 : 4096 * 101] = bytes(4096)
    path.write_bytes(content)
    assert look.check(str(path))
    assert look.check(str(path), full=False)


def test_a_question_without_end_is_cut(look: Sqlite, tmp_path: Path) -> None:
    with database(tmp_path / "a.db"):
        began = time.monotonic()
        with pytest.raises(TimedOut, match=r"0\.3 s"):
            look.query(str(tmp_path / "a.db"), FOREVER, deadline=0.3)
        assert time.monotonic() - began < 10


def test_too_many_rows_are_told(look: Sqlite, tmp_path: Path) -> None:
    with database(tmp_path / "a.db"), pytest.raises(TooBig, match="2 rows"):
        look.query(str(tmp_path / "a.db"), "SELECT * FROM job", most=2)


def test_what_is_no_database_is_told(look: Sqlite, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello" * 100)
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("text", "empty", "fifo", "folder"):
        with pytest.raises(WrongKind):
            look.query(str(tmp_path / name), "SELECT 1")
    with pytest.raises(NotThere):
        look.query(str(tmp_path / "none"), "SELECT 1")
    assert not (tmp_path / "none").exists()


def test_wrong_sql_is_told_by_sqlite(look: Sqlite, tmp_path: Path) -> None:
    with database(tmp_path / "a.db"), pytest.raises(WrongKind, match="no such table: gone"):
        look.query(str(tmp_path / "a.db"), "SELECT * FROM gone")


def test_a_sound_database_and_a_damaged_one_are_told_apart(look: Sqlite, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with database(path) as connection:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO job VALUES (?, ?)", [(n, "x" * 99) for n in range(999)])
        connection.execute("COMMIT")
    assert look.quick_check(str(path)) == ()
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 2 : 4096 * 4] = b"\xff" * 8192
    (tmp_path / "b.db").write_bytes(damaged)
    assert look.quick_check(str(tmp_path / "b.db"))


def test_a_far_database_is_not_read_from_here() -> None:
    with pytest.raises(CannotTell, match="ssh://me@box"):
        Sqlite(Host("ssh://me@box")).query("/x.db", "SELECT 1")
