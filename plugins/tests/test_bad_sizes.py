"""Sizes, clocks and systems files that nobody expects: each of it ends in a sentence.

Every test here starts the whole suite, as a user does, on a small world that was spoilt.
"""

from __future__ import annotations

import gzip
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.pocket_agent.world import World
from plugins.tests.runs import CONTROLS, FORBIDDEN, QUICK, assert_sound, looked, suite

HUGE = 2 << 30


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


def test_ten_thousand_projects_and_a_line_of_a_hundred_megabytes(
    world: World, tmp_path: Path
) -> None:
    whole = world.metadata(0).read_bytes()
    old = world.metadata(0).parent.name.encode()
    for number in range(10_000):
        folder = world.data / "projects" / f"p{number}"
        folder.mkdir()
        (folder / "metadata.json").write_bytes(whole.replace(old, folder.name.encode()))
    line = b'{"level":"ERROR","msg":"' + b"x" * (100 << 20) + b'"}\n'
    world.log_line(line)
    packed = world.message_log(0, b"{}\n", "messages_2026-01-01_00-00-00.jsonl.gz")
    packed.write_bytes(gzip.compress(bytes(100 << 20), 1))
    world.message_log(0, line, "messages_2026-01-02_00-00-00.jsonl")
    look = looked(world, tmp_path)
    assert "10003 of 100 projects" in look.told("projects_are_left")
    assert len(look.row("project_metadata_makes_sense")["evidence"]) > 1000
    assert "1024 KiB" in look.told("message_logs_can_be_read")
    assert look.row("the_log_shows_few_errors")["outcome"] == "healthy"
    assert look.seconds < 30
    assert max(map(len, look.artefacts()["the terminal"].split("\n"))) < 5000


def test_dates_of_1970_and_2100(world: World, tmp_path: Path) -> None:
    world.start()
    world.project(
        metadata={"created_at": "1970-01-01T00:00:00Z", "last_active": "2100-01-01T00:00:00Z"}
    )
    for path, year in ((world.metadata(0), 1970), (world.metadata(1), 2100), (world.config, 2100)):
        then = (year - 1970) * 365.25 * 86_400
        os.utime(path, (then, then))
    left = world.metadata(0).with_name(".tmp-1")
    left.touch()
    os.utime(left, (4.1e9, 4.1e9))
    world.log_line({"time": "2100-01-01T00:00:00Z", "level": "ERROR", "msg": "x", "error": "y"})
    world.log_line({"time": "0001-01-01T00:00:00Z", "level": "ERROR", "msg": "x", "error": "y"})
    look = suite(tmp_path / "run", {"pocket_agent": world.settings() | QUICK})
    assert_sound(look)
    assert "2100-01-01T00:00:00Z lies in the future" in look.told("project_metadata_makes_sense")
    assert "dated in the future" in look.told("no_interrupted_write_is_left")


def jump(offset: Path, over: threading.Event, jumps: list[str]) -> None:
    """Set the clock back, which makes every age negative, and far ahead, until it is over."""
    beside = offset.with_name("beside")
    for moment in itertools.cycle(("-1d\n", "+1d\n")):
        beside.write_text(moment, "ascii")
        beside.replace(offset)
        jumps.append(moment)
        if over.wait(0.25):
            return


def test_a_clock_that_jumps_while_we_look(world: World, tmp_path: Path) -> None:
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
    if library is None:
        pytest.skip("libfaketime is not installed (apt-get install faketime)")
    world.start(health_delay=0.7)
    offset = tmp_path / "offset"
    offset.write_text("+0\n", "ascii")
    # The library breaks one call of the C library, clock_nanosleep, at the jump; this is another.
    sleep = "import threading, time\ntime.sleep = lambda s: threading.Event().wait(s) and None\n"
    (tmp_path / "sitecustomize.py").write_text(sleep, "ascii")
    variables = {
        "PYTHONPATH": str(tmp_path),
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        # A clock that is set jumps; the one that deadlines are measured with does not.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    over, jumps = threading.Event(), list[str]()
    jumping = threading.Thread(target=jump, args=(offset, over, jumps))
    jumping.start()
    look = suite(tmp_path / "run", {"pocket_agent": world.settings() | QUICK}, env=variables)
    over.set()
    jumping.join()
    assert len(jumps) > 3, "the clock did not jump"
    assert_sound(look)
    assert look.seconds < 30
    assert not [row for row in look.document["findings"] if row["outcome"] == "not_run"]
    assert all(row["duration_s"] >= 0 for row in look.document["findings"])


def test_systems_files_that_are_none(tmp_path: Path) -> None:
    fifo, huge, binary = tmp_path / "fifo", tmp_path / "huge", tmp_path / "bin\x1b[31mary"
    loop, names = tmp_path / "loop", tmp_path / "names"
    os.mkfifo(fifo)
    huge.touch()
    os.truncate(huge, HUGE)
    binary.write_bytes(bytes(range(256)))
    loop.symlink_to(loop)
    names.write_text('[pocket_agent]\n"\\u001b[31m\\u202e" = 1\n', "utf-8")
    wanted = {
        fifo: "not a regular file",
        huge: "larger than 1 MiB",
        binary: "not a TOML file",
        loop: "Too many levels",
        names: "unknown key",
        tmp_path: "not a regular file",
        tmp_path / "missing": "No such file",
    }
    for number, (path, sentence) in enumerate(wanted.items()):
        look = suite(tmp_path / f"run{number}", path)
        assert look.status == 4
        assert sentence in look.terminal
        assert not [word for word in FORBIDDEN if word in look.terminal]
        assert not CONTROLS.search(look.terminal), look.terminal
        assert look.left == ()
