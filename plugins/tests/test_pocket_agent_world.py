"""The small Pocket Agent has the real one's files, processes and refusals."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from healthchecks.pocket_agent.world import World
from plugins.endpoints.signatures import load
from plugins.worlds.running import gone, running_from, state, until

_REPOSITORY = Path(__file__).parents[2]
_SIGNATURES = load(str(_REPOSITORY / "healthchecks/pocket_agent/known_issues.toml"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


def test_a_world_that_is_made_starts_nothing(tmp_path: Path) -> None:
    assert World(tmp_path / "world").pid == 0


@pytest.mark.parametrize("layout", ["real", "guide"])
def test_a_healthy_world_is_private(tmp_path: Path, layout: str) -> None:
    made = World(tmp_path / "world", layout)  # type: ignore[arg-type]
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert made.crt.stat().st_mode & 0o777 == 0o644
    assert made.data.stat().st_mode & 0o027 == 0
    assert made.metadata(0).stat().st_mode & 0o777 == 0o644
    assert not made.metadata(0).read_bytes().endswith(b"\n")
    assert x509.load_pem_x509_certificate(made.crt.read_bytes()).subject


def test_the_process_has_the_real_ones_name(world: World) -> None:
    pid = world.start()
    assert os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "pocket-agent-server"
    assert Path(f"/proc/{pid}/comm").read_text().strip() == "pocket-agent-se"


def test_broken_metadata_is_dropped_and_logged(world: World) -> None:
    world.project(metadata=b"{")
    world.project(metadata={"path": None})
    world.project().joinpath("metadata.json").unlink()
    world.start()
    log = world.log.read_text()
    for said in (
        "failed to unmarshal",
        "missing required fields",
        "failed to read",
        "failed to load",
    ):
        assert said in log
    assert '"total":6,"loaded":3,"failed":3' in log


@pytest.mark.parametrize(
    ("fault", "issue"),
    [
        (lambda world: world.configure(text=b"server:\n  port: 1\n"), "config_not_json"),
        (lambda world: world.config.unlink(), "config_missing"),
        (lambda world: world.configure(port=70000), "setting_out_of_range"),
        (lambda world: world.crt.unlink(), "tls_file_missing"),
        (lambda world: world.other_key(), "key_mismatch"),
        (lambda world: world.crt.write_bytes(b"rubbish"), "certificate_unreadable"),
        (lambda world: world.claude.unlink(), "claude_not_found"),
        (lambda world: world.listen_instead(), "address_in_use"),
    ],
)
def test_a_refusal_to_start_ends_with_1_and_its_known_issue(
    world: World, fault: object, issue: str
) -> None:
    assert callable(fault)
    fault(world)
    assert world.start_refused() == 1
    last = world.log.read_bytes().splitlines()[-1]
    assert [each.key for each in _SIGNATURES if each.fits(last)] == [issue]


def test_an_unknown_flag_ends_with_2(world: World) -> None:
    assert world.start_refused(host="127.0.0.1") == 2


def test_children_of_all_kinds_and_none_left(world: World) -> None:
    server = world.start()
    child = world.spawn_child()
    orphan = world.spawn_child(orphan=True)
    zombie = world.spawn_child(zombie=True)
    held = world.hold(world.metadata(0))
    assert _parent(child) == server
    assert _parent(orphan) != os.getpid()
    assert _parent(orphan) != server
    assert state(zombie) == "Z"
    world.close()
    until(lambda: all(gone(pid) for pid in (server, child, orphan, zombie, held)), "all end")
    assert running_from(world.folder) == []


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_server_that_somebody_else_started_is_found_and_ended(world: World) -> None:
    import subprocess

    subprocess.Popen(world.command(), stdout=subprocess.DEVNULL, start_new_session=True)
    until(lambda: world.pid != 0, "it is found")
    pid = world.pid
    world.close()
    assert gone(pid)


def test_message_logs_and_ages(world: World) -> None:
    live = world.message_log(0, b"{}\n")
    rotated = world.message_log(0, b"{}\n", "messages_2026-01-01_00-00-00.jsonl")
    link = live.with_name("current.jsonl")
    assert os.readlink(link) == live.name
    world.age(rotated, 40)
    assert time.time() - rotated.stat().st_mtime > 39 * 86400
