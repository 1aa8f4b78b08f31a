"""Steps on SQLite databases: backups that no writer notices, and whole ones for broken ones."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from plugins.endpoints.sqlite import Sqlite
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.steps import Refusal
from plugins.steps.databases import BackUpDatabase, RecoverDatabase, RestoreDatabase
from plugins.tests.sqlite_writers import filled, held, writing
from plugins.tests.worksite import back, journal, root

__all__ = ["journal", "root"]

ODD = 'it\'s "odd" $(id) \\ ?#%.db'


def take(journal: Journal, root: Path, step: object) -> None:
    journal.take("toy.check", step, (str(root),))  # type: ignore[arg-type]


def count(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as one:
        return int(one.execute("SELECT count(*) FROM job").fetchone()[0])


def with_a_broken_index(path: Path, mode: str = "delete") -> None:
    filled(path, mode, mib=1)
    with contextlib.closing(sqlite3.connect(path)) as one:
        page = one.execute("SELECT rootpage FROM sqlite_master WHERE name = 'job_id'").fetchone()
    with path.open("r+b") as file:
        file.seek((page[0] - 1) * 4096)
        file.write(b"\xff" * 2048)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_backup_is_taken_and_taken_back(journal: Journal, root: Path, mode: str) -> None:
    source, target = root / ODD, root / f"copy of {ODD}"
    filled(source, mode, mib=1)
    before = source.read_bytes()
    take(journal, root, BackUpDatabase(str(target), str(source)))
    assert count(target) == count(source)
    assert target.stat().st_mode & 0o777 == 0o600
    assert source.read_bytes() == before
    assert sorted(one.name for one in root.iterdir()) == sorted([source.name, target.name])
    back(journal)
    assert not target.exists()


def test_a_backup_can_be_typed(root: Path) -> None:
    source, target = root / ODD, root / f"copy of {ODD}"
    filled(source, "delete", mib=1)
    line = str(BackUpDatabase(str(target), str(source)))
    subprocess.run(["bash", "-euc", line], check=True)
    assert count(target) == count(source)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_backup_that_is_taken_beside_a_writer_lets_it_write(journal: Journal, root: Path) -> None:
    for mode in ("wal", "delete"):
        source, target = root / f"{mode}.db", root / f"{mode}-copy.db"
        filled(source, mode, mib=20)
        # Without a log, what is written all the time cannot be copied without a lock.
        refused = contextlib.suppress(*([Refusal] if mode == "delete" else []))
        with writing(source) as told, refused:
            take(journal, root, BackUpDatabase(str(target), str(source)))
        assert told.failed == 0
        assert told.written > 0
        assert mode == "delete" or count(target) >= 20 * 1150
        if target.exists():
            assert Sqlite(Host()).check(str(target)) == ()


def test_a_log_that_a_crash_left_is_in_the_backup(journal: Journal, root: Path) -> None:
    source, target = root / "a.db", root / "copy.db"
    filled(source, "wal", mib=1)
    with held(source, "INSERT INTO job VALUES (7, 'in the log')"):
        pass
    (root / "a.db-shm").unlink()
    before = {one.name: one.read_bytes() for one in root.iterdir()}
    assert set(before) == {"a.db", "a.db-wal"}
    take(journal, root, BackUpDatabase(str(target), str(source)))
    assert count(target) == 1151
    assert {one.name: one.read_bytes() for one in root.iterdir() if one != target} == before


def test_what_is_broken_is_not_backed_up(journal: Journal, root: Path) -> None:
    with_a_broken_index(root / "a.db")
    with pytest.raises(Refusal, match="not whole"):
        take(journal, root, BackUpDatabase(str(root / "copy.db"), str(root / "a.db")))
    assert not (root / "copy.db").exists()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_recovered_database_is_dressed_as_the_old_one(
    journal: Journal, root: Path, mode: str
) -> None:
    path = root / ODD
    with_a_broken_index(path, mode)
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12, 34)
    before, seen = path.read_bytes(), path.stat()
    take(journal, root, RecoverDatabase(str(path), ("job",)))
    now = path.stat()
    assert count(path) == 1150
    assert Sqlite(Host()).check(str(path)) == ()
    assert (now.st_mode, now.st_uid, now.st_gid) == (seen.st_mode, seen.st_uid, seen.st_gid)
    assert (path.read_bytes()[18:20] == b"\2\2") == (mode == "wal")
    back(journal)
    assert path.read_bytes() == before
    assert [one.name for one in root.iterdir()] == [path.name]


def test_a_recovery_can_be_typed(root: Path) -> None:
    path = root / ODD
    with_a_broken_index(path)
    subprocess.run(["bash", "-euc", str(RecoverDatabase(str(path), ("job",)))], check=True)
    assert count(path) == 1150
    assert Sqlite(Host()).check(str(path)) == ()


def test_a_typed_recovery_gives_no_known_rows_up(root: Path) -> None:
    path = root / ODD
    filled(path, "delete", mib=1)
    with path.open("r+b") as file:
        file.seek(4096 * 100)
        file.write(b"\xff" * 2048)
    before = path.read_bytes()
    line = str(RecoverDatabase(str(path), ("job",)))
    assert subprocess.run(["bash", "-euc", line], check=False).returncode != 0
    assert path.read_bytes() == before
    line = str(RecoverDatabase(str(path), ("job",), losing=True))
    subprocess.run(["bash", "-euc", line], check=True)
    assert 1000 < count(path) < 1150


def test_a_database_in_use_is_not_replaced(journal: Journal, root: Path) -> None:
    with_a_broken_index(root / "a.db")
    filled(root / "backup.db", "delete", mib=1)
    before = (root / "a.db").read_bytes()
    with held(root / "a.db", "SELECT 1") as pid:
        for step in (
            RecoverDatabase(str(root / "a.db"), ("job",)),
            RestoreDatabase(str(root / "a.db"), ("job",), str(root / "backup.db")),
        ):
            with pytest.raises(Refusal, match=f"process {pid} holds it open"):
                take(journal, root, step)
    assert (root / "a.db").read_bytes() == before


def test_a_missing_shell_is_told_with_what_brings_it(
    journal: Journal, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_broken_index(root / "a.db")
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(Refusal, match="apt-get install sqlite3"):
        take(journal, root, RecoverDatabase(str(root / "a.db"), ("job",)))


def test_commands_that_stand_in_a_schema_are_not_run(journal: Journal, root: Path) -> None:
    with_a_broken_index(root / "a.db")
    with contextlib.closing(sqlite3.connect(root / "a.db")) as one:
        one.execute("PRAGMA writable_schema = ON")
        one.execute(
            "UPDATE sqlite_master SET sql = ? WHERE name = 'job'",
            (f"CREATE TABLE job (id INTEGER, word TEXT);\n.shell touch {root}/harm\n--",),
        )
        one.commit()
    with contextlib.suppress(Refusal):
        take(journal, root, RecoverDatabase(str(root / "a.db"), ("job",), losing=True))
    with contextlib.suppress(subprocess.CalledProcessError):
        line = str(RecoverDatabase(str(root / "a.db"), ("job",)))
        subprocess.run(["bash", "-euc", line], check=True, stderr=subprocess.DEVNULL)
    assert not (root / "harm").exists()


def test_a_broken_backup_is_not_restored(journal: Journal, root: Path) -> None:
    filled(root / "a.db", "delete", mib=1)
    with_a_broken_index(root / "backup.db")
    (root / "other.db").touch()
    before = (root / "a.db").read_bytes()
    for name in ("backup.db", "other.db"):
        with pytest.raises(Refusal):
            take(journal, root, RestoreDatabase(str(root / "a.db"), ("job",), str(root / name)))
    assert (root / "a.db").read_bytes() == before
