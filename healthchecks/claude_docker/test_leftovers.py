"""Nothing is left over: no former staging folder, no order to debug."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.claude_docker.probes_leftovers import Leftover
from healthchecks.claude_docker.world import World
from plugins import P3, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Quarantine


@remedy(SAFE)
def put_them_away(staging_leftovers: tuple[Leftover, ...]) -> Iterator[Quarantine]:
    """Move each folder that is listed out of the way by `mv`, and delete it when nobody misses
    it."""
    for leftover in staging_leftovers:
        yield Quarantine(leftover.path, seen=leftover.seen)


@check(P3, guide="CD33", remedy=put_them_away)
def test_no_staging_leftovers(staging_leftovers: tuple[Leftover, ...]) -> None:
    """No former staging folder is left over.

    It is as big as Claude's folder, holds an old login, and nobody looks after it.
    """
    assert not staging_leftovers, listed("left over", staging_leftovers)


@check(
    P3,
    guide="CD36",
    hint="""Take the line that is listed out of the file, run `unset CLAUDE_DOCKER_DEBUG` in shells
    that are open, and start a new one.""",
)
def test_debug_mode_is_off(debug_orders: tuple[str, ...]) -> None:
    """Debug mode is off.

    It was for one search for a fault; left on it fills logs, with what nobody should read in them.
    """
    assert not debug_orders, listed("debug mode is switched on", debug_orders)


@healthy(test_no_staging_leftovers)
def only_the_live_one(world: World) -> None:
    """Another kit's folder beside it is none of ours to judge."""
    world.login.stage()
    (world.state_dir.parent / "glm_config").mkdir()
    (world.state_dir.parent / "claude_config.json").write_text("{}", "ascii")


@healthy(test_no_staging_leftovers)
def a_live_one_behind_a_link(world: World) -> None:
    """What the live name leads to is no leftover."""
    world.login.stage()
    old = world.state_dir.with_name("claude_config.old")
    world.state_dir.rename(old)
    world.state_dir.symlink_to(old)


@fault(test_no_staging_leftovers)
def the_guides(world: World) -> None:
    world.login.stage()
    old = world.state_dir.with_name("claude_config.old")
    world.login.put(old / ".claude.json", world.login.configuration)


@fault(test_no_staging_leftovers)
def several(world: World) -> None:
    world.login.stage()
    world.state_dir.with_name("claude_config.bak").mkdir()
    world.state_dir.with_name("claude_config.old.20261101").mkdir()


@fault(test_no_staging_leftovers, becomes="absent", layout="own")
def without_a_kit(world: World) -> None:
    """Claude alone."""


@healthy(test_debug_mode_is_off)
@healthy(test_debug_mode_is_off, layout="own")
def never_on(world: World) -> None:
    (world.folder / ".bashrc").write_text("alias ll='ls -l'\n", "ascii")


@healthy(test_debug_mode_is_off)
def commented_out(world: World) -> None:
    """Comments, "off", talk of it, and a line that takes it back."""
    lines = (
        "# export CLAUDE_DOCKER_DEBUG=true",
        "export CLAUDE_DOCKER_DEBUG=false",
        'export CLAUDE_DOCKER_DEBUG=""  # CLAUDE_DOCKER_DEBUG=1',
        'echo "Set CLAUDE_DOCKER_DEBUG to true"; echo "$CLAUDE_DOCKER_DEBUG yes"',
        "export CLAUDE_DOCKER_DEBUG=1",
        "unset CLAUDE_DOCKER_DEBUG",
    )
    (world.folder / ".zshrc").write_text("\n".join(lines), "ascii")


@fault(test_debug_mode_is_off)
@fault(test_debug_mode_is_off, layout="own")
def in_a_profile(world: World) -> None:
    (world.folder / ".zshrc").write_text("export CLAUDE_DOCKER_DEBUG=true\n", "ascii")


@fault(test_debug_mode_is_off)
def in_fish(world: World) -> None:
    profile = world.folder / ".config" / "fish" / "config.fish"
    profile.parent.mkdir(parents=True)
    profile.write_text("set -gx CLAUDE_DOCKER_DEBUG 1\n", "ascii")


@fault(test_debug_mode_is_off)
def for_one_command(world: World) -> None:
    """An alias that sets it each time; the file is no UTF-8."""
    line = b"# caf\xe9\nalias claude='CLAUDE_DOCKER_DEBUG=1 claude'\n"
    (world.folder / ".bashrc").write_bytes(line)


@fault(test_debug_mode_is_off)
def in_our_own_environment(world: World) -> None:
    """HOME stands for it, as it is always set."""
    world.change(debug_variables=["HOME"])
