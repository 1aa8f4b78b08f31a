"""`--recover` on a real server with real files: what it does, refuses, and takes back."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import ssl
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import websocket

from healthchecks.pocket_agent.world import World
from healthchecks.pocket_agent.world_processes import until
from plugins.proofs import tree

ROOT = Path(__file__).parents[2]
RESTART = "pocket_agent.emergency_restart"
RECOVERY = "pocket_agent.data_recovery"
ROLLBACK = "pocket_agent.rollback"
BAD_LOG = "messages_2025-01-31_10-00-00.jsonl"


@dataclass
class Box:
    """A world, and the state folder and systems file of the runs over it."""

    world: World
    folder: Path

    def argv(self, *words: str) -> list[str]:
        """Return the command of a run over the world, which leaves its reports here."""
        keys = "\n".join(f"{k} = {json.dumps(v)}" for k, v in self.world.settings().items())
        file = self.folder / "systems.toml"
        state = json.dumps(str(self.folder / "state"))
        file.write_text(f"[suite]\nstate = {state}\n[pocket_agent]\n{keys}\n", "utf-8")
        page, document = str(self.folder / "h.html"), str(self.folder / "h.json")
        reports = ("--html", page, "--health-json", document, "-p", "no:cacheprovider")
        checks = str(ROOT / "healthchecks")
        return [sys.executable, "-m", "pytest", checks, "--systems", str(file), *reports, *words]

    def run(self, *words: str) -> tuple[int, str]:
        """Run it without a terminal; return its status and all that it said."""
        ran = subprocess.run(
            self.argv(*words),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        said = ran.stdout.decode()
        assert "Traceback" not in said
        return ran.returncode, said

    def typed(self, answer: str, *words: str) -> int:
        """Run it on a terminal on which a person types an answer; return its status."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            self.argv(*words), cwd=ROOT, stdin=theirs, stdout=subprocess.DEVNULL
        )
        os.write(ours, answer.encode() + b"\n")
        status = process.wait(120)
        os.close(theirs)
        os.close(ours)
        return status

    def archives(self) -> list[Path]:
        """Return the archives that procedures made."""
        return sorted((self.world.folder / ".pocket_agent-recovery").glob("*.tar.gz"))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    world = World(tmp_path / "world")
    world.change(stop_grace=2.0)
    yield Box(world, tmp_path)
    world.close()


def test_a_restart_with_clients_connected(box: Box) -> None:
    before = box.world.start()
    url = f"wss://127.0.0.1:{box.world.port}/ws"
    client = websocket.create_connection(url, sslopt={"cert_reqs": ssl.CERT_NONE})
    child = box.world.spawn_child()
    (box.world.data / ".lock").touch()
    status, said = box.run("--recover", RESTART, "--yes")
    client.close()
    assert status == 0, said
    assert "4 healthy" in said
    assert box.world.pid not in (0, before)
    assert not Path(f"/proc/{child}/cwd").exists()
    assert "panic" in box.world.log.read_text()
    assert not (box.world.data / ".lock").exists()
    (archive,) = box.archives()
    assert archive.stat().st_mode & 0o777 == 0o600
    listed = subprocess.run(["tar", "-tzf", archive], check=True, capture_output=True, text=True)
    assert f"projects/{box.world.metadata().parent.name}/metadata.json" in listed.stdout


def test_a_server_that_ignores_sigterm(box: Box) -> None:
    before = box.world.start()
    box.world.suspend()
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 0, said
    assert box.world.pid not in (0, before)


def test_a_server_that_was_down_is_started(box: Box) -> None:
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 0, said
    assert box.world.pid


def test_the_printed_plan_does_the_same_in_a_shell(box: Box) -> None:
    before = box.world.start()
    (box.world.data / "projects/half.tmp").touch()
    status, said = box.run("--recover", RESTART, "--fix", "plan")
    assert status == 0
    lines = [line[5:] for line in said.splitlines() if line[:3].strip().isdigit()]
    assert len(lines) == 5
    subprocess.run(["bash", "-euc", "\n".join(lines)], check=True, timeout=60)
    assert box.world.pid not in (0, before)
    assert not (box.world.data / "projects/half.tmp").exists()
    assert len(box.archives()) == 1


def test_a_start_command_that_fails_brings_back_what_ran(box: Box) -> None:
    before = box.world.start()
    leftover = box.world.data / "x.tmp"
    leftover.touch()
    box.world.change(start_command=["/bin/sh", "-c", "echo no such luck; exit 3"])
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 1, said
    assert "no such luck" in said
    assert "NOT taken" in said
    assert "4 healthy" in said
    assert f"--recover {RESTART}" in said
    assert leftover.exists()
    assert box.world.pid not in (0, before)


def test_a_server_that_can_not_start_is_told_of(box: Box) -> None:
    box.world.start()
    box.world.configure(text=b"{")
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 10, said
    assert "failed to parse config file" in said
    assert "by hand: cd" in said
    assert "no process of the server runs" in said
    assert not box.world.pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_never_leaves_the_server_stopped(box: Box, number: signal.Signals) -> None:
    before = box.world.start()
    box.world.suspend()
    argv = box.argv("--recover", RESTART, "--yes")
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    # The archive is made, and the server is given its two seconds to end.
    until(lambda: "[2/4]" in process.stdout.readline(), "the second step is taken", 60)
    process.send_signal(number)
    rest = process.stdout.read()
    assert process.wait(60) == 1, rest
    assert f"somebody ended this ({number.name})" in rest
    assert box.world.pid not in (0, before)


