"""Portagent is found in its container: by name, image and mounts, with what it was given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from healthchecks.portagent.search import Search
from healthchecks.portagent.search_containers import Containers, outside
from healthchecks.portagent.world import World
from healthchecks.portagent.world_containers import NEEDS
from healthchecks.portagent.world_server import KEY, SECRET
from plugins.endpoints import containers as rows
from plugins.endpoints.container_settings import Port
from plugins.endpoints.containers import Container
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.proofs import lacking
from plugins.tests.portagent_box import opened
from plugins.tests.test_portagent_found import found, settings_of

MISSING = lacking(NEEDS)
ON_AN_ENGINE = pytest.mark.skipif(bool(MISSING), reason=f"needs {MISSING}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world that is ended whatever happens."""
    with opened(tmp_path) as made:
        yield made


def inspected(name: str, image: str, state: str = "running", **mounts: str) -> Container:
    """Return a container as the engine tells of it; a mount is target=source, _ for a slash."""
    told: dict[str, Any] = {
        "Id": name.rjust(64, "0"),
        "Name": f"/{name}",
        "Config": {"Image": image, "Env": ["AGENTX_DIR=/home/node/.agentx"]},
        "State": {"Status": state, "Pid": 0},
        "HostConfig": {},
        "Mounts": [
            {"Type": "bind", "Source": source, "Destination": target.replace("_", "/")}
            for target, source in mounts.items()
        ],
    }
    return rows.container({}, told)


SETTINGS = settings_of({})
IMAGE = "deepracticexs/portagent:1.9.0"


@pytest.mark.parametrize(
    ("standing", "meant"),
    [
        ([("portagent", "busybox", "running")], "portagent"),
        ([("web", IMAGE, "running")], "web"),
        ([("web", "registry.example:5000/team/portagent@sha256:00", "running")], "web"),
        ([("portagent-db", "postgres", "running")], ""),
        ([("web", "portagent-exporter:1", "running")], ""),
        ([("portagent", IMAGE, "exited"), ("web", IMAGE, "running")], "web"),
        ([("portagent", IMAGE, "exited")], "portagent"),
    ],
)
def test_a_container_is_known_by_its_whole_name_or_image(
    standing: list[tuple[str, str, str]], meant: str
) -> None:
    containers = Containers(tuple(inspected(*one) for one in standing))
    seen = containers.named(SETTINGS)
    assert (seen.name if seen is not None else "") == meant


def test_of_two_that_one_whose_data_is_meant() -> None:
    standing = (
        inspected("portagent", IMAGE, _home_node_="/srv/one"),
        inspected("second", IMAGE, _home_node_="/srv/two"),
    )
    settings = settings_of({"data_dir": "/srv/two/.agentx"})
    seen = Containers(standing).named(settings)
    assert seen is not None
    assert seen.name == "second"
    assert Containers(standing).named(settings_of({"data_dir": "/elsewhere"})) is None


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/data/x", "/srv/data/x"),
        ("/data", "/srv/data"),
        ("/data/deeper/y", "/srv/deep/y"),
        ("/database", ""),
        ("/other", ""),
    ],
)
def test_a_path_inside_is_found_outside_by_the_innermost_mount(path: str, there: str) -> None:
    one = inspected("a", IMAGE, _data="/srv/data", _data_deeper="/srv/deep")
    assert outside(path, one) == there


@pytest.mark.parametrize(
    ("bindings", "mode", "reached"),
    [
        ([("0.0.0.0", "5300")], "bridge", (True, "127.0.0.1", 5300)),
        ([("10.1.2.3", "5300")], "bridge", (True, "10.1.2.3", 5300)),
        ([("10.1.2.3", "80"), ("127.0.0.1", "80")], "bridge", (True, "127.0.0.1", 80)),
        ([], "behind", (False, "127.0.0.1", 5200)),
        ([], "host", (True, "127.0.0.1", 5200)),
    ],
)
def test_it_is_asked_where_the_engine_publishes_it(
    bindings: list[tuple[str, str]], mode: str, reached: tuple[bool, str, int]
) -> None:
    told = inspected("portagent", IMAGE)
    ports = tuple(Port("5200/tcp", address, int(outer)) for address, outer in bindings)
    one = replace(told, settings=replace(told.settings, ports=ports, network_mode=mode))
    search = Search(SETTINGS, Host())
    search.__dict__ |= {"containers": Containers((one,)), "seen": ()}
    assert (search.published, search.address, search.port) == reached


@ON_AN_ENGINE
def test_its_container_tells_what_it_was_given(world: World) -> None:
    world.containers.run("--env", "INVITE_CODE_REQUIRED=TRUE", "--env", "PORT=5200")
    seen = found(world)
    assert seen.container == "portagent"
    assert seen.pid > 0
    assert seen.data_dir == str(world.data_dir)
    assert seen.text("INVITE_CODE_REQUIRED") == "TRUE"
    variable = seen.variable("JWT_SECRET")
    assert variable is not None
    assert variable.value.reveal() == SECRET
    assert str(variable) == "JWT_SECRET (container portagent)"
    assert KEY not in repr(seen)
    assert SECRET not in repr(seen)


@ON_AN_ENGINE
def test_a_container_of_another_folder_is_another_one(world: World, tmp_path: Path) -> None:
    world.containers.run()
    with pytest.raises(Absent):
        found(world, data_dir=str(tmp_path / "elsewhere"))


@ON_AN_ENGINE
def test_a_server_on_the_machine_goes_before_a_container_of_its_image(world: World) -> None:
    world.containers.run()
    pid = world.server.start()
    seen = found(world)
    assert (seen.pid, seen.container) == (pid, "")


def test_an_engine_that_hangs_costs_a_moment_and_hides_nothing(world: World) -> None:
    from plugins.worlds.dockerd import DockerWorld

    engine = DockerWorld(world.folder / "engine")
    engine.hang()
    try:
        seen = found(world, docker_url=engine.url)
        assert seen.data_dir == str(world.data_dir)
        assert "no answer in time" in seen.engine_trouble
    finally:
        engine.close()
