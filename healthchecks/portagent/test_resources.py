"""Memory and processors are limited, and what it takes of them is sane."""

from __future__ import annotations

from plugins import P2, check, fault, healthy, listed
from plugins.endpoints.growth import Growth

from .probes_resources import Load
from .world import World
from .world_containers import NEEDS

RESTART = (
    "`docker restart <container>` (or `systemctl restart portagent`) gives it back; everybody is "
    "cut off for a moment, and without a fixed JWT_SECRET has to log in again."
)


@check(
    P2,
    guide="PT21",
    hint="Run `docker update --memory 2g --memory-swap 2g --cpus 2 <container>`; the next time it "
    "is made, give its `docker run` the same.",
)
def test_its_container_is_limited(unlimited: str) -> None:
    """The container has limits of memory and processors.

    Agents run in it: one that runs away takes the whole machine with it, its databases too.
    """
    assert not unlimited, f"nothing keeps it within bounds: {unlimited}"


@check(
    P2,
    guide="PT21",
    hint="See what needs it: `docker stats --no-stream <container>`, `docker top <container>`, or "
    f"`systemctl status portagent`. Give it more: `docker update --memory 4g --memory-swap 4g "
    f"<container>`. {RESTART}",
)
def test_its_memory_is_below_its_limit(load: Load) -> None:
    """It has memory left below its limit.

    At the limit the kernel ends something in it, in the middle of whatever it does.
    """
    seen = load.memory
    tight = seen is not None and seen.value > (seen.limit or 0.0)
    assert not tight, f"{load.what} has used up its memory: {seen}"


@check(
    P2,
    guide="PT21",
    hint="See what keeps it busy: `docker top <container>` or `top -H -p <pid>`. `LOG_LEVEL=warn` "
    f"writes less; end an agent that does not stop by itself. {RESTART}",
)
def test_its_processors_are_not_busy(load: Load) -> None:
    """It does not keep a processor busy.

    It only passes messages on; who computes are its agents, and one that does so for long hangs.
    """
    seen = load.cpu
    assert seen.value <= (seen.limit or 0.0), f"{load.what} keeps processors busy: {seen}"


@check(
    P2,
    guide="PT21",
    hint="Compare over an hour: `docker stats --no-stream <container>` or `grep VmRSS "
    f"/proc/<pid>/status`. {RESTART}",
)
def test_its_memory_does_not_grow(memory_growth: Growth) -> None:
    """Its memory does not grow from run to run.

    Sessions and their messages pile up in it: a leak is small every time that somebody looks, until
    the kernel ends it.
    """
    by = f"its memory grew by {memory_growth.grown.value:.0f} MiB over the last looks"
    assert not memory_growth.excessive, listed(by, memory_growth.lines())


@healthy(test_its_container_is_limited, needs=NEEDS)
@healthy(test_its_memory_is_below_its_limit, needs=NEEDS)
@healthy(test_its_processors_are_not_busy, needs=NEEDS)
@healthy(test_its_memory_does_not_grow, needs=NEEDS)
def in_its_container(world: World) -> None:
    world.containers.run()


@healthy(test_its_memory_is_below_its_limit)
@healthy(test_its_processors_are_not_busy)
@healthy(test_its_memory_does_not_grow)
def plain(world: World) -> None:
    """A process without a container."""
    world.server.start()


@fault(test_its_container_is_limited, becomes="absent")
def without_a_container(world: World) -> None:
    world.server.start()


@fault(test_its_container_is_limited, becomes="blocked", needs=NEEDS)
@fault(test_its_memory_is_below_its_limit, becomes="blocked", needs=NEEDS)
@fault(test_its_processors_are_not_busy, becomes="blocked", needs=NEEDS)
@fault(test_its_memory_does_not_grow, becomes="blocked", needs=NEEDS)
def ended(world: World) -> None:
    world.containers.ended("exit 0")


@fault(test_its_memory_is_below_its_limit, becomes="blocked")
@fault(test_its_memory_does_not_grow, becomes="blocked")
def stopped(world: World) -> None:
    """Nothing of it runs."""


@fault(test_its_container_is_limited, needs=NEEDS)
def without_a_limit_of_memory(world: World) -> None:
    world.containers.run(leave=("--memory",))


@fault(test_its_container_is_limited, needs=NEEDS)
def without_a_limit_of_processors(world: World) -> None:
    world.containers.run(leave=("--cpus",))


@fault(test_its_memory_is_below_its_limit, needs=NEEDS)
def nearly_full(world: World) -> None:
    world.containers.nearly_full()


@fault(test_its_processors_are_not_busy, needs=NEEDS)
def an_agent_that_spins(world: World) -> None:
    world.change(cpu_percent=20.0)
    world.containers.run(script="while :; do :; done")


@fault(test_its_processors_are_not_busy)
def a_server_that_spins(world: World) -> None:
    """A process that is busy all the time."""
    world.change(cpu_percent=20.0, programs=["spinning-portagent"])
    world.containers.spin("spinning-portagent")


@healthy(test_its_memory_does_not_grow)
def up_and_down(world: World) -> None:
    world.change(memory_growth_mib=1.0)
    world.server.start()
    world.containers.looked_at_before(1, 3, 2, 4)


@fault(test_its_memory_does_not_grow)
def more_at_every_look(world: World) -> None:
    world.change(memory_growth_mib=1.0)
    world.server.start()
    world.containers.looked_at_before(1, 2, 3, 4)


@fault(test_its_memory_does_not_grow, needs=NEEDS)
def more_in_its_container(world: World) -> None:
    world.change(memory_growth_mib=0.1)
    made = world.containers.run()
    world.containers.looked_at_before(0.01, 0.02, 0.03, 0.04, container=made)
