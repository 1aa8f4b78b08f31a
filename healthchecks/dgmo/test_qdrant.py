"""Qdrant: it answers, its port is its own, and strangers are told nothing."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.dgmo.probes_qdrant import QdrantExposure, QdrantPort, QdrantState
from healthchecks.dgmo.world import World
from plugins import P0, P1, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import Run

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a world of its own
DOCKER = ("root", "dockerd", "docker", "busybox")


@remedy(UNSAFE, settle=30.0)
def restart_it(qdrant_state: QdrantState) -> Iterator[Run]:
    """Run `docker restart <container>`, or `systemctl restart qdrant` where it runs as a unit;
    `docker ps --all` lists the containers, and `docker logs --tail 50 <container>` says why it
    ended. What it had not written to disk yet is read again from its log at the start.
    """
    if qdrant_state.restart:
        yield Run(qdrant_state.restart, deadline=60.0)


@check(P0, guide="DG18", remedy=restart_it)
def test_qdrant_answers(qdrant_state: QdrantState) -> None:
    """Qdrant answers.

    Without it nothing is remembered and nothing is found. `/health`, which the guide and the
    backup scripts ask, is a page that no Qdrant has: `/healthz`, `/readyz` and `/` are asked.
    """
    where = qdrant_state.where
    assert qdrant_state.well, listed(f"Qdrant does not answer at {where}", qdrant_state.tried)


@healthy(test_qdrant_answers)
@healthy(test_qdrant_answers, layout="workspace")
def as_it_is_today(world: World) -> None:
    world.memory.start()


@healthy(test_qdrant_answers)
def older_than_its_pages(world: World) -> None:
    world.memory.stand_in().old = True


@healthy(test_qdrant_answers)
def with_a_key(world: World) -> None:
    world.memory.stand_in(key="a-key-of-this-world")


@healthy(test_qdrant_answers)
def named_by_the_memory_server_alone(world: World) -> None:
    world.memory.stand_in()
    world.change(qdrant_url="")
    world.memory.entry(QDRANT_URL=world.memory.url, COLLECTION_NAME="AgentMemories")


@healthy(test_qdrant_answers)
def at_its_usual_place(world: World) -> None:
    world.memory.stand_in()
    world.change(qdrant_url="", usual_qdrant_url=world.memory.url)


@fault(test_qdrant_answers, cure=False)
def nobody_listens(world: World) -> None:
    world.memory.stand_in()
    world.memory.server.stop()


@fault(test_qdrant_answers)
def a_unit_that_failed(world: World) -> None:
    server = world.memory.processes
    world.memory.use(server.url)
    world.change(systemctl=server.unit())


@fault(test_qdrant_answers)
def a_process_that_hangs(world: World) -> None:
    server = world.memory.processes
    server.start()
    server.suspend()
    world.memory.use(server.url)
    world.change(systemctl=server.unit("active", "running"), qdrant_answer_s=0.5)


@fault(test_qdrant_answers, needs=DOCKER)
def a_container_that_was_stopped(world: World) -> None:
    container = world.memory.container
    container.run()
    container.run("another", "of-another/program:1")
    container.stop()
    world.memory.use(container.url)


@fault(test_qdrant_answers, needs=DOCKER)
def a_container_of_an_image_of_ones_own(world: World) -> None:
    """It is known by the port that it publishes."""
    container = world.memory.container
    container.run("vectors", "registry.example:5000/ours/vectors:3", published="127.0.0.1")
    container.stop("vectors")
    world.memory.use(container.url)


@fault(test_qdrant_answers, needs=DOCKER, cure=False)
def two_containers_that_may_be_it(world: World) -> None:
    container = world.memory.container
    for name in ("qdrant", "qdrant-of-last-year"):
        container.run(name)
        container.stop(name)
    world.memory.use(container.url)


@fault(test_qdrant_answers, needs=DOCKER)
def one_of_two_containers_that_is_named(world: World) -> None:
    two_containers_that_may_be_it(world)
    world.change(qdrant_container="qdrant")


@fault(test_qdrant_answers, needs=DOCKER, cure=False)
def beside_another_qdrant_with_a_port_of_its_own(world: World) -> None:
    """That one is well, and nobody's business."""
    world.memory.container.run("another", published="127.0.0.1")
    world.memory.use(f"http://127.0.0.1:{world.files.free_port()}")


@fault(test_qdrant_answers, cure=False)
def behind_a_proxy_that_has_lost_it(world: World) -> None:
    world.memory.use(world.files.listen(502, "<html>502 Bad Gateway</html>"))


@fault(test_qdrant_answers, cure=False)
def the_memory_server_names_a_dead_one(world: World) -> None:
    url = f"http://127.0.0.1:{world.files.free_port()}"
    world.memory.entry(style="claude", QDRANT_URL=url, COLLECTION_NAME="AgentMemories")


@fault(test_qdrant_answers, becomes="blocked")
def another_program_has_its_port(world: World) -> None:
    world.memory.use(world.files.listen(200, "<html>some application</html>"))


@fault(test_qdrant_answers, becomes="cannot_tell")
def all_is_behind_a_login(world: World) -> None:
    world.memory.use(world.files.listen(401, "log in"))


