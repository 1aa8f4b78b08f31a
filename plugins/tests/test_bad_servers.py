"""Servers and programs that hang, flood and lie: the run ends inside its deadlines and says so."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.host.world import World as HostWorld
from healthchecks.pocket_agent.world import World
from plugins.tests import rogue
from plugins.tests.runs import QUICK, assert_sound, suite, tree

# It ignores the polite signal, keeps its output open, and starts a child that does the same.
HUNG = """#!/bin/sh
trap '' TERM HUP INT
[ "$1" = child ] || "$0" child &
while :; do sleep 600; done
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


@contextlib.contextmanager
def in_its_seat(world: World, how: str, folder: Path) -> Iterator[None]:
    """Run a rogue under the server's name and on its port."""
    program = folder / world.program.name
    shutil.copy(rogue.__file__, program)
    pem = folder / "pair.pem"
    pem.write_bytes(world.crt.read_bytes() + world.key.read_bytes())
    argv = [sys.executable, str(program), str(world.port), how]
    plain = how in {"silent", "rubbish", "closing"}
    with subprocess.Popen([*argv, *([] if plain else [str(pem)])]) as process:
        try:
            for _ in range(500):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", world.port), 1).close()
                    break
                process.poll()
            yield
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("silent", "our limit of"),
        ("dripping", "our limit of"),
        ("flooding", "larger than our limit"),
        ("rubbish", ""),
        ("rubbish_headers", ""),
        ("closing", ""),
        ("redirecting", "302"),
        ("limiting", "429"),
        ("failing", "500"),
    ],
)
def test_a_server_that_answers_badly(world: World, tmp_path: Path, how: str, sentence: str) -> None:
    before = tree(world.folder)
    with in_its_seat(world, how, tmp_path):
        look = suite(tmp_path / "run", {"pocket_agent": world.settings() | QUICK})
    assert_sound(look)
    assert tree(world.folder) == before
    assert look.seconds < 15
    owners = ("the_server_says_it_is_healthy", "a_websocket_opens", "connections_are_left")
    told = "\n".join(look.told(check) for check in owners)
    assert "ill: " in told
    assert sentence in told
    assert look.status in {1, 10}


def test_a_websocket_that_sends_a_gibibyte(world: World, tmp_path: Path) -> None:
    with in_its_seat(world, "flooding_the_socket", tmp_path):
        look = suite(tmp_path / "run", {"pocket_agent": world.settings() | QUICK})
    assert_sound(look)
    assert look.seconds < 15
    assert "larger than our limit" in look.told("the_server_says_it_is_healthy")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HostWorld]:
    (tmp_path / "host").mkdir()
    made = HostWorld(tmp_path / "host")
    yield made
    made.close()


def test_programs_and_a_docker_socket_that_hang(
    world: World, host: HostWorld, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("systemctl", "docker", "claude", "nft", "iptables", "crontab", "id", "journalctl"):
        (folder / name).write_text(HUNG, "ascii")
        (folder / name).chmod(0o755)
    unit = tmp_path / "pocket-agent-server.service"
    unit.write_text(f"[Service]\nExecStart={world.program}\n", "ascii")
    world.change(
        unit=unit.name, unit_folders=[str(tmp_path)], logs=[], start_log="", claude="claude"
    )
    world.log.unlink()
    place = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(tmp_path):
        listener.bind(place.name)
        listener.listen()
        host.change(
            docker_url=f"unix://{place}",
            docker_answer_s=1.0,
            watch_docker=True,
            watch_ports=[world.port],
            schedule_timer="agent-healthchecks.timer",
            crontab_command=["crontab", "-l"],
        )
        tables = {"pocket_agent": world.settings() | QUICK, "host": host.settings()}
        both = ("pocket_agent", "host")
        variables = {"PATH": f"{folder}:{os.environ['PATH']}"}
        look = suite(tmp_path / "run", tables, systems=both, env=variables)
    assert_sound(look, both)
    assert look.seconds < 25
    assert "docker.sock" in look.told("host.the_docker_engine_answers")
    assert "our limit of" in look.told("host.the_docker_engine_answers")
    assert "our limit of" in look.told("host.the_timer_of_the_checks_is_on")
    rows = {row["id"]: row["outcome"] for row in look.document["findings"]}
    assert "not_run" not in rows.values()
