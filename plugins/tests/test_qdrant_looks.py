"""A loss of memories is told from when it is found, whatever the clock and the looks did."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.dgmo.probes_qdrant_collection import Memories, memories
from healthchecks.dgmo.system import Dgmo, Settings, find
from healthchecks.dgmo.world import World
from plugins.configuration import Configuration
from plugins.endpoints import history
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import Qdrant
from plugins.endpoints.sockets import Sockets
from plugins.hosts import Host
from plugins.run import Run
from plugins.systems import _frozen
from plugins.tests.runs import ROOT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


class Looks:
    """Looks at the memories of a world, one after the other, and the time between them."""

    def __init__(self, world: World, state: Path) -> None:
        shipped = tomllib.loads((ROOT / "healthchecks" / "systems.toml").read_text())["dgmo"]
        keys = {**shipped, **world.settings()}
        settings = Settings(**{key: _frozen(value) for key, value in keys.items()})
        self.system: Dgmo = find(settings, Host())
        self.world, self.folder = world, str(state / "cursors")
        self.run = Run(Configuration({}), state=state)

    def now(self) -> Memories:
        host = Host()
        look = memories.__probe__.function  # type: ignore[attr-defined]
        eyes = (Filesystem(host), Sockets(host), host, Qdrant(host))
        found: Memories = look(self.system, *eyes, self.run)
        return found

    def later(self, hours: float) -> None:
        """Let so many hours pass since all looks; of less than 0 the clock is set back."""
        memory = self.world.memory
        question = ("local://", "qdrant", memory.url, memory.collection, "count")
        rows = history.recall(self.folder, question)["looks"]
        looks = [[at - hours * 3600, count] for at, count in rows]
        history.keep(self.folder, question, {"looks": looks})


def remain(world: World, points: int) -> None:
    """Let the collection hold so many memories and no others."""
    world.memory.drop()
    world.memory.create(world.memory.collection)
    world.memory.fill(points)


def test_a_loss_counts_from_when_it_is_found(world: World, tmp_path: Path) -> None:
    world.memory.stand_in(points=30)
    looks = Looks(world, tmp_path / "state")
    for _ in range(2):
        assert looks.now() == Memories(30, 30)
        looks.later(100.0)
    remain(world, 3)
    for _ in range(2):
        assert looks.now() == Memories(3, 30)
        looks.later(100.0)
    assert looks.now() == Memories(3, 3)


def test_a_loss_is_found_however_long_nobody_looked(world: World, tmp_path: Path) -> None:
    world.memory.stand_in(points=30)
    looks = Looks(world, tmp_path / "state")
    looks.now()
    looks.later(1000.0)
    remain(world, 3)
    assert looks.now() == Memories(3, 30)


def test_a_clock_that_is_set_back_hides_no_loss(world: World, tmp_path: Path) -> None:
    world.memory.stand_in(points=30)
    looks = Looks(world, tmp_path / "state")
    looks.now()
    looks.later(-500.0)
    remain(world, 3)
    assert looks.now() == Memories(3, 30)
    looks.later(-500.0)
    for _ in range(2):
        assert looks.now() == Memories(3, 30)
        looks.later(100.0)
    assert looks.now() == Memories(3, 3)


def test_many_small_losses_do_not_hide_a_great_one(world: World, tmp_path: Path) -> None:
    world.memory.stand_in(points=30)
    looks = Looks(world, tmp_path / "state")
    looks.now()
    for points in (20, 25, 14, 10):
        remain(world, points)
        assert looks.now() == Memories(points, 30)
