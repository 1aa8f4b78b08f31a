"""The collection of memories: it is there, with the vectors that the memory server asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from healthchecks.dgmo.rebuilding import Rebuilding
from healthchecks.dgmo.world import World
from plugins import P1, SAFE, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import Step

_BARE: dict[str, Any] = {"size": 384, "distance": "Cosine"}
_RIGHT = "fast-all-minilm-l6-v2"


@remedy(SAFE)
def make_it(missing_collection: Rebuilding | None) -> Iterator[Step]:
    """If there were memories, put them back from a snapshot: `pytest healthchecks/ --recover
    dgmo.restore_memories`. Else make the collection: `curl -X PUT -H 'content-type:
    application/json' -d '{"vectors": {"fast-all-minilm-l6-v2": {"size": 384, "distance":
    "Cosine"}}}' http://localhost:6333/collections/AgentMemories`, with `-H @<(echo "api-key:
    $QDRANT_API_KEY")` where the server wants a key: so it is on no command line."""
    if missing_collection is not None and not missing_collection.hindrance:
        yield from missing_collection.begun_anew()


@check(P1, guide="DG20", remedy=make_it)
def test_the_collection_exists(missing_collection: Rebuilding | None) -> None:
    """The collection of memories exists.

    Without it the agent finds nothing that it has learnt, and says nothing of it.
    """
    lost = missing_collection
    said = [*lost.leftovers, *filter(None, [lost.hindrance])] if lost else []
    assert lost is None, listed(f"there is no collection {lost.name}", said)


@healthy(test_the_collection_exists)
def it_is_there(world: World) -> None:
    world.memory.start()


@healthy(test_the_collection_exists, layout="workspace")
def on_the_guides_host(world: World) -> None:
    world.memory.start(points=0)


@healthy(test_the_collection_exists)
def behind_an_alias(world: World) -> None:
    world.memory.stand_in()
    alias = {"collection_name": "AgentMemories", "alias_name": "Memories"}
    world.memory.ask("POST", "/collections/aliases", {"actions": [{"create_alias": alias}]})
    world.change(collection="Memories")


@fault(test_the_collection_exists)
def it_is_gone(world: World) -> None:
    world.memory.start()
    world.memory.drop()


@fault(test_the_collection_exists)
def gone_from_a_server_with_a_key(world: World) -> None:
    world.memory.stand_in(key="a-key-of-the-world")
    world.memory.drop()


@fault(test_the_collection_exists)
def gone_in_the_middle_of_a_rebuilding(world: World) -> None:
    world.memory.start()
    _copy(world, 5)
    world.memory.drop()


@fault(test_the_collection_exists, cure=False)
def gone_with_half_a_copy(world: World) -> None:
    world.memory.start()
    _copy(world, 7)
    world.memory.drop()


@fault(test_the_collection_exists, cure=False)
def gone_and_kept_in_a_snapshot(world: World) -> None:
    """An empty one in its place would hide the loss."""
    world.memory.stand_in()
    shelf = world.folder / "backups" / "qdrant"
    shelf.mkdir(parents=True)
    path = shelf / "AgentMemories_2026-01-01_00-00-00.snapshot"
    world.memory.download(world.memory.snapshot(), path)
    world.memory.drop()


@fault(test_the_collection_exists, cure=False)
def somebody_elses_qdrant_at_the_usual_port(world: World) -> None:
    """Nothing is made in it before somebody says that it is DGMO's."""
    world.memory.stand_in()
    world.memory.create("documents-of-another-program")
    world.memory.drop()
    world.change(qdrant_url="", usual_qdrant_url=world.memory.url)


@fault(test_the_collection_exists, becomes="absent")
def no_qdrant(world: World) -> None:
    world.change(usual_qdrant_url="")


@fault(test_the_collection_exists, becomes="blocked")
def a_server_that_is_down(world: World) -> None:
    world.memory.stand_in()
    world.memory.server.stop()


@fault(test_the_collection_exists, becomes="cannot_tell")
def without_the_key(world: World) -> None:
    world.memory.stand_in(key="a-key-of-the-world")
    world.change(qdrant_key_env="A_VARIABLE_THAT_IS_NOT_SET")


@remedy(UNSAFE)
def rebuild_it(wrong_vectors: Rebuilding) -> Iterator[Step]:
    """Run `pytest healthchecks/ --recover dgmo.rebuild_memories`: it takes a snapshot and reads it
    to its end, copies the points whose vectors fit, and only then makes the collection anew;
    nothing may write to it meanwhile. Where no vector fits, set EMBEDDING_MODEL of the memory
    server to the model that made them, or have the memories embedded anew."""
    yield from wrong_vectors.steps()


