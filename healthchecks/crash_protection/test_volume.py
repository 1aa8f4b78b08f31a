"""The volume that conversations are kept in is there, and so is what copies from it."""

from __future__ import annotations

from healthchecks.crash_protection.probes_volume import HelperImage, VolumeSeen
from healthchecks.crash_protection.world import World
from plugins import P0, P1, check, fault, healthy, listed

DOCKER = ("root", "dockerd", "docker", "busybox")
GUIDES = "monitor_conversations () {{ {} /config/$file; read -r line; }}; monitor_conversations"


@check(
    P0,
    guide="CP13",
    hint="""Start nothing that writes. `docker volume ls` shows whether it has another name now (a
    compose project puts its own before it). Else `docker volume create claude-code-config` and
    bring the newest copies back: `pytest healthchecks/ --recover crash_protection.recover`. Where
    no container writes conversations any more: `volume = ""` in the systems file.""",
)
def test_the_conversation_volume_exists(conversation_volume: VolumeSeen) -> None:
    """The Docker volume with the conversations is there.

    It is where they are written; without it only copies are left, and the next container begins
    with an empty one.
    """
    seen = conversation_volume
    evidence = (*(f"{sign} shows that there was one" for sign in seen.signs), *seen.alike)
    assert seen.there, listed(f"{seen.name} is not there", evidence)


@healthy(test_the_conversation_volume_exists)
def a_folder_that_is_named(world: World) -> None:
    pass


@healthy(test_the_conversation_volume_exists, needs=DOCKER)
def a_volume_of_the_engine(world: World) -> None:
    world.engine.use("volume", "create", "claude-code-config")
    world.change(volume_folder="")
    world.summaries()


@fault(test_the_conversation_volume_exists, needs=DOCKER)
def one_that_only_our_own_watch_copied_from(world: World) -> None:
    world.engine.use("version")
    world.change(volume_folder="")
    (world.kit / "volume.name").write_text("claude-code-config\n")


@fault(test_the_conversation_volume_exists)
def a_named_folder_that_is_gone(world: World) -> None:
    world.drop(world.volume)


@fault(test_the_conversation_volume_exists, needs=DOCKER)
def a_volume_that_is_gone(world: World) -> None:
    world.engine.use("volume", "create", "project_claude-code-config")
    world.change(volume_folder="")
    world.summaries()


@fault(test_the_conversation_volume_exists, becomes="blocked")
def an_engine_that_is_down(world: World) -> None:
    world.change(volume_folder="")
    world.summaries()


@fault(test_the_conversation_volume_exists, needs=DOCKER, becomes="absent")
def conversations_on_the_host_alone(world: World) -> None:
    """Our own watch keeps copies; nothing shows that a container ever wrote conversations."""
    world.engine.use("version")
    world.change(volume_folder="")


@fault(test_the_conversation_volume_exists, becomes="absent")
def a_socket_that_was_left_behind(world: World) -> None:
    world.engine.dead()


@fault(test_the_conversation_volume_exists, becomes="absent")
def nothing_of_docker_wanted(world: World) -> None:
    world.change(volume_folder="", volume="")


@check(
    P1,
    guide="CP12",
    hint="""`docker pull alpine`. Where shasum is what it lacks, write sha256sum for shasum in
    conversation-monitor.sh, as alpine has only that; or protect without an image:
    `pytest healthchecks/ --system crash_protection --fix --watch 10 --print-unit systemd` prints a
    unit of our own watch.""",
)
def test_the_monitors_image_can_do_its_work(helper_image: HelperImage) -> None:
    """The image that the shell monitor copies with is there, and has what is called in it.

    Every copy is made in a container of it. Without a program for SHA-256 each hash is empty, no
    change is ever seen, and nothing is copied, without an error.
    """
    assert helper_image.there, f"the engine has no image {helper_image.name}"
    assert not helper_image.lacks, f"{helper_image.name} has no {helper_image.lacks}"


@healthy(test_the_monitors_image_can_do_its_work, needs=DOCKER)
def with_the_program(world: World) -> None:
    world.engine.image("alpine:latest", "usr/bin/sha256sum")
    world.monitor.shell(GUIDES.format("sha256sum"))


@healthy(test_the_monitors_image_can_do_its_work, needs=DOCKER)
def a_periodic_one_that_takes_no_hash(world: World) -> None:
    world.engine.image("alpine:latest")
    world.monitor.write(b"%d" % world.monitor.run("periodic"), "periodic_backup.pid")


@fault(test_the_monitors_image_can_do_its_work, needs=DOCKER)
def no_such_image(world: World) -> None:
    world.engine.image("alpine:3.19", "usr/bin/sha256sum")
    world.monitor.shell(GUIDES.format("sha256sum"))


@fault(test_the_monitors_image_can_do_its_work, needs=DOCKER)
def as_the_scripts_call_it(world: World) -> None:
    """Stock alpine has sha256sum; the shipped monitor calls shasum."""
    world.engine.image("alpine:latest", "usr/bin/sha256sum")
    world.monitor.shell(GUIDES.format("shasum -a 256"))


@fault(test_the_monitors_image_can_do_its_work, needs=DOCKER)
def where_the_host_would_take_either(world: World) -> None:
    """The shipped text has a function for the host's files beside what it calls in the image."""
    world.engine.image("alpine:latest", "usr/bin/sha256sum")
    hosts = "get_file_hash () {{ shasum -a 256 $1 || sha256sum $1; }}; "
    called = """docker run --rm alpine sh -c "shasum -a 256 '$file'" 2>/dev/null;"""
    world.monitor.shell((hosts + GUIDES).format(called))


@healthy(test_the_monitors_image_can_do_its_work, needs=DOCKER)
def where_only_the_host_calls_it(world: World) -> None:
    world.engine.image("alpine:latest", "usr/bin/sha256sum")
    hosts = "get_file_hash () {{ shasum -a 256 $1; }}; "
    called = 'docker run --rm alpine sh -c "sha256sum $file"'
    world.monitor.shell((hosts + GUIDES).format(called + ";"))


@fault(test_the_monitors_image_can_do_its_work, needs=DOCKER)
def with_neither(world: World) -> None:
    world.engine.image("alpine:latest", "etc/sha256sum")
    world.monitor.shell(GUIDES.format("sha256sum"))


@fault(test_the_monitors_image_can_do_its_work, needs=DOCKER, becomes="cannot_tell")
def too_large_to_look_into(world: World) -> None:
    world.engine.image("alpine:latest", "usr/bin/sha256sum", mib=3)
    world.change(helper_image_mib=2)
    world.monitor.shell(GUIDES.format("sha256sum"))


@fault(test_the_monitors_image_can_do_its_work, becomes="absent")
def our_own_watch_protects(world: World) -> None:
    world.monitor.watch()


@fault(test_the_monitors_image_can_do_its_work, becomes="blocked")
def nothing_protects(world: World) -> None:
    pass
