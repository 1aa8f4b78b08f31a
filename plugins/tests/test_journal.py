"""The journal: written before a step is taken, to the disk, for its owner alone."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.hosts import Host
from plugins.journal import Journal, alone, shed
from plugins.steps import (
    Chmod,
    DropLines,
    Gzip,
    Link,
    Mkdir,
    Move,
    Quarantine,
    Refusal,
    Run,
    Step,
    Write,
)
from plugins.tests.toy import ROOT, tree
from plugins.tests.worksite import journal, make, root

__all__ = ["journal", "root"]

STEPS: dict[str, Callable[[str], Step]] = {
    "chmod": lambda path: Chmod(path, 0o600),
    "mkdir": lambda path: Mkdir(path + ".d"),
    "move": lambda path: Move(path, path + ".m"),
    "quarantine": Quarantine,
    "write": lambda path: Write(path, b"token = verysecretvalue1", 0o600),
    "drop": lambda path: DropLines(path, (1, 2)),
    "gzip": Gzip,
    "link": lambda path: Link(path + ".l", "x"),
}


def lines(journal: Journal) -> list[dict[str, object]]:
    return [json.loads(line) for line in journal.path.read_text().splitlines()]


def test_it_is_private_and_names_what_was_done_without_contents(
    root: Path, journal: Journal
) -> None:
    path = make(root, "file")
    old_umask = os.umask(0)
    try:
        journal.take("x.y", STEPS["write"](path), (str(root),))
        journal.take("x.y", Run(("true", "--password", "verysecretvalue2")), ())
    finally:
        os.umask(old_umask)
    assert journal.path.stat().st_mode & 0o777 == 0o600
    for folder in (journal.path.parent, journal.quarantine):
        assert folder.stat().st_mode & 0o777 == 0o700
    text = journal.path.read_text()
    assert "verysecret" not in text
    head, intended, taken, *_ = lines(journal)
    assert set(head) == {"run", "host", "at"}
    assert (intended["intended"], intended["check"]) == (0, "x.y")
    assert taken["taken"] == 0


def test_it_only_grows_and_is_on_the_disk_before_the_step_is_taken(
    root: Path, journal: Journal, tmp_path: Path
) -> None:
    path = make(root, "file")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from plugins.hosts import Host\n"
        "from plugins.journal import Journal\n"
        "from plugins.steps import Move\n"
        "root = sys.argv[2]\n"
        "journal = Journal(Path(sys.argv[3]), 'run', Host())\n"
        "journal.take('x.y', Move(f'{root}/file', f'{root}/moved'), (root,))\n"
    )
    trace = tmp_path / "trace"
    calls = "trace=openat,write,fsync,rename,renameat,renameat2,ftruncate,unlink,unlinkat"
    argv = ["strace", "-f", "-qq", "-e", calls, "-o", str(trace), sys.executable, "-B", "-c", code]
    subprocess.run([*argv, str(ROOT), str(root), str(journal.path.parents[1])], check=True)
    said = trace.read_text()
    assert not Path(path).exists()
    said = said[said.index("run.jsonl") :]
    order = [said.index(word) for word in ('"{\\"intended', "rename", '"{\\"taken')]
    assert order == sorted(order)
    assert "fsync(" in said[order[0] : order[1]]
    assert "fsync(" in said[order[2] :]
    assert "O_APPEND" in said
    assert "ftruncate" not in said


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("was_taken", [True, False])
@pytest.mark.parametrize("cut", [0, 7])
def test_a_crash_beside_a_step_is_harmless(
    kind: str, was_taken: bool, cut: int, root: Path, journal: Journal
) -> None:
    path = make(root, "file")
    before = tree(root)
    journal.take("x.y", STEPS[kind](path), (str(root),))
    taken = journal.path.read_bytes()
    if not was_taken:
        journal.take_back(journal.entries()[0])
        assert tree(root) == before
    rows = taken.splitlines(keepends=True)
    journal.path.write_bytes(b"".join(rows[:2]) + rows[2][:cut])
    (entry,) = journal.entries()
    assert entry.after is None
    said = journal.take_back(entry)
    assert said.startswith("taken back" if was_taken else "was never taken")
    assert tree(root) == before
    assert all(entry.undone for entry in journal.entries())
    other = root / "other"
    journal.take("x.y", Mkdir(str(other)), (str(root),))
    assert [entry.undone for entry in journal.entries()] == [True, False]


def test_an_undo_that_was_cut_short_is_finished_by_the_next(root: Path, journal: Journal) -> None:
    path = make(root, "file")
    before = tree(root)
    journal.take("x.y", STEPS["write"](path), (str(root),))
    entry = journal.entries()[0]
    text = journal.path.read_bytes()
    journal.take_back(entry)
    journal.path.write_bytes(text)  # the line that says so was lost
    assert journal.take_back(entry).startswith("stands as before already")
    assert tree(root) == before


def test_the_quarantine_is_gone_or_the_place_taken(root: Path, journal: Journal) -> None:
    for name in ("a", "b"):
        journal.take("x.y", Quarantine(make(root, name)), (str(root),))
    first, second = journal.entries()
    os.unlink(first.slot)
    with pytest.raises(Refusal, match="No such file"):
        journal.take_back(first)
    (root / "b").write_text("somebody's own")
    with pytest.raises(Refusal, match="somebody changed"):
        journal.take_back(second)
    assert os.path.exists(second.slot)


def test_rubbish_between_the_lines_does_not_matter(root: Path, journal: Journal) -> None:
    path = make(root, "file")
    journal.take("x.y", STEPS["chmod"](path), (str(root),))
    with journal.path.open("ab") as file:
        file.write(b"\0\0\0\n17\n[1]\n\xff\n{")
    assert len(journal.entries()) == 1
    journal.take("x.y", STEPS["gzip"](path), (str(root),))
    assert [entry.after is not None for entry in journal.entries()] == [True, True]


def test_a_journal_that_can_not_be_written_takes_no_step(root: Path, tmp_path: Path) -> None:
    path = make(root, "file")
    before = tree(root)
    state = tmp_path / "state"
    (state / "journal").mkdir(parents=True)
    (state / "journal" / "run.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="cannot be written"):
        Journal(state, "run", Host()).take("x.y", STEPS["chmod"](path), (str(root),))
    assert tree(root) == before
    assert not (tmp_path / "elsewhere").exists()


def test_the_lock_lets_one_in(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(Refusal, match="another run"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


class _Light(Write):
    light = True


def test_a_light_step_is_known_by_identity_and_is_taken_back_where_nobody_wrote(
    root: Path, journal: Journal
) -> None:
    before = tree(root)
    first, second = str(root / "first"), str(root / "second")
    for path in (first, second):
        journal.take("x.y", _Light(path, b"new", 0o600), (str(root),))
    assert all(entry.light for entry in journal.entries())
    Path(second).write_bytes(b"own")
    journal.take_back(journal.entries()[0])
    assert not Path(first).exists()
    with pytest.raises(Refusal, match="somebody changed"):
        journal.take_back(journal.entries()[1])
    Path(second).unlink()
    assert tree(root) == before


def test_steps_are_counted_without_reading_and_what_others_wrote_counts(
    root: Path, journal: Journal
) -> None:
    other = Journal(journal.path.parents[1], journal.run, Host())
    for number in range(4):
        (journal, other)[number % 2].take("x.y", Mkdir(str(root / str(number))), (str(root),))
    assert [entry.number for entry in journal.entries()] == [0, 1, 2, 3]
    assert journal.count() == other.count() == 4


def test_old_journals_of_a_watch_go_when_they_keep_nothing(tmp_path: Path) -> None:
    names = [f"{number:02}" for number in range(8)]
    for name in names:
        (tmp_path / "quarantine" / name).mkdir(parents=True)
        (tmp_path / "journal").mkdir(exist_ok=True)
        (tmp_path / "journal" / f"{name}.jsonl").touch()
    (tmp_path / "quarantine" / "01" / "0000-kept").touch()
    assert shed(tmp_path, names) == ["01", *names[3:]]
    assert [path.stem for path in sorted((tmp_path / "journal").iterdir())] == ["01", *names[3:]]
    assert shed(tmp_path, names[:3]) == names[:3]


def test_a_few_old_journals_stay_whatever_they_keep(tmp_path: Path) -> None:
    names = [f"{number:02}" for number in range(4)]
    (tmp_path / "journal").mkdir()
    for name in names:
        (tmp_path / "journal" / f"{name}.jsonl").touch()
    assert shed(tmp_path, names) == names
    assert sorted(path.stem for path in (tmp_path / "journal").iterdir()) == names


def test_a_line_that_the_disk_takes_in_part_takes_no_step(root: Path, journal: Journal) -> None:
    path = make(root, "file")
    journal.take("x.y", STEPS["chmod"](path), (str(root),))
    before, size = tree(root), journal.path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, limits[1]))
    try:
        with pytest.raises(Refusal, match="No space left"):
            journal.take("x.y", STEPS["mkdir"](path), (str(root),))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert tree(root) == before
    journal.take("x.y", STEPS["mkdir"](path), (str(root),))
    assert [entry.number for entry in journal.entries()] == [0, 1]
