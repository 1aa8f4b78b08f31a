"""Recoveries of DGMO's sessions: the newest valid copy, nothing newer lost, and the way back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.dgmo.moving import moved
from healthchecks.dgmo.world import Layout, World
from plugins.arguments import Misgiven
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host
from plugins.proofs import tree
from plugins.tests.boxes import Box, found_in, opened

RECOVER = ("--recover", "dgmo.recover_sessions", "--yes")
MISSING = ("--recover", "dgmo.recover_missing_sessions", "--yes")
ONE = ("--recover", "dgmo.recover_session", "--yes")
REBUILD = ("--recover", "dgmo.rebuild_indexes", "--yes")
MOVE = ("--recover", "dgmo.move_store", "--yes")
LAYOUTS: tuple[Layout, ...] = ("unified", "workspace")


@pytest.fixture(params=LAYOUTS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Box[World]]:
    world = World(tmp_path / "world", layout=request.param)
    with opened(world, tmp_path, "dgmo") as made:
        yield made


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Box[World]]:
    with opened(World(tmp_path / "world"), tmp_path, "dgmo") as made:
        yield made


def files(folder: Path) -> dict[str, str]:
    """Return what every file below a folder holds, by its place in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_broken_and_missing_files_come_back_and_go_again(box: Box[World], kind: str) -> None:
    world, sessions = box.world, box.world.sessions
    world.files.backup(hours=30, kind=kind)
    whole = files(sessions.root)
    sessions.info(sessions.main).write_bytes(b'{"id":')
    sessions.record(sessions.children[0]).unlink()
    shutil.rmtree(sessions.info(sessions.children[1]).parent)
    young = sessions.session("Younger than the backup")
    before = tree(world)
    status, said = box.run(*RECOVER)
    assert status == 0, said
    now = files(sessions.root)
    assert {name: digest for name, digest in now.items() if name in whole} == whole
    assert sessions.info(young).exists() or world.layout == "unified"
    status, said = box.run("--undo")
    assert status == 0, said
    assert tree(world) == before


def test_the_newest_valid_copy_counts_and_what_is_valid_stays(real: Box[World]) -> None:
    world, sessions = real.world, real.world.sessions
    info, record = sessions.info(sessions.main), sessions.record(sessions.children[0])
    sessions.change(info, title="oldest")
    world.files.backup(hours=70)
    sessions.change(info, title="old")
    world.files.backup(hours=50)
    info.write_bytes(b"")
    world.files.backup(hours=30)
    sessions.change(record, status="failed")
    status, said = real.run(*RECOVER)
    assert status == 0, said
    assert json.loads(info.read_bytes())["title"] == "old"
    assert json.loads(record.read_bytes())["status"] == "failed"


def test_of_a_cut_archive_only_what_nothing_else_holds(real: Box[World]) -> None:
    world, sessions = real.world, real.world.sessions
    info = sessions.info(sessions.main)
    sessions.change(info, title="whole")
    world.files.backup(hours=70)
    sessions.change(info, title="cut")
    cut = world.files.backup(hours=50)
    os.truncate(cut, cut.stat().st_size - 20)
    info.write_bytes(b"")
    status, said = real.run(*RECOVER)
    assert (status, json.loads(info.read_bytes())["title"]) == (0, "whole"), said


def test_what_no_backup_holds_is_put_away(real: Box[World]) -> None:
    sessions = real.world.sessions
    real.world.files.no_backup()
    sessions.info(sessions.main).write_bytes(b"\0\0")
    status, said = real.run(*RECOVER)
    assert status == 0, said
    assert not sessions.info(sessions.main).exists()
    assert "no backup holds a valid copy of 1 broken files" in said


def test_only_what_is_missing(real: Box[World]) -> None:
    sessions = real.world.sessions
    real.world.files.backup(hours=3)
    record = sessions.record(sessions.children[0])
    kept = record.read_bytes()
    record.unlink()
    broken = sessions.record(sessions.children[1])
    broken.write_bytes(b"{")
    status, said = real.run(*MISSING)
    assert (status, record.read_bytes(), broken.read_bytes()) == (0, kept, b"{"), said


def test_without_a_backup_nothing_is_said_to_be_recovered(real: Box[World]) -> None:
    real.world.files.no_backup()
    status, said = real.run(*MISSING)
    assert status == 5, said
    assert "a backup of sessions" in said


