"""A whole run over Portagent registers nobody, says nothing, leaves no row, and tells no secret."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from healthchecks.portagent.world import World
from healthchecks.portagent.world_server import KEY
from plugins.proofs import lacking
from plugins.tests.portagent_box import opened
from plugins.tests.runs import NOBODY, Look, assert_sound, open_the_way, suite

NAMES = ("portagent", "agentx", "queue")
TABLES = {
    "portagent": ("users",),
    "agentx": ("kv_storage",),
    "queue": ("queue_entries", "queue_consumers", "sqlite_sequence"),
}
WORD = "canaryWord"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world in which somebody is registered and connected; it is ended whatever happens."""
    with opened(
        tmp_path, connect_deadline=2.0, idle_timeout=1.0, provider_url="http://127.0.0.1:9/"
    ) as made:
        yield made


def rows(world: World) -> dict[str, list[Any]]:
    """Return every row of the three databases."""
    found: dict[str, list[Any]] = {}
    for name in NAMES:
        with closing(sqlite3.connect(world.databases.path(name))) as connection:
            for table in TABLES[name]:
                found[table] = connection.execute(f"SELECT * FROM {table}").fetchall()
    return found


def files(world: World) -> dict[str, str]:
    """Return a digest of each file of the databases, but the index of the log that readers lock."""
    folder = world.databases.folder
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".db-shm")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def run(world: World, folder: Path, *options: str) -> Look:
    """Run all checks of portagent once."""
    told = {"portagent": world.settings()}
    return suite(folder, told, *options, systems=("portagent",), limit=100.0)


def test_a_run_leaves_no_row_and_no_byte_behind(world: World, tmp_path: Path) -> None:
    world.server.start()
    world.server.offer(world.server.register()["token"])
    before, standing = rows(world), files(world)
    look = run(world, tmp_path / "run", "--deep")
    assert look.row("portagent.a_websocket_opens")["outcome"] == "healthy", look.terminal
    assert look.row("portagent.tokens_are_accepted")["outcome"] == "healthy"
    assert look.row("portagent.it_can_read_its_users")["outcome"] == "healthy"
    assert look.row("portagent.connections_last")["outcome"] == "healthy"
    assert files(world) == standing
    assert rows(world) == before
    assert len(before["users"]) == 2
    assert len(before["queue_entries"]) == 5


def test_a_text_frame_would_have_left_a_row(world: World) -> None:
    import websocket

    world.server.start()
    before = rows(world)
    line = websocket.create_connection(f"ws://127.0.0.1:{world.server.port}/ws")
    line.send('{"type":"ping"}')
    assert "ping" in line.recv()
    line.close()
    assert len(rows(world)["queue_entries"]) == len(before["queue_entries"]) + 1


@pytest.mark.parametrize("fault", ["", "broken", "guarded", "page_for_all", "sick"])
def test_no_secret_of_it_shows_in_anything_that_a_run_writes(
    world: World, tmp_path: Path, fault: str
) -> None:
    server = world.server
    server.environment["JWT_SECRET"] = f"jwt-{WORD}-0123456789"
    server.environment["HTTPS_PROXY"] = f"http://me:proxy-{WORD}@127.0.0.1:9"
    (server.app / ".env").write_text(f"DEEPRACTICE_API_KEY=env-{WORD}\n")
    server.unit(f"API Key: {WORD}\n")
    server.start(*([fault] if fault else []), api_key=f"sk-ant-{WORD}-0123456789")
    token = server.token("somebody", secret=f"another-{WORD}")
    server.offer(token)
    look = run(world, tmp_path / "run")
    code = str(server.code_of_today())
    for name, text in look.artefacts().items():
        if name == "systems.toml":
            continue
        for secret in (WORD, token, token.rpartition(".")[2], KEY, code):
            assert secret not in text, f"{name}: {text[max(0, text.find(secret) - 300) :][:500]}"


def test_the_code_is_told_to_who_asks_for_it(world: World, tmp_path: Path) -> None:
    world.server.environment["TZ"] = "Asia/Shanghai"
    world.server.start()
    look = run(world, tmp_path / "run", "--show-invite-code")
    assert look.status == 0
    assert look.terminal.splitlines()[0] == str(world.server.code_of_today())
    assert "until midnight of Asia/Shanghai" in look.terminal
    other = run(world, tmp_path / "other", "--show-invite-code", "--recover", "portagent.x")
    assert other.status == 4
    assert "give it without --recover" in other.terminal


def test_who_needs_no_code_is_told_so(world: World, tmp_path: Path) -> None:
    world.server.environment["INVITE_CODE_REQUIRED"] = "no"
    world.server.start()
    look = run(world, tmp_path / "run", "--show-invite-code")
    assert look.status == 1
    assert "everybody can register" in look.terminal


@pytest.mark.parametrize("fault", ["hung", "broken", "page_for_all", "no_socket"])
def test_a_server_that_is_down_is_one_finding(world: World, tmp_path: Path, fault: str) -> None:
    world.change(connect_deadline=0.5 if fault == "hung" else 5.0)
    world.server.start(fault)
    look = run(world, tmp_path / "run")
    root = "a_websocket_opens" if fault == "no_socket" else "it_is_up"
    ill = {row["id"] for row in look.document["findings"] if row["outcome"] == "ill"}
    assert f"portagent.{root}" in ill
    ours = {"it_can_read_its_users", "invitations_work_as_they_are_meant", "tokens_are_accepted"}
    ours |= {"strangers_cannot_open_a_websocket", "its_port_is_its_own"}
    assert not ill & {f"portagent.{name}" for name in ours}


@pytest.mark.skipif(bool(lacking(("root", "setpriv"))), reason="needs root and setpriv")
def test_who_may_not_see_its_variables_is_not_told_that_they_are_unset() -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / "world").mkdir()
    world = World(folder / "world")
    try:
        open_the_way(folder)
        (folder / "run").mkdir()
        os.chown(folder / "run", NOBODY, NOBODY)
        world.server.start()
        drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        told = {"portagent": world.settings()}
        look = suite(folder / "run", told, systems=("portagent",), before=drop, limit=100.0)
        assert_sound(look, ("portagent",))
    finally:
        world.close()
        shutil.rmtree(folder)
    for check in (
        "logins_survive_a_restart",
        "its_log_is_at_its_production_level",
        "the_port_that_is_set_is_heeded",
        "invitations_work_as_they_are_meant",
    ):
        said = look.told(f"portagent.{check}")
        assert said.startswith("cannot_tell: "), said
        assert "environment of process" in said
    assert look.row("portagent.it_is_up")["outcome"] == "healthy"
    assert look.row("portagent.its_port_is_its_own")["outcome"] == "healthy"
    assert look.row("portagent.a_websocket_opens")["outcome"] == "healthy"
