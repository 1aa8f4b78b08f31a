"""The collection of memories: it is green, full, indexed and quick."""

from __future__ import annotations

from healthchecks.dgmo.probes_qdrant_collection import Ailments, IndexLag, Memories, QueryTimes
from healthchecks.dgmo.world import World
from plugins import P1, P2, check, fault, healthy, listed
from plugins.worlds.qdrant_faults import Canned


@check(
    P1,
    guide="DG22",
    hint="""Read what the server says: `docker logs --tail 100 <container>`. A grey collection waits
    since a restart and goes on with the next write; red, or an error of the optimizer, mostly means
    a full disk (`df -h`) or too little memory: mend that, then `docker restart <container>`.""",
)
def test_the_collection_is_green(collection_ailments: Ailments) -> None:
    """The collection of memories is green.

    In a red one operations fail; one whose optimizer fails grows slower with each memory.
    """
    name = collection_ailments.collection
    assert not collection_ailments.ills, listed(
        f"collection {name} is not well", collection_ailments.ills
    )


@healthy(test_the_collection_is_green)
def green(world: World) -> None:
    world.memory.start()


@healthy(test_the_collection_is_green)
def busy_for_a_moment(world: World) -> None:
    world.memory.stand_in().status = "yellow"


@fault(test_the_collection_is_green)
def busy_for_hours(world: World) -> None:
    world.memory.stand_in().status = "yellow"
    world.memory.looked_at_before("yellow", since_hours=3.0)


@fault(test_the_collection_is_green)
def grey(world: World) -> None:
    world.memory.stand_in().status = "grey"


@fault(test_the_collection_is_green)
def red(world: World) -> None:
    world.memory.stand_in().status = "red"


@fault(test_the_collection_is_green)
def with_an_optimizer_that_fails(world: World) -> None:
    world.memory.stand_in().optimizer = "Service internal error: No space left on device"


@fault(test_the_collection_is_green)
def with_shards_that_are_not_ready(world: World) -> None:
    said = Canned(503, "text/plain", b"some shards are not ready")
    world.memory.stand_in().answers["/readyz"] = said


@fault(test_the_collection_is_green, becomes="blocked")
def of_a_server_that_is_down(world: World) -> None:
    world.memory.use(f"http://127.0.0.1:{world.files.free_port()}")


@fault(test_the_collection_is_green, becomes="blocked")
def there_is_none(world: World) -> None:
    world.memory.start()
    world.memory.drop()


@fault(test_the_collection_is_green, becomes="cannot_tell")
def our_key_is_wrong(world: World) -> None:
    world.memory.stand_in(key="a-key-of-this-world")
    world.change(qdrant_key_env="", qdrant_api_key="another-key-altogether")


@fault(test_the_collection_is_green, becomes="cannot_tell")
def told_in_another_shape(world: World) -> None:
    said = Canned(200, "application/json", b'{"result": {"status": "green"}, "status": "ok"}')
    world.memory.stand_in().answers["/AgentMemories"] = said


@check(
    P1,
    guide="DG23",
    hint="""See what is left: `curl -s -X POST -H 'content-type: application/json' -d
    '{"exact": true}' http://localhost:6333/collections/AgentMemories/points/count` (with `-H
    @<(echo "api-key: $QDRANT_API_KEY")` where it wants a key). What was lost is in the snapshots:
    `curl -s http://localhost:6333/collections/AgentMemories/snapshots` lists those of the server,
    `ls -lt ~/backups/qdrant` those that were downloaded; `pytest healthchecks/ --recover
    dgmo.restore_memories` puts them back, plan first.""",
)
def test_memories_are_there(memories: Memories) -> None:
    """Memories are there, and as many as there were.

    An empty collection looks well to everybody who only asks whether it exists.
    """
    now, before = memories.now, memories.before
    assert now, "the collection holds not one memory"
    assert now * 2 > before, f"{now} memories are left of {before}"


@healthy(test_memories_are_there)
def some(world: World) -> None:
    world.memory.start()


@healthy(test_memories_are_there)
def some_were_forgotten(world: World) -> None:
    world.memory.start(points=10)
    world.memory.looked_at_before("count", counts=(12, 10))


@healthy(test_memories_are_there)
def the_loss_is_long_ago(world: World) -> None:
    world.memory.start(points=3)
    world.memory.looked_at_before("count", counts=(1000, 3), since_hours=24.0 * 30)


@fault(test_memories_are_there)
def not_one(world: World) -> None:
    world.memory.start(points=0)


@fault(test_memories_are_there)
def half_are_gone(world: World) -> None:
    world.memory.start(points=10)
    world.memory.looked_at_before("count", counts=(20,))


