"""No interrupted write is left."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.pocket_agent.probes_logs import Leftover
from healthchecks.pocket_agent.world import World
from plugins import P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Quarantine


@remedy(SAFE)
def put_leftovers_away(leftovers: tuple[Leftover, ...]) -> Iterator[Quarantine]:
    """Compare a `.tmp-*` file with the metadata.json beside it: it may hold the newer state. Then
    move each file that is listed out of the data folder."""
    for leftover in leftovers:
        yield Quarantine(leftover.path, seen=leftover.seen)


@check(P2, guide="PA19", remedy=put_leftovers_away)
def test_no_interrupted_write_is_left(leftovers: tuple[Leftover, ...]) -> None:
    """No temporary file or lock of an interrupted write is left.

    They show that the server died while it wrote, or that the disk was full, and they are never
    cleared away by the server itself.
    """
    assert not leftovers, listed("files left by interrupted writes", leftovers)


@healthy(test_no_interrupted_write_is_left)
def none_left(world: World) -> None:
    world.project(logs=True)


@healthy(test_no_interrupted_write_is_left)
def a_write_under_way(world: World) -> None:
    world.metadata().with_name(".tmp-123456").write_bytes(b"{")


@healthy(test_no_interrupted_write_is_left)
def a_lock_that_is_held(world: World) -> None:
    lock = world.data / ".lock"
    lock.touch()
    world.age(lock, 1)
    world.hold(lock)


@fault(test_no_interrupted_write_is_left)
def half_written(world: World) -> None:
    half = world.metadata().with_name(".tmp-123456")
    half.write_bytes(b"{")
    world.age(half, 1)


@fault(test_no_interrupted_write_is_left)
def named_by_a_stranger(world: World) -> None:
    left = world.metadata().with_name(".tmp-$(id)`id`'\"\n\x1b[31m<script>\udcff")
    left.touch()
    world.age(left, 1)


@fault(test_no_interrupted_write_is_left)
def left_as_the_guide_says(world: World) -> None:
    world.lay_out("guide")
    project = world.metadata().parent
    named = (project / "metadata.json.tmp", project / "logs/current.jsonl.tmp")
    for path in (world.data / ".lock", *named):
        path.touch()
        world.age(path, 1)


@fault(test_no_interrupted_write_is_left)
def dated_in_the_future(world: World) -> None:
    half = world.metadata().with_name(".tmp-123456")
    half.write_bytes(b"{")
    world.age(half, -2)
