"""Recoveries of Portagent's databases: nothing that can be read is lost, and all goes back."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from healthchecks.portagent.world import World
from plugins.proofs import tree
from plugins.tests.runs import Look, suite


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world")
    yield made
    made.close()


def recover(world: World, procedure: str, *words: str) -> Look:
    """Run a procedure, told each of the words."""
    told = [part for word in words for part in ("--with", word)]
    options = ("--recover", f"portagent.{procedure}", *told, "--yes")
    return run(world, *options)


def run(world: World, *options: str) -> Look:
    tables = {"portagent": world.settings()}
    return suite(world.folder.parent / "run", tables, *options, systems=("portagent",))


def rows(path: Path, table: str = "users") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as one:
        return one.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def databases(world: World) -> dict[str, tuple[object, ...]]:
    return {name: what for name, what in tree(world).items() if name.startswith(".agentx/data")}


def typed(world: World, look: Look) -> None:
    """Type what a plan says, as a person would."""
    lines = re.findall(r"^\s+(?:\d+\. |\$ )?(old=\$\(mktemp .*)$", look.terminal, re.MULTILINE)
    assert lines, look.terminal
    subprocess.run(["bash", "-euc", "\n".join(lines)], check=True)
    assert databases(world)


def test_a_broken_index_is_recovered_and_comes_back_broken(world: World) -> None:
    path = world.databases.path("portagent")
    world.databases.user("bob")
    before = rows(path)
    path.chmod(0o640)
    world.databases.break_page("portagent", "idx_users_email")
    broken = databases(world)
    look = recover(world, "recover_database", "database=portagent")
    assert look.status == 0, look.terminal
    assert rows(path) == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert run(world, "--undo").status == 0
    assert databases(world) == broken


def test_a_killed_transaction_is_taken_back_and_its_journal_is_kept(world: World) -> None:
    path = world.databases.path("agentx")
    before = rows(path, "kv_storage")
    world.databases.leave_journal("agentx")
    killed = databases(world)
    look = recover(world, "recover_database", "database=agentx")
    assert look.status == 0, look.terminal
    assert not Path(f"{path}-journal").exists()
    assert rows(path, "kv_storage") == before
    kept = sorted(one.name for one in look.folder.rglob("quarantine/*/*"))
    assert [name.partition("-")[2] for name in kept] == ["agentx.db", "agentx.db-journal"]
    assert run(world, "--undo").status == 0
    assert databases(world) == killed


def test_known_rows_are_not_given_up_unless_somebody_says_so(world: World) -> None:
    world.databases.many_entries(3000)
    path = world.databases.path("agentx")
    with closing(world.databases.open("agentx")) as one:
        # A page of the table that is no root: its rows are lost, and an index still knows them.
        page = one.execute(
            "SELECT pageno FROM dbstat WHERE name = 'kv_storage' AND pagetype = 'leaf'"
        ).fetchall()[5][0]
    world.databases.overwrite("agentx", (page - 1) * 4096, b"\xff" * 2048)
    broken = databases(world)
    look = recover(world, "recover_database", "database=agentx")
    assert look.status != 0
    assert "of kv_storage" in look.terminal, look.terminal
    assert databases(world) == broken
    look = recover(world, "recover_database", "database=agentx", "losing=yes")
    assert look.status == 0, look.terminal
    assert 2500 < len(rows(path, "kv_storage")) < 3000


def test_the_queue_keeps_its_write_ahead_log(world: World) -> None:
    world.databases.break_page("queue", "idx_queue_timestamp")
    look = recover(world, "recover_database", "database=queue")
    assert look.status == 0, look.terminal
    assert world.databases.path("queue").read_bytes()[18:20] == b"\2\2"
    assert len(rows(world.databases.path("queue"), "queue_entries")) == 3


@pytest.mark.parametrize("procedure", ["recover_database", "restore_database"])
def test_nothing_is_done_while_a_server_has_it_open(world: World, procedure: str) -> None:
    world.server.start()
    world.databases.break_page("portagent", "idx_users_email")
    before = databases(world)
    look = recover(world, procedure, "database=portagent")
    assert look.status != 0
    assert "stop it first" in look.terminal
    assert databases(world) == before


def test_what_is_whole_is_left_alone(world: World) -> None:
    before = databases(world)
    look = recover(world, "recover_database", "database=portagent")
    assert "nothing to recover" in look.terminal
    assert databases(world) == before


@pytest.mark.parametrize("words", [("database=users",), ("database=queue", "losing=1"), ()])
def test_what_is_told_wrong_is_refused(world: World, words: tuple[str, ...]) -> None:
    before = databases(world)
    look = recover(world, "recover_database", *words)
    assert look.status != 0
    assert "Traceback" not in look.terminal
    assert databases(world) == before


@pytest.mark.parametrize("archive", [True, False])
def test_the_newest_whole_backup_comes_back(world: World, archive: bool) -> None:
    backups, path = world.databases.backups, world.databases.path("portagent")
    backups.none()
    world.databases.user("bob")
    if archive:
        backups.archive(hours=5.0)
    else:
        backups.take(hours=5.0)
    kept = rows(path)
    world.databases.user("carol")
    backups.take(hours=1.0, names=("portagent",))[0].write_bytes(b"")
    world.databases.cut("portagent", 0)
    broken = databases(world)
    look = recover(world, "restore_database", "database=portagent")
    assert look.status == 0, look.terminal
    assert "passed over" in look.terminal
    assert rows(path) == kept
    assert run(world, "--undo").status == 0
    assert databases(world) == broken


def test_a_database_that_is_gone_is_restored(world: World) -> None:
    path = world.databases.path("agentx")
    kept = rows(path, "kv_storage")
    path.unlink()
    look = recover(world, "restore_database", "database=agentx")
    assert look.status == 0, look.terminal
    assert rows(path, "kv_storage") == kept


def test_without_a_whole_backup_nothing_is_done(world: World) -> None:
    for one in world.databases.backups.folder.iterdir():
        one.write_bytes(b"no database")
    world.databases.cut("portagent", 0)
    look = recover(world, "restore_database", "database=portagent")
    assert look.status != 0
    assert "no backup of portagent.db is whole" in look.terminal


@pytest.mark.parametrize(
    ("procedure", "archive"),
    [("recover_database", False), ("restore_database", False), ("restore_database", True)],
)
def test_the_plan_can_be_typed(world: World, procedure: str, archive: bool) -> None:
    if archive:
        world.databases.backups.none()
        world.databases.backups.archive(hours=1.0)
    before = rows(world.databases.path("portagent"))
    world.databases.break_page("portagent", "idx_users_email")
    options = ("--recover", f"portagent.{procedure}", "--with", "database=portagent")
    typed(world, run(world, *options))
    assert rows(world.databases.path("portagent")) == before
