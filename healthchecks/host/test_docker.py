"""The Docker engine: the root cause of all that goes wrong in it."""

from __future__ import annotations

from collections.abc import Iterator

from plugins import P0, P1, P2, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import Run

from .probes_docker import DockerState, Hoard, Killed
from .world import World

DOCKER = ("root", "dockerd", "docker", "busybox")


@remedy(UNSAFE, settle=15.0)
def start_it_anew(docker_engine: DockerState) -> Iterator[Run]:
    """Run `systemctl restart docker` as root (`service docker restart` without systemd).

    Containers that still run may be stopped by it. On macOS start Docker Desktop.
    """
    if docker_engine.restart:
        yield Run(docker_engine.restart, deadline=60.0)


@check(P0, guide="H07", remedy=start_it_anew)
def test_the_docker_engine_answers(docker_engine: DockerState) -> None:
    """The Docker engine answers.

    Without it no session starts, no container is seen, and all that needs Docker is down.
    """
    assert not docker_engine.trouble, docker_engine.trouble


@healthy(test_the_docker_engine_answers, needs=DOCKER)
def an_engine_that_runs(world: World) -> None:
    world.use_docker()
    world.docker.start()


@fault(test_the_docker_engine_answers, needs=DOCKER)
def an_engine_that_was_never_started(world: World) -> None:
    world.use_docker()


@fault(test_the_docker_engine_answers, needs=DOCKER)
def an_engine_that_died(world: World) -> None:
    world.use_docker()
    world.docker.leave_dead_socket()


@fault(test_the_docker_engine_answers, needs=DOCKER)
def an_engine_that_hangs(world: World) -> None:
    world.use_docker()
    world.docker.hang()


@fault(test_the_docker_engine_answers, needs=("root", "chroot"), becomes="cannot_tell")
def another_hosts_engine(world: World) -> None:
    """A path that is meant for another host is none of ours, although an engine answers there."""
    world.use_docker()
    world.docker.start()
    socket = world.docker.url.removeprefix("unix://")
    world.change(on="chroot:///", docker_url="", docker_sockets=[socket])


@fault(test_the_docker_engine_answers, becomes="absent")
def no_engine_and_no_need(world: World) -> None:
    world.change(docker_program="", docker_sockets=[world.nothing])


@remedy(UNSAFE)
def prune_the_waste(hoard: Hoard) -> Iterator[Run]:
    """Run `docker image prune --force` and `docker builder prune --force`.

    Dangling images and build cache go; the next build takes longer. Volumes and tagged images stay.
    """
    docker = ("docker", "--host", hoard.url)
    yield Run((*docker, "image", "prune", "--force"), deadline=300.0)
    yield Run((*docker, "builder", "prune", "--force"), deadline=300.0)


@check(P2, guide="H08", remedy=prune_the_waste)
def test_docker_does_not_hoard_waste(hoard: Hoard) -> None:
    """Docker does not hoard dangling images and build cache.

    Each rebuild leaves an old image behind, and it is Docker that fills most disks.
    """
    assert hoard.waste.value < (hoard.waste.limit or 0), (
        f"{hoard.waste.value:g} GiB of dangling images and build cache; "
        f"{hoard.waste.limit or 0:g} GiB is the limit"
    )


@healthy(test_docker_does_not_hoard_waste, needs=DOCKER)
def hardly_any_waste(world: World) -> None:
    world.use_docker(docker_waste_gib=0.02)
    world.docker.start()
    world.docker.image("kept:latest", mib=30)


@fault(test_docker_does_not_hoard_waste, needs=DOCKER)
def dangling_images(world: World) -> None:
    world.use_docker(docker_waste_gib=0.02)
    world.docker.start()
    world.docker.image("", mib=30)


@fault(test_docker_does_not_hoard_waste, becomes="blocked", needs=("root",))
def an_engine_that_cannot_be_asked(world: World) -> None:
    world.use_docker()
    world.docker.leave_dead_socket()


@check(
    P2,
    guide="H08",
    hint="Run `docker system df --verbose` to see what is unused, then remove what nobody needs "
    "by name: `docker image rm <image>`, `docker volume rm <volume>`. Never prune volumes as"
    " a whole: a watched system's conversations may lie in one that no container uses just "
    "now.",
)
def test_docker_holds_little_that_is_unused(hoard: Hoard) -> None:
    """Docker holds little that no container uses.

    Old tagged images and forgotten volumes are not pruned by anybody, and take the disk bit by bit.
    """
    assert hoard.unused.value < (hoard.unused.limit or 0), listed(
        f"{hoard.unused.value:g} GiB of images and volumes that nothing uses "
        f"({hoard.unused.limit or 0:g} GiB is the limit); the biggest images",
        hoard.biggest,
    )


@healthy(test_docker_holds_little_that_is_unused, needs=DOCKER)
def little_is_unused(world: World) -> None:
    world.use_docker(docker_unused_gib=0.05)
    world.docker.start()
    world.docker.image("small:latest", mib=5)


@fault(test_docker_holds_little_that_is_unused, needs=DOCKER)
def a_big_image_that_nobody_uses(world: World) -> None:
    world.use_docker(docker_unused_gib=0.05)
    world.docker.start()
    world.docker.image("big:latest", mib=60)


@check(
    P1,
    guide="H04",
    hint="Run `docker inspect <container>` and look at State and HostConfig.Memory; give it more "
    "with `docker update --memory 4g --memory-swap 4g <container>`, or find out what in it "
    "grows.",
)
def test_no_container_was_killed_for_lack_of_memory(
    killed_containers: tuple[Killed, ...],
) -> None:
    """No container was killed for lack of memory lately.

    Its process died in the middle of something, and with `--restart` it looks as if nothing
    happened.
    """
    assert not killed_containers, listed("containers killed for lack of memory", killed_containers)


@healthy(test_no_container_was_killed_for_lack_of_memory, needs=DOCKER)
def killed_a_month_ago(world: World) -> None:
    world.use_docker()
    world.docker.start()
    world.docker.image("greedy:latest", mib=1)
    world.docker.container_killed_for_memory("greedy:latest", hours_ago=24 * 30)


@fault(test_no_container_was_killed_for_lack_of_memory, needs=DOCKER)
def killed_an_hour_ago(world: World) -> None:
    world.use_docker()
    world.docker.start()
    world.docker.image("greedy:latest", mib=1)
    world.docker.container_killed_for_memory("greedy:latest", hours_ago=1)
