"""Containers of sessions: what is removed and what never is, and what the engine measures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.endpoints.containers import stats
from plugins.endpoints.docker import Docker
from plugins.hosts import Host
from plugins.outcomes import ToolMissing
from plugins.steps import Hands, Refusal, RemoveContainer
from plugins.worlds.dockerd import Dockerd, borrowed

HANDS = Hands(Host(), (), "/nowhere")
LENT = """
import sys, time
from plugins.worlds.dockerd import borrowed
engine = borrowed()
engine.run("kept")
print(engine.url, flush=True)
time.sleep(60)
"""


@pytest.fixture
def engine() -> Iterator[Dockerd]:
    """The engine of this process, empty."""
    try:
        lent = borrowed()
    except ToolMissing as why:
        pytest.skip(f"needs {why}")
    yield lent
    lent.release()


def removal(engine: Dockerd, name: str) -> RemoveContainer:
    seen = next(one for one in Docker(Host(), engine.url).containers() if one.name == name)
    return RemoveContainer(engine.url, seen.id, seen.state, seen.finished)


def names(engine: Dockerd) -> list[str]:
    return engine.docker("ps", "--all", "--format", "{{.Names}}").split()


def test_what_ended_is_removed_and_nothing_else(engine: Dockerd) -> None:
    engine.docker("wait", engine.run("claude-session-1", "-v", "work:/work", command=("true",)))
    engine.run("claude-session-2")
    removal(engine, "claude-session-1").take(HANDS)
    assert names(engine) == ["claude-session-2"]
    assert engine.docker("volume", "ls", "--quiet").split() == ["work"]


def test_one_that_was_started_again_stays(engine: Dockerd) -> None:
    made = engine.run("claude-session-1", command=("sleep", "0.1"))
    engine.docker("wait", made)
    step = removal(engine, "claude-session-1")
    engine.docker("start", made)
    with pytest.raises(Refusal, match="is running by now, and stays"):
        step.take(HANDS)
    engine.docker("wait", made)
    # It ended once more: what it wrote meanwhile nobody has seen.
    with pytest.raises(Refusal, match="is exited by now, and stays"):
        step.take(HANDS)
    assert names(engine) == ["claude-session-1"]


def test_one_of_the_same_name_stays(engine: Dockerd) -> None:
    engine.docker("wait", engine.run("claude-session-1", command=("true",)))
    step = removal(engine, "claude-session-1")
    engine.docker("rm", "claude-session-1")
    engine.docker("wait", engine.run("claude-session-1", command=("true",)))
    with pytest.raises(Refusal, match=r"stays: .*[Nn]o such container"):
        step.take(HANDS)
    assert names(engine) == ["claude-session-1"]


def test_limits_health_and_stats_are_told(engine: Dockerd) -> None:
    quota = ("--cpu-quota", "50000", "--memory", "32m", "--pids-limit", "20")
    made = engine.run("limited", *quota, "--health-cmd", "true", "--health-interval", "1h")
    ended = engine.run("ended", command=("true",))
    engine.docker("wait", ended)
    look = Docker(Host(), engine.url)
    seen = {one.name: one for one in look.containers()}["limited"]
    assert (seen.nano_cpus, seen.memory_limit, seen.pids_limit) == (500_000_000, 32 << 20, 20)
    assert (seen.health, seen.failing_streak, seen.created[:2]) == ("starting", 0, "20")
    taken = look.stats(made)
    assert taken is not None
    assert taken.memory_limit == 32 << 20
    assert 0 < taken.memory_used < 32 << 20
    assert taken.pids == 1
    assert look.stats(ended) is None
    assert look.stats("0" * 64) is None


@pytest.mark.parametrize("cache", ["total_inactive_file", "inactive_file"])
def test_cache_is_no_memory_that_is_used(cache: str) -> None:
    told = {"memory_stats": {"usage": 900, "limit": 1000, "stats": {cache: 800}}}
    assert stats(told).memory_used == 100


def test_a_borrowed_engine_is_emptied_and_ends_with_its_process(engine: Dockerd) -> None:
    engine.run("left-behind", "-v", "left-behind:/x")
    engine.tag("left-behind:latest")
    engine.clear()
    assert names(engine) == []
    assert engine.docker("volume", "ls", "--quiet") == ""
    assert "left-behind" not in engine.docker("images")
    assert borrowed() is engine
    engine.release()
    root = Path(__file__).resolve().parents[2]
    argv = (sys.executable, "-c", LENT)
    with subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        folder = os.path.dirname(other.stdout.readline().strip().removeprefix("unix://"))
        pid = int(Path(folder, "pid").read_text())
        other.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while os.path.exists(folder) and time.monotonic() < end:
        time.sleep(0.1)
    assert not os.path.exists(folder)
    status = Path(f"/proc/{pid}/status")
    assert not status.exists() or "State:\tZ" in status.read_text()