@fault(test_memories_are_there)
def it_was_seen_since(world: World) -> None:
    """The loss stays a finding in the runs that follow it."""
    world.memory.start(points=10)
    world.memory.looked_at_before("count", counts=(50, 10))


@fault(test_memories_are_there)
def nobody_looked_for_a_month(world: World) -> None:
    world.memory.start(points=3)
    world.memory.looked_at_before("count", counts=(1000,), since_hours=24.0 * 30)


@fault(test_memories_are_there, becomes="blocked")
def nothing_to_count(world: World) -> None:
    world.memory.start()
    world.memory.drop()


@fault(test_memories_are_there, becomes="cannot_tell")
def a_server_that_is_too_busy(world: World) -> None:
    world.memory.stand_in().answers["points/count"] = Canned(429, "text/plain", b"later")


@check(
    P2,
    guide="DG24",
    hint="""See whether the machine is short of memory (`free -h`) and the collection's index
    keeps up (`curl -s http://localhost:6333/collections/AgentMemories`). Give the server more
    memory (`docker update --memory 4g --memory-swap 4g <container>`), or keep vectors on disk
    (`on_disk`).""",
)
def test_a_query_is_quick_and_valid(query_times: QueryTimes) -> None:
    """A query is quick and valid.

    The agent waits for it before each answer; one that is refused remembers nothing at all.
    """
    slowest = query_times.slowest
    assert not query_times.refused, f"a query is refused: {query_times.refused}"
    assert slowest.value <= (slowest.limit or 0.0), (
        f"{slowest.name} of {query_times.queries}, takes {slowest}"
    )


@healthy(test_a_query_is_quick_and_valid)
def quick(world: World) -> None:
    world.memory.start()


@healthy(test_a_query_is_quick_and_valid)
def by_the_older_route(world: World) -> None:
    world.memory.stand_in().old = True


@fault(test_a_query_is_quick_and_valid)
def slow(world: World) -> None:
    world.memory.stand_in().slow["points/query"] = 0.15
    world.change(query_ms=100.0)


@fault(test_a_query_is_quick_and_valid)
def refused(world: World) -> None:
    said = b'{"status": {"error": "Service internal error: index is broken"}, "time": 0.1}'
    world.memory.stand_in().answers["points/query"] = Canned(500, "application/json", said)


@fault(test_a_query_is_quick_and_valid, becomes="blocked")
def without_the_vector_that_is_asked_for(world: World) -> None:
    world.memory.start(vectors={"size": 384, "distance": "Cosine"})


@fault(test_a_query_is_quick_and_valid, becomes="cannot_tell")
def never_answered(world: World) -> None:
    world.memory.stand_in().hung = ("points/query",)
    world.change(qdrant_answer_s=0.5)


@check(
    P2,
    guide="DG27",
    hint="""See `optimizer_status` in `curl -s http://localhost:6333/collections/AgentMemories`.
    Writing one memory wakes optimizers that sleep since a restart; a lower `indexing_threshold`
    (PATCH of the collection's optimizers_config) starts them as well. There is no `POST …/index`,
    as the guide says.""",
)
def test_the_index_keeps_up(index_lag: IndexLag) -> None:
    """The index keeps up with the memories.

    What is in no index is searched one by one: each query takes longer with each memory.
    """
    behind, limit = index_lag.behind.value, index_lag.behind.limit or 0.0
    assert behind <= limit, (
        f"{behind:g} of {index_lag.vectors} vectors are in no index; {limit:g} may be"
    )


@healthy(test_the_index_keeps_up)
def too_few_to_be_indexed(world: World) -> None:
    world.memory.start()


@healthy(test_the_index_keeps_up)
def many_in_small_segments(world: World) -> None:
    counts = {"points_count": 100_000, "indexed_vectors_count": 10_000, "segments_count": 8}
    world.memory.stand_in().counts |= counts


@healthy(test_the_index_keeps_up)
def all_indexed(world: World) -> None:
    counts = {"points_count": 1_000_000, "indexed_vectors_count": 1_000_000}
    world.memory.stand_in().counts |= counts


@fault(test_the_index_keeps_up)
def far_behind(world: World) -> None:
    counts = {"points_count": 1_000_000, "indexed_vectors_count": 20_000, "segments_count": 8}
    world.memory.stand_in().counts |= counts


@fault(test_the_index_keeps_up, becomes="cannot_tell")
def it_does_not_tell(world: World) -> None:
    world.memory.stand_in().counts["indexed_vectors_count"] = None


@fault(test_the_index_keeps_up, becomes="absent")
def indexing_is_switched_off(world: World) -> None:
    world.memory.stand_in()
    world.memory.drop()
    world.memory.create(world.memory.collection, optimizers_config={"indexing_threshold": 0})
