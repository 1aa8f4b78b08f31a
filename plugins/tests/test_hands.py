"""What a step refuses, and what it leaves behind when the disk or the process gives up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.hands.content import reencode
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.steps import (
    Chmod,
    Chown,
    Copy,
    DropLines,
    EndGroup,
    Gzip,
    Hands,
    Link,
    Mkdir,
    Move,
    Quarantine,
    Refusal,
    Step,
    Write,
)
from plugins.tests.toy import tree
from plugins.tests.worksite import CONTENT, hands_on, journal, make, root

__all__ = ["journal", "root"]

TOUCHING: dict[str, Callable[[str], Step]] = {
    "chmod": lambda path: Chmod(path, 0o4711),
    "chown": lambda path: Chown(path, 5, 6),
    "move": lambda path: Move(path, path + ".moved"),
    "write": lambda path: Write(path, b"new", 0o604),
    "drop": lambda path: DropLines(path, (3, 1, 2)),
    "gzip": Gzip,
    "quarantine": Quarantine,
    "mkdir": Mkdir,
    "link": lambda path: Link(path, "x"),
}


@pytest.mark.parametrize("kind", TOUCHING)
def test_nothing_is_touched_through_a_link_or_outside(
    kind: str, root: Path, tmp_path: Path, journal: Journal
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    make(outside, "file")
    (root / "way").symlink_to(outside)
    (root / "in").mkdir()
    for path in (
        root / "way" / "file",
        root / "way" / "fresh",
        outside / "file",
        Path("/etc/passwd"),
        Path("relative"),
        tmp_path / "rootless",
    ):
        before = tree(tmp_path)
        with pytest.raises(Refusal):
            TOUCHING[kind](str(path)).take(hands_on(root))
        assert {k: v for k, v in tree(tmp_path).items() if "slots" not in k} == before
        for slot in (tmp_path / "slots").iterdir():
            slot.unlink()
        (tmp_path / "slots").rmdir()
    for odd in (f"{root}/in/../../outside/file", f"{root}/a\0b", f"{root}/\ud800"):
        with pytest.raises(Refusal):
            journal.take("x.y", TOUCHING[kind](odd), (str(root),))


@pytest.mark.parametrize("kind", ["chmod", "chown", "write", "drop", "gzip"])
def test_a_link_is_no_target_of_these(kind: str, root: Path) -> None:
    target = make(root, "file")
    (root / "link").symlink_to(target)
    before = tree(root)
    with pytest.raises(Refusal, match="symbolic link"):
        TOUCHING[kind](str(root / "link")).take(hands_on(root))
    assert tree(root) == before


@pytest.mark.parametrize("kind", ["write", "drop", "gzip", "link", "copy"])
def test_a_fifo_or_folder_is_not_replaced(kind: str, root: Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "folder").mkdir()
    source = make(root, "source")
    before = tree(root)
    for name in ("fifo", "folder"):
        path = str(root / name)
        step = Copy(path, source=source) if kind == "copy" else TOUCHING[kind](path)
        with pytest.raises(Refusal, match=r"no regular file|no symbolic link"):
            step.take(hands_on(root))
    with pytest.raises(Refusal, match="no regular file"):
        Copy(str(root / "new"), source=str(root / "fifo")).take(hands_on(root))
    assert tree(root) == before


def test_what_changed_or_is_written_to_is_left_alone(root: Path) -> None:
    path = Path(make(root, "file"))
    status = path.stat()
    seen = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
    Chmod(str(path), 0o600, seen=seen).take(hands_on(root))
    path.write_bytes(CONTENT + b"more")
    for step in (Chmod(str(path), 0o644, seen=seen), Quarantine(str(path), seen=seen)):
        with pytest.raises(Refusal, match="changed since"):
            step.take(hands_on(root))
    with path.open("ab"):
        for make_step in (Quarantine, Gzip, TOUCHING["write"], TOUCHING["drop"]):
            with pytest.raises(Refusal, match=f"process {os.getpid()} holds it open for writing"):
                make_step(str(path)).take(hands_on(root))
        Chmod(str(path), 0o600).take(hands_on(root))
    path.unlink()
    with pytest.raises(Refusal, match="gone since"):
        Quarantine(str(path), seen=seen).take(hands_on(root))


def test_nothing_is_ever_replaced_by_a_move(root: Path) -> None:
    make(root, "a")
    make(root, "b")
    make(root, "a.gz")
    (root / "folder").mkdir()
    before = tree(root)
    for step in (
        Move(str(root / "a"), str(root / "b")),
        Move(str(root / "a"), str(root / "folder")),
        Mkdir(str(root / "folder")),
        Gzip(str(root / "a")),
        Move(str(root / "a"), str(root / "none" / "x")),
        Move(str(root / "a"), str(root.parent / "x")),
    ):
        with pytest.raises(Refusal):
            step.take(hands_on(root))
    os.link(root / "b", root / "b2")
    with pytest.raises(Refusal, match="hard link"):
        Gzip(str(root / "b")).take(hands_on(root))
    (root / "b2").unlink()
    assert tree(root) == before


def started(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_only_the_process_that_was_seen_is_ended() -> None:
    hands = Hands(Host(), (), "/none")
    group = "trap '' TERM; sleep 60 & sleep 60 & wait"
    with subprocess.Popen(["sh", "-c", group], start_new_session=True) as process:
        ticks = started(process.pid)
        with pytest.raises(Refusal, match="not the one"):
            EndGroup(process.pid, ticks + 1).take(hands)
        with pytest.raises(Refusal, match="not the one"):
            EndGroup(process.pid, 0).take(hands)
        assert process.poll() is None
        time.sleep(0.1)
        EndGroup(process.pid, ticks, patience=0.3).take(hands)
        assert process.wait(5) == -9
    with pytest.raises(Refusal, match="not the one"):
        EndGroup(process.pid, ticks).take(hands)
    with pytest.raises(Refusal, match="not the one"):
        EndGroup(process.pid, 0).take(hands)


def test_a_member_of_our_group_is_ended_alone_and_we_never() -> None:
    hands = Hands(Host(), (), "/none")
    with subprocess.Popen(["sleep", "60"]) as ours:
        EndGroup(ours.pid, started(ours.pid)).take(hands)
        assert ours.wait(5) == -15
    for pid in (0, 1, -1, os.getpid()):
        with pytest.raises(Refusal, match="not one that a fix may end"):
            EndGroup(pid, 1 if pid < 1 else started(pid)).take(hands)
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from plugins.hands import tasks\n"
        "child = os.fork()\n"
        "if child: os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "pid = os.getppid()\n"
        "said = tasks.end_group(pid, tasks.started(pid), 1.0)\n"
        "os._exit(0 if 'leads the group' in said['refused'] else 1)\n"
    )
    argv = [sys.executable, "-c", code, str(Path(__file__).parents[2])]
    assert subprocess.run(argv, start_new_session=True, check=False).returncode == 0


def test_letters_that_are_right_stay_where_one_byte_is_none(root: Path) -> None:
    made = root / "mixed.json"
    made.write_bytes('{"t":"Grüße '.encode() + b'\xff"}')
    assert reencode(str(made), [str(root)], "utf-8", 1000) == {}
    assert made.read_text("utf-8") == '{"t":"Grüße \ufffd"}'
