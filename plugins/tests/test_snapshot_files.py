"""Snapshots in folders: their names, their ends, their checksums, and what strangers put there."""

from __future__ import annotations

import hashlib
import os
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from healthchecks.dgmo.snapshot_files import named
from plugins.eyes import checksums
from plugins.eyes.plain_tars import read_plain
from plugins.hosts import Host

NAMES = {
    "AgentMemories_2025-07-10_12-00-01.snapshot": ("AgentMemories", 1752148801.0),
    "AgentMemories_backup_20250710_120001.snapshot": ("AgentMemories", 1752148801.0),
    "AgentMemories-3766212330831337-2025-07-10-12-00-01.snapshot": ("AgentMemories", 1752148801.0),
    "a_b-1_2025-07-10_12-00-01.snapshot": ("a_b-1", 1752148801.0),
    "AgentMemories_2025-13-10_12-00-01.snapshot": ("AgentMemories", None),
    "mine.snapshot": ("", None),
    "\x1b[31m_9999-99-99_99-99-99.snapshot": ("\x1b[31m", None),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_tells_the_collection_and_the_date(name: str) -> None:
    assert named(name) == NAMES[name]


def packed(path: Path, size: int = 3000) -> Path:
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("config.json")
        member.size = size
        archive.addfile(member, BytesIO(b"x" * size))
    return path


def test_a_whole_one_is_read_and_summed_and_so_is_a_broken_one(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.snapshot")
    told = read_plain(str(path), 9.0)
    assert (told["fault"], told["members"], told["size"]) == ("", 1, 3000)
    for text in (path.read_bytes(), b"no tar" * 999, path.read_bytes()[:2000]):
        path.write_bytes(text)
        told = read_plain(str(path), 9.0)
        assert told["sha256"] == hashlib.sha256(text).hexdigest()
        assert told["bytes"] == len(text)
    assert told["fault"] == "it is cut: its end is missing"


def test_nobody_waits_for_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert read_plain(str(tmp_path / "fifo"), 9.0)["fault"] == "it is no regular file"
    (tmp_path / "link").symlink_to(packed(tmp_path / "a"))
    with pytest.raises(OSError, match="symbolic"):
        read_plain(str(tmp_path / "link"), 9.0)
    assert read_plain(str(tmp_path / "a"), -1.0)["late"]


def test_a_far_host_reads_it_too(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.snapshot")
    far = Host("ssh://nobody@nowhere.invalid")
    far.run = Host().run  # type: ignore[method-assign] # its own python3 is this machine's
    assert far.call(read_plain, str(path), 9.0, deadline=30.0) == read_plain(str(path), 9.0)


LINES = {
    "": "",
    f"SHA256:{'A' * 64}:a.snapshot\n": "a" * 64,
    f"# made by hand\nMD5:0:a.snapshot\nSHA256:{'b' * 64}:a.snapshot": "b" * 64,
    f"SHA256:{'c' * 64}:another.snapshot\n": "",
    "SHA256:short:a.snapshot\n": "",
    "\x00\x1b[31m:\n": "",
}


@pytest.mark.parametrize("text", LINES)
def test_the_checksum_beside_it_is_that_of_its_own_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.snapshot.checksums").write_text(text)
    assert checksums.beside(str(tmp_path / "a.snapshot")) == LINES[text]


def test_without_a_checksum_there_is_none(tmp_path: Path) -> None:
    assert checksums.beside(str(tmp_path / "a.snapshot")) == ""
    os.mkfifo(tmp_path / "a.snapshot.checksums")
    assert checksums.beside(str(tmp_path / "a.snapshot")) == ""
