"""What a step leaves behind: on another file system, a full disk, a sudden end."""

from __future__ import annotations

import gzip
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.hands import across, files
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.steps import (
    Chmod,
    Chown,
    Copy,
    DropLines,
    Gzip,
    Hands,
    Link,
    Mkdir,
    Move,
    Quarantine,
    Refusal,
    Write,
)
from plugins.tests.toy import tree
from plugins.tests.worksite import back, journal, make, root

__all__ = ["journal", "root"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "small", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_files_folders_and_links_move_to_another_file_system_and_back(
    root: Path, small: Path, journal: Journal
) -> None:
    deep = root / "deep" / os.fsdecode(b"\xff sub")
    deep.mkdir(parents=True, mode=0o700)
    make(root, "file")
    make(deep, "it's")
    (deep / "dead").symlink_to("/nowhere")
    os.utime(deep / "dead", ns=(1, 2), follow_symlinks=False)
    os.lchown(deep / "dead", 3, 4)
    os.mkfifo(deep / "fifo", 0o640)
    os.chown(deep, 5, 6)
    os.utime(deep, ns=(7, 8))
    (root / "link").symlink_to("file")
    before, times = tree(root), deep.stat().st_mtime_ns
    roots = (str(root), str(small))
    for name in ("file", "deep", "link"):
        journal.take("x.y", Move(str(root / name), str(small / name)), roots)
    assert list(root.iterdir()) == []
    assert {n.removeprefix(str(small)): v for n, v in tree(small).items()} == {
        n.removeprefix(str(root)): v for n, v in before.items()
    }
    back(journal)
    assert tree(root) == before
    assert deep.stat().st_mtime_ns == times
    assert list(small.iterdir()) == []


def test_contents_are_kept_across_file_systems(root: Path, small: Path) -> None:
    """The quarantine lies on another file system than the file."""
    journal = Journal(small / "state", "run", Host())
    path = make(root, "file")
    (root / "link").symlink_to("file")
    before = tree(root)
    journal.take("x.y", Write(path, b"new", 0o600), (str(root),))
    journal.take("x.y", DropLines(path, (1,)), (str(root),))
    journal.take("x.y", Link(str(root / "link"), "other"), (str(root),))
    journal.take("x.y", Quarantine(path), (str(root),))
    back(journal)
    assert tree(root) == before


def test_a_full_disk_leaves_everything_as_it_was(root: Path, small: Path, journal: Journal) -> None:
    noise = os.urandom(200 << 10)
    (small / "file").write_bytes(noise)
    (root / "big").mkdir()
    (root / "big" / "file").write_bytes(noise)
    before, elsewhere = tree(small), tree(root)
    roots = (str(root), str(small))
    for step in (
        Write(str(small / "file"), noise + b"x", 0o600),
        Write(str(small / "fresh"), noise, 0o600),
        DropLines(str(small / "file"), (10**9,)),
        Gzip(str(small / "file")),
        Move(str(root / "big"), str(small / "big")),
        Move(str(root / "big" / "file"), str(small / "moved")),
        Copy(str(small / "copied"), source=str(root / "big" / "file")),
    ):
        with pytest.raises(Refusal, match="No space left"):
            journal.take("x.y", step, roots)
        assert tree(small) == before
        assert tree(root) == elsewhere
    back(journal)
    assert tree(small) == before
    assert (small / "file").stat().st_nlink == 1


def test_a_folder_in_use_and_a_socket_do_not_cross_file_systems(root: Path, small: Path) -> None:
    (root / "d").mkdir()
    roots = (str(root), str(small))
    hands = Hands(Host(), roots, str(root / "slot"))
    with (root / "d" / "log").open("w"), pytest.raises(Refusal, match="writes to it"):
        Move(str(root / "d"), str(small / "d")).take(hands)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "d" / "s"))
        with pytest.raises(Refusal, match="socket or device"):
            Move(str(root / "d"), str(small / "d")).take(hands)
    assert list(small.iterdir()) == []


@pytest.mark.parametrize("how", ["written to", "replaced"])
def test_what_changes_while_it_is_copied_stays(
    how: str, root: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(make(root, "file"))

    def copied_and_then(name: str, here: int, new: str, there: int) -> None:
        across.duplicate(name, here, new, there)
        if how == "replaced":
            (root / "newer").write_bytes(b"newer")
            (root / "newer").replace(path)
        path.write_bytes(b"newer")

    monkeypatch.setattr(files, "duplicate", copied_and_then)
    with pytest.raises(Refusal, match="changed while it was copied"):
        Move(str(path), str(small / "file")).take(
            Hands(Host(), (str(root), str(small)), str(root / "slot"))
        )
    assert path.read_bytes() == b"newer"
    assert list(small.iterdir()) == []


def test_a_read_only_file_system_is_a_refusal(root: Path, small: Path, journal: Journal) -> None:
    path = make(small, "file")
    before = tree(small)
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    for step in (
        Chmod(path, 0o600),
        Chown(path, 5, 6),
        Move(path, f"{path}.moved"),
        Write(path, b"new", 0o600),
        DropLines(path, (1,)),
        Gzip(path),
        Quarantine(path),
        Mkdir(f"{path}.d"),
    ):
        with pytest.raises(Refusal, match=r"Read-only|cross-device"):
            journal.take("x.y", step, (str(small),))
    assert tree(small) == before


_LOOP = """
import sys
sys.path.insert(0, sys.argv[1])
from plugins.hands import across, files
from plugins.hosts import Host
from plugins.steps import *
root, kind = sys.argv[2:]
print("ready", flush=True)
number = 0
while True:
    number += 1
    hands = Hands(Host(), (root,), f"{root}/slots/{number}")
    path = f"{root}/file"
    if kind == "write":
        Write(path, bytes([65 + number % 26]) * 300_000, 0o600).take(hands)
    elif kind == "drop":
        Write(path, b"a\\n" * 100_000, 0o600).take(hands)
        DropLines(path, tuple(range(1, 50_001))).take(Hands(Host(), (root,), hands.slot + "b"))
    else:
        Gzip(path).take(hands)
        Gunzip(path).take(hands)
"""


@pytest.mark.parametrize("kind", ["write", "drop", "gzip"])
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(kind: str, root: Path) -> None:
    (root / "slots").mkdir()
    path, packed = root / "file", root / "file.gz"
    old = b"old\n" * 75_000
    path.write_bytes(old)
    whole = Path(__file__).parents[2]
    for _ in range(10):
        argv = [sys.executable, "-c", _LOOP, str(whole), str(root), kind]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.05))
            process.kill()
        if kind == "gzip":
            standing = [path.read_bytes()] if path.exists() else []
            standing += [gzip.decompress(packed.read_bytes())] if packed.exists() else []
            assert standing
            assert set(standing) == {old}
            packed.unlink(missing_ok=True)
            path.write_bytes(old)
        else:
            content = path.read_bytes()
            lines = {b"a\n" * 100_000, b"a\n" * 50_000, old}
            same = len(content) == 300_000 and len(set(content)) == 1
            assert content in lines if kind == "drop" else same or content == old
