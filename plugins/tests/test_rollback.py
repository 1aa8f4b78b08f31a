"""`--recover pocket_agent.rollback` on a real server with real backups, whole and not."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.proofs import tree
from plugins.tests.recovering_box import Box, opened

ROLLBACK = "pocket_agent.rollback"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with opened(tmp_path) as made:
        yield made


def _back_up(box: Box, date: str) -> Path:
    """Make a backup as the guide does, of the server as it is."""
    folder = box.world.folder / "backups" / date
    folder.mkdir(parents=True)
    shutil.copy2(box.world.program, folder / "pocket-agent-server")
    data = box.world.data
    made = ["tar", "-czf", str(folder / "data.tar.gz"), "-C", str(data.parent), f"./{data.name}"]
    subprocess.run(made, check=True)
    return folder


def test_rollback_to_an_older_backup_and_undo(box: Box) -> None:
    world = box.world
    old_binary = world.program.read_bytes()
    _back_up(box, "20260101")
    _back_up(box, "20260201").joinpath("data.tar.gz").write_bytes(b"\x1f\x8b\x08 cut")
    world.program.write_bytes(old_binary + b"# the new version\n")
    newer = world.project(logs=True)
    before = tree(world)
    first = world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert status == 0, said
    assert world.program.read_bytes() == old_binary
    assert not newer.exists()
    assert world.metadata(0).exists()
    assert world.pid not in (0, first)
    assert len(box.archives()) == 2
    status, said = box.run("--undo")
    assert status == 0, said
    assert tree(world) == before
    assert world.pid not in (0, first)


def test_a_corrupt_backup_is_refused(box: Box) -> None:
    archive = _back_up(box, "20260101") / "data.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-30])
    before, pid = tree(box.world), box.world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert status == 11
    assert "does not read to its end" in said
    assert (tree(box.world), box.world.pid) == (before, pid)


def test_a_malicious_backup_is_refused(box: Box) -> None:
    archive = _back_up(box, "20260101") / "data.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(box.world.data / "projects", "projects")
        tar.add(box.world.config, "../stolen")
    pid = box.world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert (status, box.world.pid) == (11, pid)
    assert "leads out of the archive" in said


def test_a_backup_that_can_not_run_is_taken_back(box: Box) -> None:
    folder = _back_up(box, "20260101")
    (folder / "pocket-agent-server").write_text("#!/bin/sh\necho too old; exit 1\n", "utf-8")
    newer = box.world.project(logs=True)
    before, pid = tree(box.world), box.world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert status == 1, said
    assert "too old" in said
    assert newer.exists()
    assert tree(box.world) == before
    assert box.world.pid not in (0, pid)
