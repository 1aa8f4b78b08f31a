"""The endpoint against Qdrant's own engine, or the real server that the environment names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.dgmo.world import World
from healthchecks.dgmo.world_qdrant import Memory
from plugins.endpoints.qdrant import Qdrant, QdrantServer
from plugins.hosts import Host
from plugins.outcomes import NotThere, Refused

ROW = [0.1, 0.2, 0.3, 0.4]
NAMED = {"fast-x": {"size": 4, "distance": "Cosine"}}
SEVERAL = {"size": 2, "distance": "Euclid", "multivector_config": {"comparator": "max_sim"}}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    world = World(tmp_path / "world")
    yield world.memory
    world.close()


def seen(memory: Memory) -> QdrantServer:
    """Return the server as one look sees it."""
    return Qdrant(Host()).at(memory.url, memory.key, deadline=5.0)


def test_a_collection_is_told_in_full(memory: Memory) -> None:
    memory.start(points=3, vectors=NAMED)
    here = seen(memory)
    told = here.collection(memory.collection)
    assert [str(one) for one in told.vectors] == ["fast-x (4 numbers, Cosine)"]
    assert (told.status, told.optimizer, told.points, told.sparse) == ("green", "", 3, ())
    assert told.indexing_threshold > 0
    assert here.count(memory.collection) == 3
    assert memory.collection in here.collections()
    health = here.health()
    assert (health.well, health.ready, health.strange) == (True, True, False)
    assert health.version[0].isdigit()


def test_the_nearest_are_found(memory: Memory) -> None:
    memory.start(points=5, vectors=NAMED)
    nearest = memory.points()[2]
    hits = seen(memory).query(memory.collection, nearest["vector"]["fast-x"], "fast-x", limit=2)
    assert hits.ids[0] == str(nearest["id"])
    assert len(hits.ids) == 2
    assert hits.seconds > 0


@pytest.mark.parametrize(
    ("vectors", "shown"),
    [
        ({"size": 4, "distance": "Dot"}, ["without a name (4 numbers, Dot)"]),
        ({"b": SEVERAL}, ["b (2 numbers, Euclid, several a point)"]),
        (
            NAMED | {"a": SEVERAL},
            ["a (2 numbers, Euclid, several a point)", "fast-x (4 numbers, Cosine)"],
        ),
    ],
)
def test_every_kind_of_vector_is_told(memory: Memory, vectors: Any, shown: list[str]) -> None:
    memory.start(points=2, vectors=vectors)
    told = seen(memory).collection(memory.collection)
    assert [str(one) for one in told.vectors] == shown
    assert told.points == 2


def test_sparse_vectors_are_told(memory: Memory) -> None:
    memory.start(points=0)
    name = f"{memory.collection}-sparse"
    memory.create(name, NAMED, sparse_vectors={"words": {}})
    assert seen(memory).collection(name).sparse == ("words",)


def test_queries_that_do_not_fit_are_refused_in_its_words(memory: Memory) -> None:
    memory.start(points=1, vectors=NAMED)
    here = seen(memory)
    for vector, using, words in (
        ([0.1], "fast-x", "expected dim: 4, got 1"),
        (ROW, "fast-y", "Not existing vector name error: fast-y"),
        (ROW, "", "fast-x|Not existing vector name"),
    ):
        with pytest.raises(Refused, match=words):
            here.query(memory.collection, vector, using)
    with pytest.raises(NotThere, match="doesn't exist"):
        here.query(f"{memory.collection}-no", ROW)
    with pytest.raises(NotThere, match="doesn't exist"):
        here.collection(f"{memory.collection}-no")


def test_snapshots_are_listed_with_size_sum_and_time(memory: Memory) -> None:
    memory.start(points=2, vectors=NAMED)
    made = [memory.snapshot()]
    told = seen(memory).snapshots(memory.collection)
    assert [one.name for one in told] == made
    assert told[0].size > 0
    assert told[0].created is not None
    assert len(told[0].checksum) == 64
