"""The container stays up, comes back, keeps its output in bounds and can reach the network."""

from __future__ import annotations

from plugins import P1, P2, check, fault, healthy, listed

from .probes_container import ContainerState
from .probes_container_network import LostName
from .world import World
from .world_containers import NEEDS


@check(
    P1,
    guide="PT03",
    hint="Look at `docker ps --all` and `docker logs --tail 50 <container>`, put right what it "
    "says, and run `docker start <container>`. What starts again and again is held by `docker "
    "update --restart=no <container>`; a paused one goes on by `docker unpause <container>`.",
)
def test_its_container_stays_up(container_state: ContainerState) -> None:
    """The container runs, and goes on running.

    While it restarts or has ended nobody can log in, and what its agents were doing is cut off.
    """
    seen = container_state
    evidence = (*seen.troubles, *seen.last)
    assert not seen.troubles, listed(f"the container {seen.name} does not stay up", evidence)


@check(
    P2,
    guide="PT03",
    hint="Run `docker update --restart unless-stopped <container>`.",
)
def test_its_container_comes_back(lone_container: str) -> None:
    """Something starts the container again after a crash or a restart of the machine.

    Without a restart policy the first crash ends it for good, until somebody notices.
    """
    assert not lone_container, f"nothing starts it again: {lone_container}"


@check(
    P2,
    guide="PT19",
    hint="The options of logs cannot be changed of a container that is there: `pytest healthchecks/"
    " --recover portagent.recreate_container --with log_size=10m --with log_count=3` makes it anew "
    "with them; by hand, add `--log-opt max-size=10m --log-opt max-file=3` to its `docker run`.",
)
def test_its_container_output_is_bounded(endless_log: str) -> None:
    """What the container prints is kept within bounds.

    Docker's own log grows without end by default, below /var/lib/docker, until the disk is full.
    """
    assert not endless_log, f"its output is kept without end: {endless_log}"


@check(
    P2,
    guide="PT25",
    hint="Look at `docker network ls`, then run `docker network connect bridge <container>`; what "
    "was made with --network none has to be made anew with another.",
)
def test_its_container_has_a_network(unattached: str) -> None:
    """The container is attached to a network.

    Without one the page may be there and no message is ever answered: the provider is out of reach.
    """
    assert not unattached, f"it cannot reach anything: {unattached}"


@check(
    P2,
    guide="PT25",
    hint="Compare `docker exec <container> cat /etc/resolv.conf` with what works on the host; give "
    "the container a name server that answers by `--dns <address>`, or all of them by `dns` in "
    "/etc/docker/daemon.json.",
)
def test_names_resolve_in_its_container(names_lost_inside: tuple[LostName, ...]) -> None:
    """The host that it sends to resolves inside the container.

    A container has name servers of its own: what resolves on the host may not resolve in it.
    """
    assert not names_lost_inside, listed("names that do not resolve inside", names_lost_inside)


@healthy(test_its_container_stays_up, needs=NEEDS)
@healthy(test_its_container_comes_back, needs=NEEDS)
@healthy(test_its_container_output_is_bounded, needs=NEEDS)
@healthy(test_its_container_has_a_network, needs=NEEDS)
def as_documented(world: World) -> None:
    """A container as the documents run it, and a former one beside it."""
    former = world.containers.ended("exit 1")
    world.containers.engine.docker("rename", former, "portagent-before-20261130-031500")
    world.containers.run()


@healthy(test_its_container_stays_up, needs=NEEDS)
def of_another_name(world: World) -> None:
    """One that is known by its image."""
    world.containers.name = "agents"
    world.containers.run()


@fault(test_its_container_stays_up, becomes="absent")
@fault(test_its_container_comes_back, becomes="absent")
@fault(test_its_container_output_is_bounded, becomes="absent")
@fault(test_its_container_has_a_network, becomes="absent")
@fault(test_names_resolve_in_its_container, becomes="absent")
def without_docker(world: World) -> None:
    """Installed by npm, on a host without Docker."""


@fault(test_its_container_stays_up, becomes="absent", needs=NEEDS)
def of_somebody_else(world: World) -> None:
    """Containers of others, one of which has its name as a part of its own."""
    world.containers.engine.run("my-portagent-notes")


@fault(test_its_container_stays_up, becomes="blocked")
@fault(test_its_container_comes_back, becomes="blocked")
def engine_gone(world: World) -> None:
    """A container is named, and the engine that should have it is not there."""
    world.change(container="portagent")


