"""SQLite: whoever writes to a database never waits or fails for us, and is found by the locks."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from plugins.endpoints.sqlite import Sqlite
from plugins.eyes import databases
from plugins.hosts import Host
from plugins.outcomes import Refused
from plugins.tests.sqlite_writers import filled, held, writing


@pytest.fixture
def look() -> Sqlite:
    return Sqlite(Host())


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_writers_lock_hinders_nobody_and_is_told(look: Sqlite, tmp_path: Path, lock: str) -> None:
    filled(tmp_path / "a.db", "delete", mib=1)
    with held(tmp_path / "a.db", f"BEGIN {lock}") as pid:
        assert look.query(str(tmp_path / "a.db"), "SELECT count(*) FROM job") == ((1150,),)
        assert look.blocked_by(str(tmp_path / "a.db"), 0.2) == (pid,)
    assert look.blocked_by(str(tmp_path / "a.db"), 0.2) == ()


def test_a_writer_of_a_log_is_told(look: Sqlite, tmp_path: Path) -> None:
    filled(tmp_path / "a.db", "wal", mib=1)
    with held(tmp_path / "a.db", "BEGIN IMMEDIATE") as pid:
        assert look.blocked_by(str(tmp_path / "a.db"), 0.2) == (pid,)


def test_a_lock_is_found_where_the_kernel_keeps_no_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_listed", lambda file, places, kind: [])
    filled(tmp_path / "a.db", "delete", mib=1)
    with held(tmp_path / "a.db", "BEGIN EXCLUSIVE") as pid:
        assert databases.write_locks(str(tmp_path / "a.db")) == [pid]
    assert databases.write_locks(str(tmp_path / "a.db")) == []


def test_many_short_transactions_are_no_long_one(look: Sqlite, tmp_path: Path) -> None:
    filled(tmp_path / "a.db", "delete", mib=1)
    with writing(tmp_path / "a.db"):
        assert look.blocked_by(str(tmp_path / "a.db"), 1.0) == ()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_writer_who_does_not_wait_never_fails_for_us(
    look: Sqlite, tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "large.db"
    filled(path, mode, mib=100)
    with writing(path) as told:
        for full in (True, False):
            with contextlib.suppress(Refused):
                assert Sqlite(Host()).check(str(path), full=full, deadline=60.0) == ()
        with contextlib.suppress(Refused):
            look.query(str(path), "SELECT count(*) FROM job", deadline=60.0)
    assert told.failed == 0
    assert told.written > 100
    assert look.check(str(path), deadline=60.0) == ()
