"""Every place where conversations are written can be looked at: what is not seen is not copied."""

from __future__ import annotations

import os

from healthchecks.crash_protection.probes_copies_current import Protection
from healthchecks.crash_protection.test_copies_current import DOCKER
from healthchecks.crash_protection.world import World
from plugins import P1, check, fault, healthy


@check(
    P1,
    guide="CP03",
    hint="Start Docker (`systemctl start docker`), or run these checks as root; a volume that no "
    "container mounts is seen once one does: `docker create -v claude-code-config:/c <image>`.",
)
def test_every_place_of_conversations_can_be_seen(protection: Protection) -> None:
    """Every place where conversations are written can be looked at.

    What cannot be seen is not copied. The other checks judge what is seen, so that a conversation
    on the host is protected while Docker is down.
    """
    protection.whole()
    protection.judged()
    assert protection.standing


@healthy(test_every_place_of_conversations_can_be_seen)
def all_seen(world: World) -> None:
    """The volume's folder, and the host's."""


@healthy(test_every_place_of_conversations_can_be_seen, needs=DOCKER)
def through_a_container(world: World) -> None:
    world.engine.volume()


@fault(test_every_place_of_conversations_can_be_seen, needs=DOCKER, becomes="cannot_tell")
def a_volume_that_no_container_mounts(world: World) -> None:
    world.engine.volume(mounted=False)


@fault(test_every_place_of_conversations_can_be_seen, becomes="blocked")
def the_volume_is_gone(world: World) -> None:
    world.change(volume_folder=str(world.folder / "no-volume"))


@fault(test_every_place_of_conversations_can_be_seen, becomes="blocked")
def docker_is_down(world: World) -> None:
    world.change(volume_folder="")


@healthy(test_every_place_of_conversations_can_be_seen)
def docker_is_down_and_its_volumes_can_be_read(world: World) -> None:
    world.change(volume_folder="")
    world.engine.left_on_disk()


@healthy(test_every_place_of_conversations_can_be_seen)
def a_dead_docker_that_no_conversation_was_in(world: World) -> None:
    """A socket is left behind, and all that is copied stands on the host."""
    world.engine.dead()
    for copy in world.realtime.iterdir():
        if not (world.projects / "-srv-app" / copy.name).exists():
            world.age(copy, 40 * 86400)


@fault(test_every_place_of_conversations_can_be_seen, becomes="blocked")
def a_dead_docker_and_copies_of_what_is_in_it(world: World) -> None:
    world.engine.dead()


@fault(test_every_place_of_conversations_can_be_seen, becomes="blocked")
def a_dead_docker_that_the_scripts_copied_from(world: World) -> None:
    world.engine.dead()
    world.summaries()
    for copy in world.realtime.iterdir():
        world.age(copy, 40 * 86400)


@fault(test_every_place_of_conversations_can_be_seen, becomes="cannot_tell")
def a_fifo_in_the_place_of_one(world: World) -> None:
    os.mkfifo(world.projects / "-srv-app" / "waits.jsonl")


@fault(test_every_place_of_conversations_can_be_seen, becomes="cannot_tell")
def a_link_that_leads_elsewhere(world: World) -> None:
    (world.projects / "-srv-app" / "led.jsonl").symlink_to("/etc/passwd")


@fault(test_every_place_of_conversations_can_be_seen, becomes="absent")
def nobody_has_talked(world: World) -> None:
    world.conversations.forget_all()
