"""Pocket Agent is found where it lives, by what is there and not by what a file says of it."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.host.world_real import Surroundings
from healthchecks.pocket_agent import commands, configuration, restoring
from healthchecks.pocket_agent.commands import Command
from healthchecks.pocket_agent.system import PocketAgent, Settings, find
from healthchecks.pocket_agent.world import World
from plugins.endpoints.commands import unit_command
from plugins.hosts import Host
from plugins.outcomes import Absent

SHIPPED = Path(__file__).parents[2] / "healthchecks/systems.toml"
NOWHERE: dict[str, Any] = {"unit_folders": [], "default_binaries": [], "default_configs": []}
NOWHERE |= {"default_data": [], "default_logs": []}


def found(**keys: Any) -> PocketAgent:
    table = tomllib.loads(SHIPPED.read_text("utf-8"))["pocket_agent"] | NOWHERE | keys
    values: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in table.items()
    }
    return find(Settings(**values), Host())


@pytest.fixture(params=["real", "guide"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world", request.param)
    yield made
    made.close()


def test_every_key_has_its_field() -> None:
    table = tomllib.loads(SHIPPED.read_text("utf-8"))["pocket_agent"]
    assert list(table) == [field.name for field in dataclasses.fields(Settings)]


def test_a_running_server_tells_where_everything_is(world: World) -> None:
    pid = world.start()
    seen = found(port=world.port, home=str(world.folder))
    assert seen.pids == (pid,)
    assert (seen.config, seen.data_dir) == (str(world.config), str(world.data))
    assert (seen.certificate, seen.key, seen.tls) == (str(world.crt), str(world.key), "yes")
    assert seen.logs == (str(world.log),)
    assert seen.claude == str(world.claude)
    assert seen.dialect == ("yaml" if world.guide else "json")
    assert "openssl" in seen.uses.tools


def test_a_stopped_server_is_found_by_its_configuration(world: World) -> None:
    # Another server may run on this machine: no process has this name.
    seen = found(config=str(world.config), root_dir=str(world.root), program="a-server-of-our-own")
    assert seen.pids == ()
    assert (seen.port, seen.data_dir) == (world.port, str(world.data))
    assert (seen.certificate, seen.key) == (str(world.crt), str(world.key))


def test_a_stopped_server_is_found_by_its_unit(world: World) -> None:
    unit = world.folder / "pocket-agent-server.service"
    words = " \\\n  ".join(world.command())
    unit.write_text(f"[Service]\nUser=nobody\nWorkingDirectory={world.root}\nExecStart={words}\n")
    # Another server may run on this machine: no process has this name.
    seen = found(
        unit_folders=[str(world.folder)], home=str(world.folder), program="a-server-of-our-own"
    )
    assert (seen.port, seen.data_dir) == (world.port, str(world.data))
    assert (seen.user, seen.unit) == ("nobody", unit.name)
    assert seen.start_command == ("systemctl", "start", unit.name)


def test_another_server_is_not_taken_for_it(world: World, tmp_path: Path) -> None:
    world.start()
    other = World(tmp_path / "other")
    seen = found(**other.settings())
    assert seen.pids == ()
    assert seen.data_dir == str(other.data)


def test_a_root_folder_of_a_trial_does_not_hide_the_packages_server(
    world: World, tmp_path: Path
) -> None:
    pid = world.start()
    home = tmp_path / "me"
    (home / ".pocket_agent/projects").mkdir(parents=True)
    keys = {"home": str(home), "default_configs": [str(world.config)]}
    assert found(**keys).pids == (pid,)
    assert found(**keys).data_dir == str(world.data)
    (home / ".pocket_agent/config.json").write_text(f'{{"port": {world.port + 1}}}')
    assert (found(**keys).pids, found(**keys).port) == ((), world.port + 1)


def test_where_there_is_none_the_places_are_told(tmp_path: Path) -> None:
    with pytest.raises(Absent) as met:
        found(home=str(tmp_path), root_dir=str(tmp_path / "gone"), port=1)
    assert str(tmp_path / "gone/config.json") in met.value.looked_in


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system")
def test_a_dead_mount_hides_nothing_but_itself(world: World, tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    try:
        dead = around.dead_mount()
        seen = found(**world.settings() | {"data_dir": dead})
    finally:
        around.close()
    assert (seen.data_dir, seen.port) == (dead, world.port)
    assert dead in seen.uses.folders


def test_a_pipe_for_a_configuration_is_not_waited_for(world: World) -> None:
    world.config.unlink()
    os.mkfifo(world.config)
    seen = found(config=str(world.config), root_dir=str(world.root))
    assert seen.configuration.error.endswith(": other")


def test_a_unit_may_quote_and_break_its_lines() -> None:
    text = '[Service]\n# ExecStart=/no\nEnvironment="A=b c" D=e\nExecStart=-/bin/x \\\n --port 1\n'
    seen = unit_command(text, Command)
    assert seen.argv == ("/bin/x", "--port", "1")
    assert seen.environment == {"A": "b c", "D": "e"}


@pytest.mark.parametrize(
    ("text", "dialect", "port"),
    [
        ('{"port": 1, "websocket": {"x": [1]}}', "json", "1"),
        ("server:\n  port: 1 # here\n  tls:\n    cert: 'a'\n", "yaml", "1"),
        ('{"port": ', "json", ""),
        ("\0\0", "none", ""),
        ("[" * 100_000, "none", ""),
        ('{"a":' * 100_000, "json", ""),
    ],
)
def test_both_dialects_are_read_and_rubbish_is_told(text: str, dialect: str, port: str) -> None:
    seen = configuration.read_configuration("config", text)
    assert (seen.dialect, seen.text("port")) == (dialect, port)
    assert bool(seen.error) != bool(port)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1m30s", 90), ("250ms", 0.25), ("300000000000", 300), ("", 0)],
)
def test_durations_are_go_strings_or_nanoseconds(text: str, seconds: float) -> None:
    assert configuration.seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "other", "path": "/srv"',
        '{"id": "one", "path": "srv"',
        '{"id": "one", "path": "/sr',
        '{"id": "one", "path": "/s\ufffdr",',
        '{"x": "path", "y": "/srv"',
    ],
)
def test_a_path_is_never_guessed(text: str) -> None:
    assert restoring.from_remains("one", text, 0.0, 1.0) is None


def test_what_a_torn_file_says_is_kept() -> None:
    text = '{\n  "id": "one",\n  "path": "/srv/\\u00fc",\n  "created_at": "2026-01-31T10:00:00Z",\n'
    made = restoring.from_remains("one", text, 0.0, 1.0)
    assert made is not None
    assert made.content.decode().splitlines()[1:] == [
        '  "id": "one",',
        '  "path": "/srv/ü",',
        '  "created_at": "2026-01-31T10:00:00Z",',
        '  "last_active": "1970-01-01T00:00:01.000000Z"',
        "}",
    ]


def test_two_folders_in_the_logs_tell_nothing() -> None:
    line = '{"message":{"type":"system","cwd":"%s"}}'
    assert restoring.from_work("one", [f"{line % '/a'}\n{line % '/b'}"], 0.0, 1.0) is None
    assert restoring.from_work("one", [f"{line % '/a'}\n{line % '/a'}"], 0.0, 1.0) is not None


def test_of_two_servers_the_one_of_the_home_is_meant() -> None:
    mine = commands.Command(("s",), {"HOME": "/home/me"}, pid=2, ports=(2,))
    twin = commands.Command(("s",), {"HOME": "/home/me"}, pid=3)
    other = commands.Command(("s", "--data-dir", "/srv/d"), {"HOME": "/home/you"}, pid=1)
    both = (other, mine, twin)
    assert commands.ours(both, {}, "/home/me", named=False) == (mine, twin)
    assert commands.ours(both, {}, "/srv/d", named=True) == (other,)
    assert commands.ours(both, {}, "/root", named=False) == (other,)
    assert commands.ours(both, {}, "/root", named=True) == ()
    assert commands.ours(both, {"port": "2"}, "/root", named=True) == (mine,)
    # One that is told nothing is not taken for the server of another root folder.
    assert commands.ours((twin,), {"root-dir": "/srv/x"}, "/home/me", named=False) == ()
    own = {"root-dir": "/home/me/.pocket_agent"}
    assert commands.ours((twin,), own, "/home/me", named=False) == (twin,)