@fault(test_qdrant_answers, becomes="cannot_tell")
def its_url_is_in_a_variable_that_is_not_set(world: World) -> None:
    world.memory.entry(QDRANT_URL="${WHERE_OUR_QDRANT_IS}")


@fault(test_qdrant_answers, becomes="cannot_tell")
def what_is_configured_is_no_url(world: World) -> None:
    world.memory.use("localhost:6333")


@fault(test_qdrant_answers, needs=("root", "chroot"), becomes="cannot_tell")
def on_another_host(world: World) -> None:
    """Its loopback address is none of ours, although somebody answers there."""
    world.memory.stand_in()
    world.change(on="chroot:///")


@fault(test_qdrant_answers, becomes="absent")
def no_memory_at_all(world: World) -> None:
    world.change(usual_qdrant_url=f"http://127.0.0.1:{world.files.free_port()}")


@fault(test_qdrant_answers, becomes="absent")
def memories_in_a_folder(world: World) -> None:
    world.memory.entry(QDRANT_LOCAL_PATH="~/memories", COLLECTION_NAME="AgentMemories")


@check(
    P1,
    guide="DG19",
    hint="""See what it is: `ss -ltnp 'sport = :6333'`. Stop it, or give it another port; do not
    kill it by its port number, as the guide says, before you know what it is. Then
    `docker restart <container>` or `systemctl restart qdrant`.""",
)
def test_the_qdrant_port_is_its_own(qdrant_port: QdrantPort) -> None:
    """Qdrant's port is Qdrant's.

    Whoever else listens there is asked for memories, and is told them.
    """
    strangers = qdrant_port.strangers
    assert not strangers, listed(f"another program has port {qdrant_port.port}", strangers)


@healthy(test_the_qdrant_port_is_its_own)
def qdrant_listens(world: World) -> None:
    world.memory.stand_in()


@fault(test_the_qdrant_port_is_its_own)
def another_web_server(world: World) -> None:
    world.memory.use(world.files.listen(200, '{"status": "ok"}'))


@fault(test_the_qdrant_port_is_its_own)
def a_program_that_never_answers(world: World) -> None:
    world.files.hear()
    world.memory.use(f"http://127.0.0.1:{world.files.server_port}")
    world.change(qdrant_answer_s=0.3)


@fault(test_the_qdrant_port_is_its_own, becomes="blocked")
def nobody_is_there(world: World) -> None:
    world.memory.use(f"http://127.0.0.1:{world.files.free_port()}")


@fault(test_the_qdrant_port_is_its_own, becomes="blocked")
def qdrant_itself_hangs(world: World) -> None:
    server = world.memory.processes
    server.start()
    server.suspend()
    world.memory.use(server.url)
    world.change(qdrant_answer_s=0.5)


@fault(test_the_qdrant_port_is_its_own, becomes="absent")
def qdrant_is_elsewhere(world: World) -> None:
    world.memory.use("http://qdrant.invalid:6333")


@check(
    P1,
    guide="DG28",
    hint="""Let it listen on loopback alone: publish it with `-p 127.0.0.1:6333:6333`, or set
    QDRANT__SERVICE__HOST=127.0.0.1; or set QDRANT__SERVICE__API_KEY for the server and
    QDRANT_API_KEY for who asks it. Where a firewall guards it, say qdrant_exposed_on_purpose = true
    in the systems file.""",
)
def test_qdrant_is_not_open_to_the_world(qdrant_exposure: QdrantExposure) -> None:
    """Qdrant is not open to the world.

    Without a key whoever reaches its port reads every memory, and may delete them all.
    """
    meant = qdrant_exposure.on_purpose
    assert meant or not qdrant_exposure.open_at, listed(
        "Qdrant answers other machines without a key", qdrant_exposure.open_at
    )


@healthy(test_qdrant_is_not_open_to_the_world)
def on_loopback_alone(world: World) -> None:
    world.memory.stand_in()


@healthy(test_qdrant_is_not_open_to_the_world)
def everywhere_with_a_key(world: World) -> None:
    world.memory.stand_in(host=EVERYWHERE, key="a-key-of-this-world")


@healthy(test_qdrant_is_not_open_to_the_world)
def everywhere_behind_a_firewall(world: World) -> None:
    world.memory.stand_in(host=EVERYWHERE)
    world.change(qdrant_exposed_on_purpose=True)


@fault(test_qdrant_is_not_open_to_the_world)
def everywhere_without_a_key(world: World) -> None:
    world.memory.stand_in(host=EVERYWHERE)


@fault(test_qdrant_is_not_open_to_the_world, needs=DOCKER)
def published_to_everybody(world: World) -> None:
    world.memory.container.run(published="0.0.0.0")  # noqa: S104 - nothing is published in truth
    world.memory.use(world.memory.container.url)


@fault(test_qdrant_is_not_open_to_the_world)
def our_key_is_not_needed(world: World) -> None:
    world.memory.stand_in(host=EVERYWHERE)
    world.change(qdrant_api_key="a-key-that-nobody-asks-for")


@fault(test_qdrant_is_not_open_to_the_world, becomes="blocked")
def it_is_down(world: World) -> None:
    world.memory.use(f"http://127.0.0.1:{world.files.free_port()}")
