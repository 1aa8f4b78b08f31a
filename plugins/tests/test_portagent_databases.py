"""Portagent's databases: what a look leaves behind, who may look, and hints that help."""

from __future__ import annotations

import math
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from healthchecks.portagent import test_databases, test_old_messages, test_write_ahead_log
from healthchecks.portagent.conftest import (
    accounts,
    broken_databases,
    database_backups,
    old_messages,
)
from healthchecks.portagent.probes_databases import is_hot
from healthchecks.portagent.world import World
from healthchecks.portagent.world_database_schemas import JOURNALS, SCHEMAS
from plugins import NoPermission, configuration
from plugins.catalog import Check
from plugins.endpoints.sqlite import Sqlite
from plugins.facts import Probe
from plugins.hosts import Host
from plugins.rounds import Round
from plugins.run import Run
from plugins.tests.runs import open_the_way, suite

NAMES = ("its_databases_are_whole", "someone_can_log_in", "nobody_blocks", "write_ahead_log")
CHOSEN = " or ".join((*NAMES, "backed_up", "old_messages"))
NOBODY = 65534
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world")
    yield made
    made.close()


def seen(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return time, inode and content of every file."""
    return {
        one.name: (one.stat().st_mtime_ns, one.stat().st_ino, one.read_bytes())
        for one in folder.iterdir()
    }


@pytest.mark.parametrize("served", [True, False])
def test_a_look_changes_nothing_beside_the_databases(
    world: World, tmp_path: Path, served: bool
) -> None:
    if served:
        world.server.start()
        world.server.register()
    world.databases.grow_log(2, open_still=True)
    before = seen(world.databases.folder)
    look = suite(
        tmp_path / "run", {"portagent": world.settings()}, "-k", CHOSEN, systems=("portagent",)
    )
    assert look.row("portagent.its_databases_are_whole")["outcome"] == "healthy", look.terminal
    after = seen(world.databases.folder)
    # Readers of a log note in its index, in memory that they share, from where they read.
    assert {k: v for k, v in after.items() if "shm" not in k} == {
        k: v for k, v in before.items() if "shm" not in k
    }
    assert set(after) == set(before)
    assert look.left == ()


@pytest.fixture
def nobody() -> Iterator[None]:
    """Be somebody who owns nothing here, for the time of a test."""
    if os.geteuid() != 0:
        pytest.skip("only root can look as somebody else")
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


@pytest.mark.parametrize("probed", [broken_databases, accounts, database_backups, old_messages])
@pytest.mark.parametrize("readable", [True, False])
def test_who_may_not_read_is_told_so(
    world: World, tmp_path: Path, request: pytest.FixtureRequest, probed: object, readable: bool
) -> None:
    open_the_way(tmp_path)
    if not readable:
        for name in SCHEMAS:
            world.databases.path(name).chmod(0o600)
    tables = configuration.shipped(ROOT / "healthchecks" / "systems.toml").lay_over(
        {"portagent": world.settings()}, "test"
    )
    look = Round(tables, ("portagent",), math.inf, {"run": Run(tables, id="test")})
    look.system("portagent")
    request.getfixturevalue("nobody")
    declared: Probe = vars(probed)["__probe__"]
    if readable and probed is not database_backups:
        look.fact("portagent", declared)
        return
    with pytest.raises(NoPermission):
        look.fact("portagent", declared)


def typed(check: Callable[..., None], world: World, wanted: str) -> None:
    """Type the command of a check's hint that begins so, at the world's home."""
    declared: Check = vars(check)["__check__"]
    commands = [one for one in re.findall(r"`([^`]+)`", declared.hint) if wanted in one]
    assert commands
    environment = {**os.environ, "HOME": str(world.folder)}
    subprocess.run(["bash", "-euc", commands[0]], check=True, env=environment)


def outcome(world: World, tmp_path: Path, check: str) -> str:
    tables = {"portagent": world.settings()}
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    look = suite(tmp_path / "run", tables, "-k", check, systems=("portagent",))
    return str(look.row(f"portagent.{check}")["outcome"])


def test_old_messages_go_by_the_hint_and_new_ones_stay(world: World, tmp_path: Path) -> None:
    world.change(messages_mib=1.0)
    world.databases.messages("goes on", count=30, days=30.00001, size=100_000)
    world.databases.messages("last year", count=9, days=300.0)
    world.databases.messages("today", count=3, days=0.1)
    world.databases.entry("messages:odd", "no JSON")
    world.databases.run("agentx", "UPDATE kv_storage SET updated_at = ?", world.databases.now)
    assert outcome(world, tmp_path, "old_messages_are_cleared_away") == "ill"
    typed(test_old_messages.test_old_messages_are_cleared_away, world, "UPDATE kv_storage")
    assert outcome(world, tmp_path, "old_messages_are_cleared_away") == "healthy"
    with closing(sqlite3.connect(world.databases.path("agentx"))) as one:
        sql = "SELECT key, value FROM kv_storage WHERE key LIKE 'messages:%'"
        kept = dict(one.execute(sql).fetchall())
    assert kept["messages:odd"] == "no JSON"
    assert kept["messages:last year"] == "[]"
    assert kept["messages:today"].count('"timestamp"') == 3


def test_a_large_log_goes_by_the_hint(world: World, tmp_path: Path) -> None:
    world.change(wal_mib=2.0)
    world.databases.grow_log(4)
    assert outcome(world, tmp_path, "its_write_ahead_log_stays_small") == "ill"
    typed(test_write_ahead_log.test_its_write_ahead_log_stays_small, world, "wal_checkpoint")
    assert outcome(world, tmp_path, "its_write_ahead_log_stays_small") == "healthy"


def test_disabled_users_are_enabled_by_the_hint(world: World, tmp_path: Path) -> None:
    world.databases.run("portagent", "UPDATE users SET isActive = 0")
    typed(test_databases.test_someone_can_log_in, world, "UPDATE users")
    typed(test_databases.test_someone_can_log_in, world, "SELECT username")
    assert outcome(world, tmp_path, "someone_can_log_in") == "healthy"


def test_the_worlds_databases_are_the_recorded_ones(world: World) -> None:
    """The program's own statements, as sqlite_master has them in what it wrote."""
    for name in SCHEMAS:
        with closing(sqlite3.connect(world.databases.path(name))) as one:
            tables = [
                row[0] for row in one.execute("SELECT sql FROM sqlite_master WHERE sql <> ''")
            ]
            assert one.execute("PRAGMA journal_mode").fetchone() == (JOURNALS[name],)
            assert one.execute("PRAGMA user_version").fetchone() == (0,)
        made = [" ".join(sql.split()) for sql in SCHEMAS[name]]
        own = [" ".join(sql.split()) for sql in tables if "sqlite_sequence" not in sql]
        assert sorted(own) == sorted(sql.replace("IF NOT EXISTS ", "") for sql in made)


class BetweenTransactions(Sqlite):
    """One at whose every look for locks a transaction ends and the next one begins its journal."""

    def writers(self, path: str) -> tuple[int, ...]:
        Path(f"{path}-journal").unlink(missing_ok=True)
        Path(f"{path}-journal").write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(600))
        return ()


def test_the_journal_of_the_next_transaction_is_not_one_that_a_crash_left(world: World) -> None:
    world.databases.leave_journal("agentx")
    path, host = str(world.databases.path("agentx")), Host()
    for sqlite, hot in ((Sqlite(host), True), (BetweenTransactions(host), False)):
        time.sleep(0.03)
        assert is_hot(sqlite, path, sqlite.standing(path)) is hot