@check(P1, guide="DG21", remedy=rebuild_it)
def test_the_collection_has_the_right_vectors(wrong_vectors: Rebuilding) -> None:
    """The collection has the vectors that the memory server asks for.

    The memory server names its vector after its model; a collection without that name, or with
    vectors of another size, refuses whatever is to be remembered or looked for.
    """
    assert not wrong_vectors.ills, listed(f"collection {wrong_vectors.name}", wrong_vectors.ills)


@healthy(test_the_collection_has_the_right_vectors)
def as_the_memory_server_makes_it(world: World) -> None:
    world.memory.start()


@healthy(test_the_collection_has_the_right_vectors, layout="workspace")
def with_others_beside(world: World) -> None:
    world.memory.start(vectors={_RIGHT: _BARE, "other": {"size": 8, "distance": "Dot"}})


@fault(test_the_collection_has_the_right_vectors)
def without_a_name(world: World) -> None:
    world.memory.start(vectors=_BARE)


@fault(test_the_collection_has_the_right_vectors)
def with_a_key(world: World) -> None:
    world.memory.stand_in(vectors=_BARE, key="a-key-of-the-world")


@fault(test_the_collection_has_the_right_vectors)
def under_another_name(world: World) -> None:
    world.memory.start(vectors={"default": _BARE})


@fault(test_the_collection_has_the_right_vectors)
def compared_by_another_distance(world: World) -> None:
    world.memory.start(vectors={_RIGHT: {"size": 384, "distance": "Dot"}})


@fault(test_the_collection_has_the_right_vectors)
def empty_and_of_another_size(world: World) -> None:
    world.memory.start(points=0, vectors={"size": 3, "distance": "Cosine"})


@fault(test_the_collection_has_the_right_vectors)
def some_points_do_not_fit(world: World) -> None:
    both = {"default": _BARE, "large": {"size": 8, "distance": "Dot"}}
    world.memory.start(vectors=both)
    row = {"id": 99, "vector": {"large": [1.0] * 8}, "payload": {"document": "large"}}
    place = f"/collections/{world.memory.collection}/points"
    world.memory.ask("PUT", place, {"points": [row]}, wait="true")


@fault(test_the_collection_has_the_right_vectors, cure=False)
def of_another_size(world: World) -> None:
    world.memory.start(vectors={_RIGHT: {"size": 768, "distance": "Cosine"}})


@fault(test_the_collection_has_the_right_vectors, cure=False)
def brought_to_one_length_already(world: World) -> None:
    world.memory.start(vectors={_RIGHT: _BARE})
    world.change(vector_distance="Euclid")


@fault(test_the_collection_has_the_right_vectors, cure=False)
def two_that_could_be_it(world: World) -> None:
    world.memory.start(vectors={"one": _BARE, "two": _BARE})


@fault(test_the_collection_has_the_right_vectors, cure=False)
def several_a_point(world: World) -> None:
    several = _BARE | {"multivector_config": {"comparator": "max_sim"}}
    world.memory.start(vectors={_RIGHT: several})


@fault(test_the_collection_has_the_right_vectors, cure=False)
def wrong_behind_an_alias(world: World) -> None:
    world.memory.stand_in(vectors=_BARE)
    alias = {"collection_name": "AgentMemories", "alias_name": "Memories"}
    world.memory.ask("POST", "/collections/aliases", {"actions": [{"create_alias": alias}]})
    world.change(collection="Memories")


@fault(test_the_collection_has_the_right_vectors, cure=False)
def wrong_with_an_alias_to_it(world: World) -> None:
    """Qdrant would drop the alias with the collection."""
    world.memory.stand_in(vectors=_BARE)
    alias = {"collection_name": "AgentMemories", "alias_name": "OfAnother"}
    world.memory.ask("POST", "/collections/aliases", {"actions": [{"create_alias": alias}]})


@fault(test_the_collection_has_the_right_vectors)
def a_copy_is_left_beside_the_old_one(world: World) -> None:
    world.memory.start(vectors=_BARE)
    _copy(world, 5, points=2)


@fault(test_the_collection_has_the_right_vectors)
def a_copy_is_left_beside_half_of_the_new_one(world: World) -> None:
    world.memory.start()
    _copy(world, 5)
    world.memory.forget([1, 2])


@fault(test_the_collection_has_the_right_vectors, becomes="blocked")
def without_a_collection(world: World) -> None:
    world.memory.stand_in()
    world.memory.drop()


@fault(test_the_collection_has_the_right_vectors, becomes="absent")
def without_qdrant(world: World) -> None:
    world.change(usual_qdrant_url="")


def _copy(world: World, meant: int, points: int = 5) -> None:
    """Leave what a rebuilding that was cut short leaves."""
    name = f"{world.memory.collection}-rebuilding-{meant}"
    world.memory.create(name)
    world.memory.fill(points, name=name)
