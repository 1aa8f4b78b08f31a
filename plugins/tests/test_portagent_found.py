"""Where Portagent is found: its process, its unit, its files, its folder, and whose it is."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.portagent.system import Portagent, Settings, find
from healthchecks.portagent.world import World
from healthchecks.portagent.world_server import KEY, SECRET
from plugins.eyes import processes as eyes
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.tests.portagent_box import opened

SHIPPED = Path(__file__).resolve().parents[2] / "healthchecks" / "systems.toml"


def settings_of(told: dict[str, Any]) -> Settings:
    """Return the shipped settings with others laid over."""
    table = tomllib.loads(SHIPPED.read_text("utf-8"))["portagent"] | told
    frozen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return Settings(**frozen)


def found(world: World, **over: Any) -> Portagent:
    """Return what is found of a world."""
    return find(dataclasses.replace(settings_of(world.settings()), **over), Host())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world that is ended whatever happens."""
    with opened(tmp_path) as made:
        yield made


def test_its_process_tells_its_port_its_data_and_its_variables(world: World) -> None:
    pid = world.server.start()
    seen = found(world, data_dir="", port=0)
    assert (seen.pid, seen.port) == (pid, world.server.port)
    assert seen.data_dir == str(world.data_dir)
    assert seen.folder == str(world.server.app)
    assert seen.text("INVITE_CODE_REQUIRED") == "true"
    variable = seen.variable("JWT_SECRET")
    assert variable is not None
    assert variable.value.reveal() == SECRET
    assert str(variable) == f"JWT_SECRET (process {pid})"


def test_no_secret_is_in_what_it_prints(world: World) -> None:
    world.server.start(jwt_secret="another secret of this world")
    seen = found(world)
    for secret in (KEY, SECRET, "another secret"):
        assert secret not in repr(seen)
    variable = seen.variable("JWT_SECRET")
    assert variable is not None
    assert variable.source == "--jwt-secret"
    with pytest.raises(KeyError):
        seen.text("JWT_SECRET")


def test_an_option_goes_before_the_variable_and_that_before_the_files(world: World) -> None:
    del world.server.environment["TZ"]
    env, local = world.server.app / ".env", world.server.app / ".env.local"
    env.write_text('export TZ="Asia/Tokyo" # there\nLOG_LEVEL=debug\nINVITE_CODE_REQUIRED=false\n')
    local.write_text("TZ=Europe/Paris\nNODE_EXTRA_CA_CERTS='ours.pem'\n")
    world.server.start()
    seen = found(world)
    assert seen.text("TZ") == "Asia/Tokyo"  # not .env.local, whatever the documents say
    assert seen.text("INVITE_CODE_REQUIRED") == "true"  # not the file
    assert seen.text("LOG_LEVEL") == "debug"
    assert seen.text("NODE_EXTRA_CA_CERTS") == "ours.pem"


def test_a_file_that_it_is_given_is_read_instead_of_the_others(world: World) -> None:
    (world.server.app / ".env").write_text("LOG_LEVEL=debug\n")
    (world.server.app / "own.env").write_text("NODE_EXTRA_CA_CERTS=ours.pem\n")
    world.server.start(env_file="own.env")
    seen = found(world)
    assert seen.text("LOG_LEVEL") == ""
    assert seen.text("NODE_EXTRA_CA_CERTS") == "ours.pem"


def test_the_port_of_the_option_and_not_of_the_variable(world: World) -> None:
    world.server.environment["PORT"] = "15210"
    world.server.start()
    assert found(world).port == world.server.port


def test_a_server_that_stands_beside_it_is_another_one(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "beside"
    folder.mkdir()
    beside = World(folder)
    try:
        beside.server.start()
        pid = world.server.start()
        assert found(world).pids == (pid,)
        assert found(beside).pids == (beside.server.pid,)
        world.server.stop()
        assert found(world).pids == ()
        assert found(world, port=beside.server.port).pids == ()
    finally:
        beside.close()


def test_its_unit_tells_while_it_does_not_run(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "env"
    secret.write_text("JWT_SECRET=of-the-file\nLOG_LEVEL=warn\n")
    units = tmp_path / "units"
    units.mkdir()
    (units / "portagent.service").write_text(
        "[Service]\nUser=node\nEnvironment=LOG_LEVEL=debug\n"
        f"EnvironmentFile=-{secret}\nExecStart=/usr/bin/portagent --port 5300 -d /srv/data\n"
    )
    told = {"unit": "portagent.service", "unit_folders": (str(units),)}
    seen = found(world, data_dir="", **told)
    assert (seen.port, seen.data_dir, seen.pid) == (5300, "/srv/data", 0)
    assert seen.unit_file == str(units / "portagent.service")
    assert seen.text("LOG_LEVEL") == "warn"  # a unit's file goes before its own lines
    assert seen.variable("JWT_SECRET") is not None


@pytest.mark.parametrize("name", ["portagent-linux-x64", "index.js"])
def test_what_its_package_starts_is_found_under_its_own_name(world: World, name: str) -> None:
    """The command of the package starts a program; a checkout is started as node dist/….js."""
    under = world.server.program.with_name(name)
    under.symlink_to(world.server.program.readlink())
    world.server.program = under
    pid = world.server.start()
    seen = found(world, data_dir="", default_data=("~/.agentx",))
    assert (seen.pids, seen.port) == ((pid,), world.server.port)
    assert seen.variable("JWT_SECRET") is not None


def test_who_looks_at_its_users_is_not_the_server(world: World) -> None:
    folder = world.data_dir / "data"
    code = "import socket,sqlite3,sys; s=socket.create_server(('127.0.0.1',0));"
    code += "d=sqlite3.connect(sys.argv[1]); d.execute('select * from users').fetchone();"
    code += "print(1,flush=True); sys.stdin.read()"
    argv = [sys.executable, "-S", "-c", code, str(folder / "portagent.db")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as viewer:
        assert viewer.stdout is not None
        assert viewer.stdout.readline()
        assert found(world).pids == ()
        viewer.communicate()


def test_its_folder_alone_is_enough_and_that_of_its_makers_is_not(world: World) -> None:
    home = str(world.folder)
    places = {"data_dir": "", "default_data": ("~/.agentx",), "home": home}
    assert found(world, **places).data_dir == str(world.data_dir)
    world.databases.path("portagent").unlink()
    (world.data_dir / "logs/portagent.log").unlink()
    with pytest.raises(Absent):
        found(world, **places)


def test_another_program_at_its_port_is_no_sign_of_it(world: World) -> None:
    world.server.another_program()
    told = {"data_dir": "", "default_data": (), "port": world.server.port}
    with pytest.raises(Absent) as met:
        found(world, **told)
    assert "processes named portagent" in str(met.value)


class EndsMeanwhile(Host):
    """This machine, on which a server ends after it was found and before it is looked at."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def call(self, function: Callable[..., Any], *args: object, deadline: float = 10.0) -> Any:
        """Look, too late at what a process was started with."""
        if function is eyes.environment:
            self._world.server.stop()
        return super().call(function, *args, deadline=deadline)


def test_a_process_that_ends_meanwhile_hides_nothing(world: World) -> None:
    world.server.start()
    seen = find(settings_of(world.settings()), EndsMeanwhile(world))
    assert seen.pids == ()
    assert seen.hidden == ()