@fault(test_its_container_stays_up, needs=NEEDS)
def named_and_not_there(world: World) -> None:
    world.containers.engine.run("somebody-else")
    world.change(container="agents")


@fault(test_its_container_stays_up, needs=NEEDS)
def ended_for_want_of_a_key(world: World) -> None:
    world.containers.ended("echo 'Error: LLM_PROVIDER_KEY is required' >&2; exit 1")


@fault(test_its_container_stays_up, needs=NEEDS)
def stopped_by_somebody(world: World) -> None:
    world.containers.engine.docker("stop", "--time", "0", world.containers.run())


@fault(test_its_container_stays_up, needs=NEEDS)
def never_begun(world: World) -> None:
    world.containers.never_begun()


@fault(test_its_container_stays_up, needs=NEEDS)
def paused(world: World) -> None:
    world.containers.paused()


@fault(test_its_container_stays_up, needs=NEEDS)
def again_and_again(world: World) -> None:
    world.containers.restarting()


@fault(test_its_container_stays_up, needs=NEEDS)
def killed_for_its_memory(world: World) -> None:
    world.containers.killed()


@fault(test_its_container_stays_up, needs=NEEDS)
def unhealthy(world: World) -> None:
    world.containers.sick()


@fault(test_its_container_stays_up, needs=NEEDS)
def dead(world: World) -> None:
    world.containers.dead()


@fault(test_its_container_comes_back, needs=NEEDS)
def without_a_policy(world: World) -> None:
    world.containers.run(leave=("--restart",))


@fault(test_its_container_comes_back, needs=NEEDS)
def removes_itself(world: World) -> None:
    world.containers.run("--rm", leave=("--restart",))


@healthy(test_its_container_output_is_bounded, needs=NEEDS)
def by_a_driver_with_bounds(world: World) -> None:
    world.containers.run("--log-driver", "local", leave=("--log-opt",))


@fault(test_its_container_output_is_bounded, needs=NEEDS)
def without_bounds(world: World) -> None:
    world.containers.run(leave=("--log-opt",))


@fault(test_its_container_has_a_network, needs=NEEDS)
def without_a_network(world: World) -> None:
    world.containers.run("--network", "none", leave=("--network",))


@healthy(test_its_container_has_a_network, needs=NEEDS)
def on_several_networks(world: World) -> None:
    world.containers.on_networks("front", "back")


@fault(test_its_container_has_a_network, needs=NEEDS)
def taken_off_its_network(world: World) -> None:
    """Somebody disconnected it, or its network was made anew without it."""
    world.containers.on_networks("front", leaves=True)


@fault(test_its_container_has_a_network, becomes="blocked", needs=NEEDS)
@fault(test_names_resolve_in_its_container, becomes="blocked", needs=NEEDS)
def ended(world: World) -> None:
    world.containers.ended("exit 0")


@fault(test_names_resolve_in_its_container, becomes="blocked", needs=NEEDS)
def unattached(world: World) -> None:
    world.containers.run("--network", "none", leave=("--network",))


@healthy(test_names_resolve_in_its_container, needs=NEEDS)
def a_name_that_resolves(world: World) -> None:
    world.change(provider_url="")
    world.containers.asks_names({"api.anthropic.com": "192.0.2.7"})


@healthy(test_names_resolve_in_its_container, needs=NEEDS)
def through_a_proxy(world: World) -> None:
    """Only the proxy's name has to resolve."""
    world.change(provider_url="")
    proxy = ("--env", "HTTPS_PROXY=http://me:geheim@proxy.example:3128")
    world.containers.asks_names({"proxy.example": "192.0.2.8"}, *proxy)


@fault(test_names_resolve_in_its_container, needs=NEEDS)
def a_name_that_is_unknown(world: World) -> None:
    world.containers.asks_names({"proxy.example": "192.0.2.8"})


@fault(test_names_resolve_in_its_container, needs=NEEDS)
def a_name_server_that_is_gone(world: World) -> None:
    world.containers.asks_names(None)


@fault(test_names_resolve_in_its_container, becomes="absent", needs=NEEDS)
def sent_to_an_address(world: World) -> None:
    world.change(provider_url="")
    world.containers.run("--env", "LLM_PROVIDER_URL=http://127.0.0.1:9999/v1")


@fault(test_names_resolve_in_its_container, becomes="cannot_tell", needs=NEEDS)
def without_a_resolver(world: World) -> None:
    """Nothing inside can be asked: the image holds its program alone."""
    world.containers.run()
