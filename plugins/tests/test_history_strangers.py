"""The file of the history is as a person left it, and names are as they are."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from plugins.history import pruning
from plugins.history.file import NoHistory
from plugins.history.subject import Subject
from plugins.tests.test_history import Box, finding, ran


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "state")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX by_day ON runs (started)",
        "CREATE TABLE notes (said TEXT)",
        "CREATE VIEW last AS SELECT * FROM runs",
        "ANALYZE",
        "PRAGMA journal_mode = WAL",
        "VACUUM",
    ],
)
def test_what_a_person_adds_costs_no_run(box: Box, statement: str) -> None:
    box.keep(finding("a"))
    base = sqlite3.connect(box.path)
    base.execute(statement)
    base.close()
    box.keep(finding("a"))
    assert len(box.recall().runs) == 2
    assert box.aside() == box.told == []


def test_a_large_table_of_a_persons_own_drives_out_no_run(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.keep(finding("a"))
    with sqlite3.connect(box.path) as base:
        base.execute("CREATE TABLE notes AS SELECT zeroblob(1000000) AS said")
    monkeypatch.setattr(pruning, "LARGEST", 500_000)
    box.keep(finding("a"))
    assert box.count("runs") == 2


@pytest.mark.parametrize(
    "statement",
    [
        "DROP INDEX runs_of_host",
        "DROP TABLE upkeep; CREATE VIEW upkeep AS SELECT 0.0 AS checked",
        "CREATE TRIGGER x AFTER INSERT ON checks BEGIN DELETE FROM runs; END",
    ],
)
def test_what_changes_our_own_tables_is_no_history(box: Box, statement: str) -> None:
    box.keep(finding("a"))
    with sqlite3.connect(box.path) as base:
        base.executescript(statement)
    assert box.recall().runs == ()
    assert len(box.aside()) == len(box.told) == 1


@pytest.mark.parametrize("tail", ["-journal", "-wal", "-shm"])
def test_a_pipe_beside_the_file_is_not_waited_for(box: Box, tail: str) -> None:
    box.keep(finding("a"))
    os.mkfifo(f"{box.path}{tail}")
    with pytest.raises(NoHistory, match=f"{tail} is no regular file"):
        box.keep(finding("a"))
    os.unlink(f"{box.path}{tail}")
    assert len(box.recall().runs) == 1


def test_a_name_that_is_no_utf8_has_a_history_of_its_own(box: Box) -> None:
    box.keep(finding("a"))
    odd = Subject(demo=False, spec="local://", name="box\udcff", systems="/etc/\udcff.toml")
    box.store.keep(odd, ran(finding("b")))
    assert set(box.store.recall(odd).standings) == {"toy.b"}
    assert set(box.recall().standings) == {"toy.a"}
    assert box.aside() == box.told == []


def test_what_cannot_be_written_costs_no_earlier_run(box: Box) -> None:
    box.keep(finding("a"))
    with pytest.raises(NoHistory, match="cannot hold"):
        box.keep(finding("b\ud800"))
    assert set(box.recall().standings) == {"toy.a"}
    assert box.aside() == box.told == []


def test_the_state_folder_may_have_any_name(tmp_path: Path) -> None:
    box = Box(tmp_path / os.fsdecode(b"\xff?mode=memory#%20\n"))
    box.keep(finding("a"))
    assert set(box.recall().standings) == {"toy.a"}
    assert box.path.stat().st_size > 0
