"""Two trees are compared by content, and a lock is looked at without disturbing anybody."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from plugins.eyes import locks, twins
from plugins.tests.runs import open_the_way

LEAVES = ["debug/", "*.log"]


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two equal trees of a hundred files."""
    pair = tmp_path / "one", tmp_path / "other"
    for side in pair:
        for number in range(100):
            path = side / f"f{number % 5}" / f"{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"%d" % number * (number * 1000))
    return pair


def told(sides: tuple[Path, Path], known: dict[str, str] | None = None) -> dict[str, object]:
    return twins.compare(str(sides[0]), str(sides[1]), LEAVES, known or {}, 1000)


def test_equal_trees_are_the_same_and_are_not_read_again(sides: tuple[Path, Path]) -> None:
    assert told(sides)["same"] == {}, "what was written a moment ago is not remembered"
    time.sleep(2.1)
    first = told(sides)
    assert first["read"] == first["alike"] == 100
    same = first["same"]
    assert isinstance(same, dict)
    again = told(sides, same)
    assert (again["read"], again["alike"], again["same"]) == (0, 100, same)
    # One size and one time as before: the time of the change of the file itself tells.
    path = sides[1] / "f3" / "8"
    kept = path.stat()
    path.write_bytes(b"9" * kept.st_size)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert [row[0] for row in told(sides, same)["differ"]] == ["f3/8"]  # type: ignore[attr-defined]


def test_every_kind_of_difference_is_told(sides: tuple[Path, Path]) -> None:
    one, other = sides
    (one / "f0" / "5").unlink()
    (other / "f0" / "10").unlink()
    (other / "f1" / "6").write_bytes(b"longer than it was" * 1000)
    (one / "link").symlink_to("/nowhere")
    (other / "link").symlink_to("/elsewhere")
    (one / "f2" / "kind").symlink_to("7")
    (other / "f2" / "kind").write_bytes(b"7")
    seen = told(sides)
    assert [row[0] for row in seen["only_one"]] == ["f0/10"]  # type: ignore[attr-defined]
    assert [row[0] for row in seen["only_other"]] == ["f0/5"]  # type: ignore[attr-defined]
    assert [row[0] for row in seen["differ"]] == [  # type: ignore[attr-defined]
        "f1/6",
        "f2/kind",
        "link",
    ]


def test_what_is_left_out_and_what_is_no_file_is_passed_over(sides: tuple[Path, Path]) -> None:
    (sides[0] / "f0" / "debug").mkdir()
    (sides[0] / "f0" / "debug" / "x").touch()
    (sides[0] / "run.log").touch()
    os.mkfifo(sides[0] / "fifo")
    (sides[1] / b"\xff\n\x1b[31m".decode("utf-8", "surrogateescape")).touch()
    seen = told(sides)
    assert seen["only_one"] == []
    assert len(seen["only_other"]) == 1  # type: ignore[arg-type]
    with pytest.raises(OSError, match="too many"):
        twins.compare(str(sides[0]), str(sides[1]), [], {}, 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_what_may_not_be_read_is_not_missing(tmp_path: Path, sides: tuple[Path, Path]) -> None:
    open_the_way(tmp_path)
    (sides[1] / "f0").chmod(0)
    (sides[1] / "f1" / "1").chmod(0)
    os.seteuid(65534)
    try:
        seen = told(sides)
    finally:
        os.seteuid(0)
    assert [row[0] for row in seen["unread"]] == ["f0", "f1/1"]  # type: ignore[attr-defined]
    assert (seen["only_one"], seen["differ"]) == ([], [])


def test_a_lock_is_held_or_not(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert locks.look(str(path))["kind"] == "absent"
    path.touch()
    assert locks.look(str(path))["held"] is False
    descriptor = os.open(path, os.O_RDWR)
    for take in (fcntl.LOCK_EX, fcntl.LOCK_SH):
        fcntl.flock(descriptor, take)
        assert locks.look(str(path))["held"] is True
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
    assert locks.look(str(path))["held"] is False


def test_what_is_no_lock_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "link", "folder"):
        assert locks.look(str(tmp_path / name))["kind"] == "other"
        assert locks.look(str(tmp_path / name))["held"] is False
