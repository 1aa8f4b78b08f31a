"""The image that sessions run is here."""

from __future__ import annotations

from plugins import P1, check, fault, healthy

from .world import World

DOCKER = ("root", "dockerd", "docker", "busybox")


@check(
    P1,
    guide="CD35",
    hint="See what is here: `docker images`. Then build it in the folder of the launcher: `docker "
    "build -t claude-code-tools:latest <folder>`; where it is called otherwise, set image in the "
    "systems file.",
)
def test_the_image_is_here(missing_image: str) -> None:
    """The image that sessions run is here.

    Without it no session starts, or one waits for a download from a registry that has none.
    """
    assert not missing_image, f"none of the images that sessions run is here: {missing_image}"


@healthy(test_the_image_is_here, needs=DOCKER)
def one_of_the_known(world: World) -> None:
    world.containers.use()


@healthy(test_the_image_is_here, needs=DOCKER)
def the_configured_one(world: World) -> None:
    world.containers.use(image="registry.example:5000/me/tools")
    world.containers.engine.tag("registry.example:5000/me/tools")


@fault(test_the_image_is_here, needs=DOCKER)
def removed(world: World) -> None:
    world.containers.use()
    world.containers.engine.docker("image", "rm", "claude-code-tools:latest")
    world.containers.engine.tag("claude-ai-notes:latest")


@fault(test_the_image_is_here, needs=DOCKER)
def another_than_the_configured(world: World) -> None:
    world.containers.use(image="claude-ai:v3")


@fault(test_the_image_is_here, needs=DOCKER, becomes="absent", layout="own")
def nothing_of_the_kit(world: World) -> None:
    world.containers.use()
