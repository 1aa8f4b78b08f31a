"""The memory server that agents start points at the Qdrant that is looked after."""

from __future__ import annotations

from healthchecks.dgmo.probes_qdrant_entries import WrongEntry
from healthchecks.dgmo.world import World
from plugins import P1, check, fault, healthy, listed

MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@check(
    P1,
    guide="DG29",
    hint="""Set QDRANT_URL, COLLECTION_NAME and EMBEDDING_MODEL in the memory server's entry
    (`environment` in dgmo's config.json, `env` in Claude's) to the server and collection that hold
    the memories, then start the agent anew. QDRANT_COLLECTION and QDRANT_VECTOR_NAME, which some
    instructions name, are read by nobody.""",
)
def test_the_memory_server_points_at_this_qdrant(
    wrong_memory_entries: tuple[WrongEntry, ...],
) -> None:
    """The memory server points at this Qdrant, its collection and its vectors.

    Otherwise the agent remembers elsewhere, or nothing: the collection that is watched and backed
    up stays as it is, and looks well.
    """
    assert not wrong_memory_entries, listed(
        "memory servers that do not fit the collection", wrong_memory_entries
    )


def configured(world: World, style: str = "dgmo", **told: str) -> None:
    """Configure a memory server that fits, but for what is told."""
    right = {"QDRANT_URL": world.memory.url, "COLLECTION_NAME": world.memory.collection}
    world.memory.entry(style=style, **(right | {"EMBEDDING_MODEL": MODEL} | told))


@healthy(test_the_memory_server_points_at_this_qdrant)
def it_fits(world: World) -> None:
    world.memory.start()
    configured(world, QDRANT_API_KEY=world.memory.key)


@healthy(test_the_memory_server_points_at_this_qdrant)
def by_its_other_name(world: World) -> None:
    world.memory.stand_in()
    configured(world, QDRANT_URL=world.memory.url.replace("127.0.0.1", "localhost") + "/")


@healthy(test_the_memory_server_points_at_this_qdrant)
def in_a_file_of_claude(world: World) -> None:
    world.memory.stand_in()
    configured(world, "claude")


@healthy(test_the_memory_server_points_at_this_qdrant)
def with_its_key(world: World) -> None:
    world.memory.stand_in(key="a-key-of-this-world")
    configured(world, QDRANT_API_KEY="a-key-of-this-world")


@fault(test_the_memory_server_points_at_this_qdrant)
def another_server(world: World) -> None:
    world.memory.stand_in()
    configured(world, QDRANT_URL="http://10.1.2.3:6333")


@fault(test_the_memory_server_points_at_this_qdrant)
def no_server_at_all(world: World) -> None:
    """Then it takes the usual place, where this Qdrant is not."""
    world.memory.stand_in()
    configured(world, QDRANT_URL="")


@fault(test_the_memory_server_points_at_this_qdrant)
def another_collection(world: World) -> None:
    world.memory.stand_in()
    configured(world, COLLECTION_NAME="agent-memories")


@fault(test_the_memory_server_points_at_this_qdrant)
def another_model(world: World) -> None:
    world.memory.stand_in()
    configured(world, EMBEDDING_MODEL="BAAI/bge-small-en-v1.5")


@fault(test_the_memory_server_points_at_this_qdrant)
def a_claude_with_another_model(world: World) -> None:
    world.memory.stand_in()
    configured(world, "claude", EMBEDDING_MODEL="BAAI/bge-small-en-v1.5")


@fault(test_the_memory_server_points_at_this_qdrant)
def a_folder_beside_the_server(world: World) -> None:
    world.memory.stand_in()
    configured(world, QDRANT_URL="", QDRANT_LOCAL_PATH="~/memories")


@fault(test_the_memory_server_points_at_this_qdrant)
def both_a_folder_and_a_server(world: World) -> None:
    world.memory.stand_in()
    configured(world, QDRANT_LOCAL_PATH="~/memories")


@fault(test_the_memory_server_points_at_this_qdrant)
def without_the_key(world: World) -> None:
    world.memory.stand_in(key="a-key-of-this-world")
    configured(world)


@fault(test_the_memory_server_points_at_this_qdrant)
def with_another_key(world: World) -> None:
    world.memory.stand_in(key="a-key-of-this-world")
    configured(world, QDRANT_API_KEY="another-key-altogether")


@fault(test_the_memory_server_points_at_this_qdrant, becomes="cannot_tell")
def told_by_a_variable_that_is_not_set(world: World) -> None:
    world.memory.stand_in()
    configured(world, QDRANT_URL="{env:WHERE_OUR_QDRANT_IS}")


@fault(test_the_memory_server_points_at_this_qdrant, becomes="blocked")
def the_server_is_down(world: World) -> None:
    world.memory.stand_in()
    configured(world)
    world.memory.server.stop()


@fault(test_the_memory_server_points_at_this_qdrant, becomes="blocked")
def the_collection_is_not_there(world: World) -> None:
    world.memory.stand_in()
    configured(world)
    world.memory.drop()


@fault(test_the_memory_server_points_at_this_qdrant, becomes="absent")
def no_memory_server(world: World) -> None:
    world.memory.stand_in()


@fault(test_the_memory_server_points_at_this_qdrant, becomes="absent")
def a_memory_of_another_agent(world: World) -> None:
    world.memory.stand_in()
    configured(world, "claude", COLLECTION_NAME="notes-of-another-agent")
