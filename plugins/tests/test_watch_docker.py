"""The watch over conversations goes on while the Docker engine ends and comes back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import SESSIONS
from plugins.proofs import lacking
from plugins.tests.runs import ROOT, systems_file
from plugins.tests.watched import until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if missing := lacking(("root", "dockerd", "docker", "busybox")):
        pytest.skip(f"needs {missing}")
    made = World(tmp_path / "home")
    made.engine.volume()
    yield made
    made.close()


def test_it_survives_an_engine_that_restarts(world: World, tmp_path: Path) -> None:
    inside, outside = SESSIONS[0], SESSIONS[2]
    state = {"state": str(tmp_path / "state")}
    tables: dict[str, dict[str, object]] = {"suite": {**state}}
    tables["crash_protection"] = world.settings()
    file = systems_file(tmp_path / "systems.toml", tables)
    argv = [sys.executable, "-m", "pytest", "healthchecks/", "--system", "crash_protection"]
    argv += ["--systems", str(file), "--fix", "--watch", "0.2", "-p", "no:cacheprovider"]
    argv += ["--html", str(tmp_path / "h.html"), "--health-json", str(tmp_path / "h.json")]
    output = tmp_path / "output.txt"

    def copied(session: str) -> bool:
        copy = world.realtime / f"{session}.jsonl"
        return copy.read_bytes() == world.conversations.path(session).read_bytes()

    with output.open("wb") as out:
        watch = subprocess.Popen(argv, cwd=ROOT, stdout=out, stderr=out)
    try:
        until(lambda: "watching crash_protection" in output.read_text(), "the first round", 60)
        world.conversations.say(inside)
        until(lambda: copied(inside), "a copy through the engine", 60)
        world.engine.borrow().end()
        until(lambda: "blocked" in output.read_text(), "that it is down", 60)
        world.conversations.say(outside)
        until(lambda: copied(outside), "a copy without the engine", 60)
        world.conversations.say(inside, "while the engine was down")
        assert not copied(inside)
        world.engine.borrow().start()
        until(lambda: copied(inside), "a copy through the engine that came back", 60)
        watch.send_signal(signal.SIGTERM)
        watch.wait(20)
    finally:
        watch.kill()
        watch.wait()
    said = json.loads(world.monitor.state.read_text())
    assert said["status"] == "stopped", output.read_text()
    assert "Traceback" not in output.read_text()