def test_what_is_one_stores_is_laid_into_no_other(tmp_path: Path) -> None:
    world = World(tmp_path / "world", layout="project")
    other = world.sessions.another("project", hours=3, name="home-me-other")
    (theirs,) = (other / "storage/session/info").iterdir()
    with opened(world, tmp_path, "dgmo") as box:
        world.files.backup(hours=1, of=other.parent)
        lost = world.sessions.info(world.sessions.children[0])
        kept = files(world.sessions.root)
        lost.unlink()
        theirs.unlink()
        status, said = box.run(*MISSING)
    assert status == 0, said
    assert (files(world.sessions.root), theirs.exists()) == (kept, True)
    assert len(list(theirs.parent.iterdir())) == 1


def test_one_session_alone(real: Box[World]) -> None:
    sessions = real.world.sessions
    real.world.files.backup(hours=3)
    one, other = sessions.info(sessions.main), sessions.info(sessions.children[0])
    kept = one.read_bytes()
    for path in (one, other):
        path.write_bytes(b"")
    status, said = real.run(*ONE, "--with", f"session={sessions.main}")
    assert (status, one.read_bytes(), other.read_bytes()) == (0, kept, b""), said
    for name, words in (("ses_of_nobody", "not here"), ("../../etc", "no id of a session")):
        status, said = real.run(*ONE, "--with", f"session={name}")
        assert status != 0
        assert words in said


def test_another_backup_may_be_chosen(real: Box[World]) -> None:
    world, sessions = real.world, real.world.sessions
    info = sessions.info(sessions.main)
    sessions.change(info, title="old")
    old = world.files.backup(hours=70)
    sessions.change(info, title="new")
    world.files.backup(hours=3)
    info.write_bytes(b"{")
    status, said = real.run(*RECOVER, "--with", f"backup={old.name}")
    assert (status, json.loads(info.read_bytes())["title"]) == (0, "old"), said
    status, said = real.run(*RECOVER, "--with", "backup=sessions_1999.tar.gz")
    assert status != 0
    assert "the newest are" in said


def test_never_while_the_program_writes(real: Box[World]) -> None:
    sessions = real.world.sessions
    real.world.files.backup(hours=3)
    sessions.info(sessions.main).write_bytes(b"{")
    sessions.hold(sessions.folder / "message" / sessions.main / "msg_2.json")
    before = tree(real.world)
    for words in (RECOVER, ("--fix", "--fix-only", "dgmo.every_session_can_be_read")):
        status, said = real.run(*words)
        assert status != 0
        assert "is writing" in said
        assert tree(real.world) == before


def test_every_index_is_built_anew(real: Box[World]) -> None:
    sessions = real.world.sessions
    index = sessions.index(sessions.main)
    right = index.read_bytes()
    index.write_bytes(b'{"a":1}')
    stray = sessions.write(sessions.index(sessions.session("Alone")), ["ses_of_nobody"])
    status, said = real.run(*REBUILD)
    assert status == 0, said
    assert (index.read_bytes(), json.loads(stray.read_bytes())) == (right, [])
    before = tree(real.world)
    assert real.run(*REBUILD)[0] in (0, 11)
    assert tree(real.world) == before


def test_a_store_moves_and_the_old_one_stays(box: Box[World]) -> None:
    world, sessions = box.world, box.world.sessions
    before = files(sessions.root)
    place = world.folder / "elsewhere"
    status, said = box.run(*MOVE, "--with", f"to={place}")
    assert status == 0, said
    below = sessions.root.relative_to(world.data_home)
    assert files(place / below) == before == files(sessions.root)
    assert f"export XDG_DATA_HOME={place}" in said
    with pytest.raises(Misgiven, match="there already"):
        tuple(moved(found_in(world, "dgmo"), Filesystem(Host()), str(place)))


@pytest.mark.parametrize("to", ["relative", "/", "/nonexistent/deep/place"])
def test_a_place_that_is_none(tmp_path: Path, to: str) -> None:
    world = World(tmp_path / "world")
    with pytest.raises(Misgiven, match="to: "):
        tuple(moved(found_in(world, "dgmo"), Filesystem(Host()), to))
