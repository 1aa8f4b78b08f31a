"""`--recover crash_protection.*` on real files: what it does, refuses, and takes back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import SESSIONS, message, talk
from plugins.tests.runs import ROOT, systems_file, tree

FIRST, SECOND, THIRD = SESSIONS
HOSTILE = "</p><script>a()</script> [x](javascript:1) `#\x1b[31m sk-ant-api03-CANARYCANARY"


@dataclass
class Box:
    """A world, and the state folder and systems file of the runs over it."""

    world: World
    folder: Path

    def argv(self, *words: str) -> list[str]:
        """Return the command of a run over the world."""
        tables: dict[str, dict[str, object]] = {
            "suite": {"state": str(self.folder / "state")},
            "crash_protection": self.world.settings(),
        }
        file = systems_file(self.folder / "systems.toml", tables)
        reports = ("--html", str(self.folder / "h.html"), "--health-json", str(self.folder / "h"))
        target = ("healthchecks/", "--systems", str(file), *reports, "-p", "no:cacheprovider")
        return [sys.executable, "-m", "pytest", *target, *words]

    def run(self, procedure: str, *words: str) -> tuple[int, str]:
        """Run a procedure; return its status and all that it said."""
        argv = self.argv("--recover", f"crash_protection.{procedure}", *words)
        return self.ended(argv)

    def ended(self, argv: list[str]) -> tuple[int, str]:
        """Run a command to its end."""
        ran = subprocess.run(
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=100, check=False
        )
        said = (ran.stdout + ran.stderr).decode()
        assert "Traceback" not in said, said
        return ran.returncode, said

    def undone(self, said: str) -> None:
        """Take back the run that said how."""
        (run,) = re.findall(r"--undo (\S+)", said)
        status, told = self.ended(self.argv("--undo", run))
        assert status == 0, told
        assert "0 refused" in told


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    world = World(tmp_path / "home")
    try:
        yield Box(world, tmp_path)
    finally:
        world.close()


def contents(seen: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    """Return mode, size, time and content of files, and mode of folders."""
    return {k: v if os.path.isfile(k) else v[:3] for k, v in seen.items()}


def crash_copy(world: World, session: str) -> Path:
    return next(world.crash_recovery.glob(f"{session}_*.jsonl"))


def after_a_crash(world: World) -> None:
    """Have a truncated copy, one that differs, one that is missing, and a longer crash copy."""
    longest = crash_copy(world, FIRST)
    longest.write_bytes(longest.read_bytes() + message(FIRST, 6, "only here") + b'{"type": "us')
    short = world.realtime / f"{FIRST}.jsonl"
    short.write_bytes(short.read_bytes()[:700])
    broken = world.realtime / f"{SECOND}.jsonl"
    broken.write_bytes(broken.read_bytes()[:300] + b"\xff\nrubbish\n" + talk(SECOND, 20))
    (world.saved / f"{THIRD}.jsonl").unlink()
    (world.realtime / "gone.jsonl").write_bytes(talk("gone", 3))
    (world.realtime / "gone.jsonl").chmod(0o600)


def recovered(world: World) -> None:
    longest = crash_copy(world, FIRST).read_bytes()
    assert (world.realtime / f"{FIRST}.jsonl").read_bytes() == longest
    assert (world.saved / f"{FIRST}.jsonl").read_bytes() == longest
    whole = world.conversations.path(SECOND).read_bytes()
    assert (world.realtime / f"{SECOND}.jsonl").read_bytes() == whole
    assert (world.saved / f"{THIRD}.jsonl").exists()
    gone = (world.realtime / "gone.jsonl").read_bytes()
    assert (world.saved / "gone.jsonl").read_bytes() == gone
    kept = [path.read_bytes() for path in world.crash_recovery.glob(f"{SECOND}_*")]
    assert sum(b"rubbish" in content for content in kept) == 1
    for path in world.kit.rglob("*.jsonl"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not [path for path in world.kit.rglob("*") if "tmp" in path.name]


def test_the_longest_valid_copy_wins_and_all_is_taken_back(box: Box) -> None:
    world = box.world
    after_a_crash(world)
    world.monitor.run("guide")
    before = tree(world.folder)
    status, said = box.run("recover")
    assert status == 4
    assert "--recover crash_protection.recover --yes" in said
    assert tree(world.folder) == before
    status, said = box.run("recover", "--yes")
    assert "is longer, but holds a line that is no record; it is kept" in said
    assert "--watch" not in said
    recovered(world)
    # The origin is shorter than what was recovered, which only restore_one may change.
    assert status in {0, 10}, said
    box.undone(said)
    assert contents(tree(world.folder)) == contents(before)


def test_killed_at_any_moment_and_done_again(box: Box) -> None:
    world = box.world
    after_a_crash(world)
    origins = tree(world.volume) | tree(world.projects)
    world.monitor.run("guide")
    for number in (1, 2):
        argv = box.argv("--recover", "crash_protection.recover", "--yes")
        with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            while line := process.stdout.readline():
                if line.startswith(("The plan", "[1/", "[2/")[number]):
                    break
            process.kill()
    box.run("recover", "--yes")
    for path in world.kit.glob("*/*.tmp"):
        path.unlink()  # what a kill leaves is another check's
    recovered(world)
    assert tree(world.volume) | tree(world.projects) == origins


def test_an_export_is_whole_private_and_harmless(box: Box) -> None:
    world = box.world
    origin = world.conversations.path(THIRD)
    result = {"type": "user", "message": {"role": "user", "content": [{"type": "tool_result"}]}}
    aside = json.loads(message(THIRD, 2, "a sub-agent's")) | {"isSidechain": True}
    with origin.open("ab") as file:
        file.write(message(THIRD, 6, HOSTILE) + message(THIRD, 7, "an answer"))
        file.write(b"".join(json.dumps(row).encode() + b"\n" for row in (result, aside)))
    before = tree(world.folder)
    (world.folder / "out").mkdir()
    status, said = box.run("export", "--with", f"to={world.folder}/out", "--yes")
    assert status == 0, said
    (made,) = (world.folder / "out").glob("Claude_Emergency_Export_*")
    text = (made / "SUMMARIES.md").read_text()
    assert "8, of which 4 are prompts" in text
    assert "Last prompt: &#60;/" in text
    for word in ("<script", "](javascript", "\x1b", "CANARY"):
        assert word not in text + said
    assert (made / "host" / "-srv-app" / origin.name).read_bytes() == origin.read_bytes()
    assert (made / "copies" / "realtime" / f"{FIRST}.jsonl").exists()
    assert "restore_one" in (made / "RECOVERY_INSTRUCTIONS.md").read_text()
    for path in [made, *made.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    box.undone(said)
    (world.folder / "out").rmdir()
    assert {k: v[-1] for k, v in tree(world.folder).items()} == {
        k: v[-1] for k, v in before.items()
    }


def test_one_is_restored_and_taken_back(box: Box) -> None:
    world = box.world
    origin = world.conversations.path(FIRST)
    content = origin.read_bytes()
    other = content[:400] + b"\n" + talk(FIRST, 1)
    origin.write_bytes(other)
    origin.chmod(0o644)
    before = tree(world.folder)
    status, said = box.run("restore_one", "--with", f"id={FIRST[:6]}", "--yes")
    assert status == 0, said
    assert origin.read_bytes() == content
    assert origin.stat().st_mode & 0o777 == 0o600
    assert other in [path.read_bytes() for path in world.crash_recovery.glob(f"{FIRST}_*")]
    box.undone(said)
    assert {k: v[-1] for k, v in tree(world.folder).items()} == {
        k: v[-1] for k, v in before.items()
    }
    origin.unlink()
    world.change(volume_folder="")
    status, said = box.run("restore_one", "--with", f"id={FIRST}", "--yes")
    assert status == 11, said
    assert "docker cp" in said


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("find", "--with", "text=DASHBOARD", "--with", f"id={FIRST}"), 0, "user: message 0"),
        (("find", "--with", "text=nowhere"), 1, "crash-recovery"),
        (("restore_one", "--with", "id=x"), 4, "no conversation is called so"),
    ],
)
def test_answers_and_usage(box: Box, words: tuple[str, ...], status: int, said: str) -> None:
    before = tree(box.world.folder)
    came, told = box.run(*words)
    assert (came, said in told) == (status, True), told
    assert tree(box.world.folder) == before


def test_what_is_shown_and_kept_is_harmless_and_private(box: Box) -> None:
    status, said = box.run("list", "--with", "limit=2")
    assert status == 0
    assert "1 more: --with limit=3" in said
    assert len(re.findall(r"6 messages", said)) == 2
    secret = message(FIRST, 6, "the key is sk-ant-api03-CANARYCANARY \x1b]0;owned\x07 déjà vu")
    box.world.conversations.path(FIRST).open("ab").write(secret)
    status, said = box.run("find", "--with", "text=DÉJÀ VU")
    assert status == 0, said
    assert "CANARY" not in said
    assert "\x1b" not in said
    assert "\\x1b]0;owned" in said
    words = box.folder / "state" / "conversations" / "words"
    assert words.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in words.iterdir()} == {0o600}


def test_thousands_are_listed_and_found_in_time(box: Box) -> None:
    for number in range(2000):
        text = f"needle{number} in the stack"
        path = box.world.projects / "-many" / f"{number:08x}-0000-4000-8000-000000000000.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(message("many", 0, text))
    began = time.monotonic()
    status, said = box.run("find", "--with", "text=needle1999 in the")
    assert status == 0, said
    assert said.count("needle1999") == 2
    assert time.monotonic() - began < 20
