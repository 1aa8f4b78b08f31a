"""Who is taken for a monitor, what starts one, and what hostile files make of it."""

from __future__ import annotations

import json
import plistlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.crash_protection import monitors, probes_log, probes_monitor, probes_restart
from healthchecks.crash_protection.system import CrashProtection, Settings, find
from healthchecks.crash_protection.world import World
from plugins.configuration import Configuration, shipped
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Processes
from plugins.hosts import Host
from plugins.schedules import cron, launchd, systemd
from plugins.schedules.job import Job
from plugins.systems import settings_of

ROOT = Path(__file__).resolve().parents[2]
WATCH = ("pytest", "healthchecks/", "--system", "crash_protection", "--fix", "--watch", "10")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world-of-one")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "world-of-one").mkdir()


def configured(world: World) -> Configuration:
    tables = {"crash_protection": world.settings()}
    return shipped(ROOT / "healthchecks" / "systems.toml").lay_over(tables, "test")


def found(world: World) -> CrashProtection:
    settings: Settings = settings_of(configured(world), "crash_protection")
    return find(settings, Host())


def state(world: World) -> Any:
    host = Host()
    look = probes_monitor.monitor_state.__probe__.function  # type: ignore[attr-defined]
    return look(found(world), Filesystem(host), Processes(host), Machine(host), host)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (WATCH, True),
        (("python", "-m", *WATCH), True),
        (("/opt/bin/pytest", "--watch=10", "--fix=safe"), True),
        (("pytest", "--watch", "10", "--fix", "unsafe", "--system=crash_protection"), True),
        (("pytest", "--watch", "10"), False),
        (("pytest", "--watch", "10", "--fix", "plan"), False),
        (("pytest", "--watch", "10", "--fix", "--system", "host"), False),
        (("pytest", "healthchecks/", "--fix"), False),
        (("vim", "--watch", "--fix"), False),
        ((), False),
    ],
)
def test_a_watch_is_known_by_its_words(words: tuple[str, ...], expected: bool) -> None:
    assert monitors.is_watch(words) is expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/home/me/kit/conversation-monitor.sh start", True),
        ("bash -c 'cd kit && ./claude-backup-alias.sh monitor start'", True),
        ("/opt/kit/claude-docker-persistent.sh start", True),
        ("/opt/kit/periodic-backup.sh", True),
        ("bash simple-realtime-backup.sh", True),
        ("run-parts /etc/cron.periodic/daily", False),
        ("run-parts /etc/periodic/15min", False),
        ("/opt/kit/claude-backup-alias.sh list", False),
        ("anacron --periodically", False),
        ("root periodic daily", False),
        ("bash conversation-backup.sh periodic", True),
        ("", False),
    ],
)
def test_what_starts_a_monitor(command: str, expected: bool) -> None:
    assert monitors.starts_a_monitor(command) is expected


def job_of(words: tuple[str, ...], watch: float | None = None) -> Job:
    return Job(
        program=("/usr/bin/python3", "-m", words[0]),
        words=words[1:],
        folder="/srv/checks of mine",
        path="/usr/bin:/bin",
        named="agent-healthchecks-x",
        user=1000,
        home="/home/me",
        variables="/home/me/.config/agent-healthchecks/environment",
        watch=watch,
    )


def test_a_unit_that_we_print_brings_protection_back(world: World) -> None:
    job = job_of(WATCH, watch=10.0)
    look = probes_restart.comeback.__probe__.function  # type: ignore[attr-defined]
    for text, place in (
        (plistlib.dumps(launchd.agent(job)).decode(), "agents/of-ours.plist"),
        ("\n".join(cron.lines(job)), "cron"),
    ):
        world.monitor.no_unit()
        world.monitor.entry(place, text)
        seen = look(found(world), Filesystem(Host()), Host())
        assert [Path(path).name for path in seen.by] == [Path(place).name]
        (world.folder / place).unlink()
    world.monitor.unit(systemd.service(job))
    assert look(found(world), Filesystem(Host()), Host()).by


def test_a_unit_that_only_looks_once_a_day_is_no_protection(world: World) -> None:
    job = job_of(("pytest", "healthchecks/", "--system", "crash_protection", "--fix"))
    look = probes_restart.comeback.__probe__.function  # type: ignore[attr-defined]
    world.monitor.no_unit()
    world.monitor.entry("cron", "\n".join(cron.lines(job)))
    assert not look(found(world), Filesystem(Host()), Host()).by


def test_a_state_of_any_shape_is_judged_and_never_crashes(world: World) -> None:
    chance = random.Random(7)
    values: list[object] = [
        None,
        True,
        0,
        -1,
        1e308,
        2**70,
        "x" * 50,
        "12",
        "²",
        [],
        {},
        "2026-01-05T10:00:00Z",
    ]
    keys = ("monitor_pid", "status", "start_time", "last_backup", "\udcff\x1b[31m")
    values += ["starting", "monitoring", "stopped", "9999-12-31T23:59:59+14:00", "0001-01-01"]
    for _ in range(60):
        table = {key: chance.choice(values) for key in keys if chance.random() < 0.9}
        world.monitor.write(json.dumps(table).encode())
        seen = state(world)
        if table.get("status") in ("starting", "monitoring"):
            assert seen.faults
            kept = json.loads(seen.rewritten)
            assert kept["status"] == "stopped"
            assert {**kept, "status": 0} == {**table, "status": 0}


@pytest.mark.parametrize("text", [b"", b"1" * 5000, b"-5", b"1\n2", b"\xff", b"99999999999999"])
def test_a_pid_file_that_holds_no_process_is_told(world: World, text: bytes) -> None:
    world.monitor.write(text, "monitor.pid")
    assert len(state(world).put_away) == 1


def test_nothing_of_a_state_files_secret_shows(world: World) -> None:
    world.monitor.says(status="monitoring", monitor_pid=4194304, note="sk-ant-api03-CANARY")
    assert "CANARY" not in repr(state(world))
    assert b"CANARY" in state(world).rewritten


def stamped(*times: str) -> bytes:
    return b"".join(f"[{time}] a line\nand what follows it\n".encode() for time in times)


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        (("09:00:00", "09:30:00", "10:00:00"), 3),
        (("11:00:00", "09:00:00", "10:00:00"), 3),
        (("09:00:00", "11:00:00", "09:30:00", "10:00:00"), 3),
        (("09:00:00", "09:30:00", "10:00:30"), 3),
        (("10:00:00",) * 5, 5),
        (("99:99:99", "10:00:00"), None),
        ((), 0),
    ],
)
def test_lines_without_a_date_are_put_in_their_day(
    times: tuple[str, ...], kept: int | None
) -> None:
    written = time.mktime((2026, 1, 5, 10, 0, 1, 0, 0, -1))
    lines = probes_log.recent(stamped(*times), written, written - 24 * 3600)
    assert kept is None or len(lines) in (2 * kept, 2 * kept + 1)