def test_the_document_alone_is_on_stdout(box: Box) -> None:
    box.world.start()
    words = ("--recover", RESTART, "--yes", "-n", "2", "--health-json", "-")
    ran = subprocess.run(box.argv(*words), cwd=ROOT, check=True, capture_output=True)
    document = json.loads(ran.stdout)
    assert [row["outcome"] for row in document["findings"]] == ["healthy"] * 4
    assert b"[4/4] taken" in ran.stderr


@pytest.mark.parametrize("answer", ["no", "", "emergency_restart"])
def test_a_refused_confirmation_changes_nothing(box: Box, answer: str) -> None:
    before, pid = tree(box.world), box.world.start()
    assert box.typed(answer, "--recover", RESTART) == 4
    assert (tree(box.world), box.world.pid) == (before, pid)
    assert not (box.folder / "state").exists()


def test_without_a_terminal_nothing_is_done(box: Box) -> None:
    before, pid = tree(box.world), box.world.start()
    status, said = box.run("--recover", RESTART)
    assert status == 4
    assert f"--recover {RESTART} --yes" in said
    assert (tree(box.world), box.world.pid) == (before, pid)


def test_a_typed_name_goes_on(box: Box) -> None:
    before = box.world.start()
    assert box.typed(RESTART, "--recover", RESTART) == 0
    assert box.world.pid not in (0, before)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--recover", "pocket_agent.emergency_restrat"), 4, f"did you mean {RESTART}?"),
        (("--recover", "x"), 4, f"{RECOVERY}, {RESTART}, {ROLLBACK}"),
        (("--recover", RESTART, "--demo"), 4, "does not go together with --demo"),
        (("--recover", ROLLBACK, "--yes"), 11, "no backup can be gone back to"),
    ],
)
def test_what_can_not_be_done(box: Box, words: tuple[str, ...], status: int, said: str) -> None:
    before = tree(box.world)
    came, told = box.run(*words)
    assert (came, said in told) == (status, True), told
    assert tree(box.world) == before


def test_an_absent_system_is_not_healthy(box: Box) -> None:
    nowhere = str(box.folder / "nowhere")
    box.world.change(home=nowhere, root_dir=nowhere, data_dir=nowhere, config="", binary="")
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 5
    assert "not here: Pocket Agent (looked in" in said


def test_data_recovery_and_undo(box: Box) -> None:
    world = box.world
    metadata = world.metadata()
    metadata.with_name("metadata.json.backup").write_bytes(metadata.read_bytes())
    metadata.write_bytes(b"{")
    world.message_log(name=BAD_LOG, lines=b'{"a":1}\n{"timesta\n{"b":2}\n')
    half = metadata.with_name(".tmp-123")
    half.write_bytes(b"{")
    world.age(half, 1)
    before = tree(world)
    status, said = box.run("--recover", RECOVERY, "--yes")
    assert status == 0, said
    assert json.loads(metadata.read_bytes())["id"] == metadata.parent.name
    assert not half.exists()
    assert box.archives()
    status, said = box.run("--undo")
    assert status == 0, said
    assert tree(world) == before


def _back_up(box: Box, date: str) -> Path:
    """Make a backup as the guide does, of the server as it is."""
    folder = box.world.folder / "backups" / date
    folder.mkdir(parents=True)
    shutil.copy2(box.world.program, folder / "pocket-agent-server")
    data = box.world.data
    made = ["tar", "-czf", str(folder / "data.tar.gz"), "-C", str(data.parent), f"./{data.name}"]
    subprocess.run(made, check=True)
    return folder


def test_rollback_to_an_older_backup_and_undo(box: Box) -> None:
    world = box.world
    old_binary = world.program.read_bytes()
    _back_up(box, "20260101")
    _back_up(box, "20260201").joinpath("data.tar.gz").write_bytes(b"\x1f\x8b\x08 cut")
    world.program.write_bytes(old_binary + b"# the new version\n")
    newer = world.project(logs=True)
    before = tree(world)
    first = world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert status == 0, said
    assert world.program.read_bytes() == old_binary
    assert not newer.exists()
    assert world.metadata(0).exists()
    assert world.pid not in (0, first)
    assert len(box.archives()) == 2
    status, said = box.run("--undo")
    assert status == 0, said
    assert tree(world) == before
    assert world.pid not in (0, first)


def test_a_corrupt_backup_is_refused(box: Box) -> None:
    archive = _back_up(box, "20260101") / "data.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-30])
    before, pid = tree(box.world), box.world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert status == 11
    assert "does not read to its end" in said
    assert (tree(box.world), box.world.pid) == (before, pid)


def test_a_malicious_backup_is_refused(box: Box) -> None:
    archive = _back_up(box, "20260101") / "data.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(box.world.data / "projects", "projects")
        tar.add(box.world.config, "../stolen")
    pid = box.world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert (status, box.world.pid) == (11, pid)
    assert "leads out of the archive" in said


def test_a_backup_that_can_not_run_is_taken_back(box: Box) -> None:
    folder = _back_up(box, "20260101")
    (folder / "pocket-agent-server").write_text("#!/bin/sh\necho too old; exit 1\n", "utf-8")
    newer = box.world.project(logs=True)
    before, pid = tree(box.world), box.world.start()
    status, said = box.run("--recover", ROLLBACK, "--yes")
    assert status == 1, said
    assert "too old" in said
    assert newer.exists()
    assert tree(box.world) == before
    assert box.world.pid not in (0, pid)
