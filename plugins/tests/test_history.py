"""The file of the history: runs that write at once, and what a kill, a fault or a foe leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.finding import Finding, Measure, Outcome, Severity
from plugins.history import pruning
from plugins.history.file import NAME, NoHistory
from plugins.history.store import Memory, Ran, Store
from plugins.history.subject import Subject
from plugins.run import new_id
from plugins.tests.toy import ROOT

HERE = Subject(demo=False, spec="local://", name="box", systems="")
DAY = 86_400.0
NOW = 1_800_000_000.0


def finding(name: str, outcome: Outcome = Outcome.ILL, **more: Any) -> Finding:
    words = {"system": "toy", "severity": Severity.P2, "title": "It is well", **more}
    return Finding(id=f"toy.{name}", outcome=outcome, **words)


def ran(*findings: Finding, at: float = NOW, **more: Any) -> Ran:
    tally = {"states": {"toy": "P2"}}
    words = {"id": new_id(), "started": at, "seconds": 1.5, "status": 1, "tally": tally, **more}
    return Ran(findings=findings, **words)


class Box:
    """A state folder, its store, and what the store told."""

    def __init__(self, folder: Path, days: int = 90) -> None:
        self.told: list[str] = []
        self.folder = folder
        self.path = folder / NAME
        self.store = Store(folder, days, self.told.append)

    def keep(self, *findings: Finding, **more: Any) -> int:
        return self.store.keep(HERE, ran(*findings, **more))

    def recall(self) -> Memory:
        return self.store.recall(HERE)

    def aside(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("history-damaged-*"))

    def count(self, table: str) -> int:
        with sqlite3.connect(self.path) as base:
            return int(base.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "state")


def test_a_run_is_there_for_the_next_one_and_for_its_owner_alone(box: Box) -> None:
    assert box.recall() == Memory()
    assert not box.folder.exists()
    measure = Measure("used on /", 91.5, "%", 90.0)
    box.keep(finding("a", measures=(measure,), duration_s=0.25), finding("b", Outcome.HEALTHY))
    memory = box.recall()
    assert {name: s.mind for name, s in memory.standings.items()} == {
        "toy.a": "P2",
        "toy.b": "well",
    }
    (before,) = memory.runs
    assert (before.status, before.seconds, dict(before.states)) == (1, 1.5, {"toy": "P2"})
    assert box.path.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(box.path) as base:
        rows = base.execute("SELECT outcome, severity, milliseconds, measures FROM results")
        assert rows.fetchall() == [
            ("ill", "P2", 250, '[["used on /",91.5,"%",90.0]]'),
            ("healthy", "P2", 0, None),
        ]
    assert box.told == []


def test_hosts_demos_and_systems_files_are_told_apart(box: Box) -> None:
    others = [
        Subject(demo=True, spec="local://", name="box", systems=""),
        Subject(demo=False, spec="ssh://box", name="box", systems=""),
        Subject(demo=False, spec="local://", name="other", systems=""),
        Subject(demo=False, spec="local://", name="box", systems="/etc/health.toml"),
    ]
    box.keep(finding("a"))
    assert [box.store.recall(one) for one in others] == [Memory()] * 4
    for one in others:
        box.store.keep(one, ran(finding("a", Outcome.HEALTHY)))
    assert box.recall().standings["toy.a"].mind == "P2"
    assert len(box.recall().runs) == 1


def test_a_renamed_check_keeps_what_is_known_of_it(box: Box) -> None:
    box.keep(finding("old"), at=NOW)
    box.keep(finding("new"), at=NOW + 60, formerly={"toy.new": ("toy.older", "toy.old")})
    assert set(box.recall().standings) == {"toy.new"}
    assert box.recall().standings["toy.new"].first_ill == NOW
    assert (box.count("checks"), box.count("results")) == (1, 2)


WRITER = """
import sys
from pathlib import Path
from plugins.tests.test_history import Box, finding, ran, HERE
box = Box(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    box.keep(*(finding(f"c{n}") for n in range(int(sys.argv[3]))))
assert not box.told, box.told
"""


def writer(box: Box, runs: int, checks: int) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", WRITER, str(box.folder), str(runs), str(checks)]
    return subprocess.Popen(argv, cwd=ROOT)


def test_runs_that_end_at_once_are_all_kept(box: Box) -> None:
    writers = [writer(box, 6, 20) for _ in range(5)]
    assert [one.wait(50) for one in writers] == [0] * 5
    assert (box.count("runs"), box.count("results")) == (30, 600)
    assert box.recall().standings["toy.c0"].recent == "i" * 30
    assert box.aside() == box.told == []


def test_a_run_that_is_killed_while_it_writes_loses_no_earlier_one(box: Box) -> None:
    box.keep(finding("a"))
    journal = box.path.with_name(f"{NAME}-journal")
    process = writer(box, 1, 40_000)
    size = box.path.stat().st_size
    while process.poll() is None and not (journal.exists() and box.path.stat().st_size > size):
        time.sleep(0.001)  # its transaction is half in the file by then
    assert process.poll() is None, "it was too quick to be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert journal.exists()
    assert set(box.recall().standings) == {"toy.a"}
    box.keep(finding("b"))
    assert (box.count("runs"), box.count("results")) == (2, 2)
    assert box.aside() == box.told == []


def spoilt(path: Path, how: str) -> None:
    """Damage the file in one of the ways in which files are damaged."""
    whole = path.read_bytes()
    if how == "text":
        path.write_text("once upon a time\n" * 400)
    elif how == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "zeroed":
        path.write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    else:
        path.unlink(missing_ok=how != "foreign")
        statement = {
            "foreign": "CREATE TABLE x (y)",
            "trigger": "CREATE TRIGGER x AFTER INSERT ON runs BEGIN DELETE FROM runs; END",
            "column": "ALTER TABLE runs RENAME COLUMN tally TO other",
            "shaped": "UPDATE runs SET tally = '{\"states\": []}'",
            "typed": "UPDATE runs SET tally = 'once', started = 'upon'",
            "encoded": "UPDATE standings SET mind = CAST(x'ff' AS TEXT)",
        }[how]
        if how != "foreign":
            path.write_bytes(whole)
        with sqlite3.connect(path) as base:
            base.execute(statement)


@pytest.mark.parametrize(
    "how",
    ["text", "truncated", "zeroed", "foreign", "trigger", "column", "shaped", "typed", "encoded"],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(box: Box, how: str) -> None:
    box.keep(*(finding(f"c{n}") for n in range(300)))
    spoilt(box.path, how)
    before = box.path.read_bytes()
    assert box.recall() == Memory()
    (aside,) = box.aside()
    assert (box.folder / aside).read_bytes() == before
    (told,) = box.told
    assert "damaged" in told
    assert aside in told
    box.keep(finding("a"))
    box.keep(finding("a"))
    assert len(box.recall().runs) == 2
    assert (box.aside(), box.told) == ([aside], [told])


def test_damage_that_no_read_meets_is_found_within_a_day(box: Box) -> None:
    for number in range(3):
        box.keep(*(finding(f"c{n}") for n in range(400)), at=NOW + number)
    with sqlite3.connect(box.path) as base:
        base.execute("UPDATE upkeep SET checked = ?", (NOW,))
        (root,) = base.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'results'"
        ).fetchone()
    content = bytearray(box.path.read_bytes())
    content[(root - 1) * 4096 + 12 : (root - 1) * 4096 + 100] = b"\xff" * 88
    box.path.write_bytes(content)
    box.recall()
    assert box.told == []
    box.keep(finding("a"), at=NOW + DAY + 1)
    assert len(box.told) == len(box.aside()) == 1
    assert len(box.recall().runs) == 1


def test_what_a_newer_version_wrote_is_left_alone(box: Box) -> None:
    box.keep(finding("a"))
    with sqlite3.connect(box.path) as base:
        base.execute("PRAGMA user_version = 2")
    before = box.path.read_bytes()
    with pytest.raises(NoHistory, match="newer version"):
        box.recall()
    with pytest.raises(NoHistory, match="newer version"):
        box.keep(finding("a"))
    assert box.path.read_bytes() == before
    assert box.aside() == []


def test_a_symbolic_link_is_not_followed(box: Box, tmp_path: Path) -> None:
    box.folder.mkdir(mode=0o700)
    target = tmp_path / "precious"
    target.write_text("precious")
    for name in ("history.lock", NAME):
        (box.folder / name).symlink_to(target)
        with pytest.raises(NoHistory):
            box.keep(finding("a"))
        (box.folder / name).unlink()
    box.keep(finding("a"))
    (box.folder / f"{NAME}-journal").symlink_to(target)
    with pytest.raises(NoHistory):
        box.keep(finding("a"))
    (box.folder / f"{NAME}-journal").unlink()
    assert target.read_text() == "precious"
    assert len(box.recall().runs) == 1
    box.path.unlink()
    os.mkfifo(box.path)
    with pytest.raises(NoHistory, match="no regular file"):
        box.recall()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "small", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("needs root, to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_or_read_only_folder_keeps_the_earlier_runs(small: Path) -> None:
    box = Box(small)
    box.keep(finding("a"))
    with pytest.raises(NoHistory, match="full"):
        box.keep(*(finding(f"c{n}") for n in range(4000)))
    assert set(box.recall().standings) == {"toy.a"}
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    assert len(box.recall().runs) == 1
    with pytest.raises(NoHistory, match="Read-only"):
        box.keep(finding("a"))
    assert box.told == []


def test_old_runs_leave_piece_by_piece(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.store = Store(box.folder, 10, box.told.append)
    for day in range(50):
        at = NOW - (90 - day / 100) * DAY
        box.keep(finding("a"), finding("gone") if day == 0 else finding("b"), at=at)
    assert box.count("runs") == 50
    counts = []
    for number in range(4):
        box.keep(finding("a"), at=NOW + number)
        counts.append(box.count("runs"))
    # The first one might be of a wrong clock: it makes nothing old by itself.
    assert counts == [51, 32, 13, 4]
    assert box.count("results") == 4
    assert box.recall().standings["toy.a"].first_ill == NOW - 90 * DAY
    assert set(box.recall().standings) == {"toy.a"}
    monkeypatch.setattr(pruning, "LARGEST", 1)  # as if they filled too much
    box.keep(finding("a"), at=NOW + 9)
    assert box.count("runs") == 1
