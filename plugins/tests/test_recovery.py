"""`--recover` on a real server with real files: what it does, refuses, and takes back."""

from __future__ import annotations

import json
import os
import shlex
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket

from plugins.proofs import tree
from plugins.tests.boxes import ROOT
from plugins.tests.recovering_box import Box, opened
from plugins.worlds.running import until

RESTART = "pocket_agent.emergency_restart"
RECOVERY = "pocket_agent.data_recovery"
ROLLBACK = "pocket_agent.rollback"
BAD_LOG = "messages_2025-01-31_10-00-00.jsonl"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with opened(tmp_path) as made:
        yield made


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
    # The last line starts it in the background, and the shell does not wait for it.
    until(lambda: bool(box.world.pid), "the server runs", 20.0)
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


def test_a_server_as_the_guide_lays_it_out(box: Box) -> None:
    box.world.lay_out("guide")
    before = box.world.start()
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 0, said
    assert box.world.pid not in (0, before)
    # The data, and the configuration, certificate and key that lie beside it.
    assert len(box.archives()) == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_never_leaves_the_server_stopped(box: Box, number: signal.Signals) -> None:
    before = box.world.start()
    box.world.suspend()
    argv = box.argv("--recover", RESTART, "--yes")
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    said = process.stdout
    assert said
    # The archive is made, and the server is given its two seconds to end.
    until(lambda: "[2/4]" in said.readline(), "the second step is taken", 60)
    process.send_signal(number)
    rest = said.read()
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
        (("--recover", "x"), 4, f"{RECOVERY}: Archive the data"),
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


def test_a_server_with_a_unit_is_started_by_it(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    world, units = box.world, box.folder / "units"
    units.mkdir()
    (units / "agent.service").write_text(f"[Service]\nExecStart={world.program}\n", "utf-8")
    # No systemd runs here; this does of it what the procedure asks for.
    start = f"setsid {shlex.join(world.command())} > /dev/null 2>&1 < /dev/null &"
    script = f'#!/bin/sh\n[ "$*" = "start agent.service" ] || exit 1\n{start}\n'
    (units / "systemctl").write_text(script, "utf-8")
    (units / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{units}:{os.environ['PATH']}")
    world.change(unit="agent.service", unit_folders=[str(units)], start_command=[])
    before = world.start()
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 0, said
    assert "taken: systemctl start agent.service" in said
    assert world.pid not in (0, before)
    (units / "systemctl").write_text("#!/bin/sh\necho masked >&2; exit 1\n", "utf-8")
    before = world.pid
    status, said = box.run("--recover", RESTART, "--yes")
    assert status == 1, said
    assert "masked" in said
    assert world.pid not in (0, before)
