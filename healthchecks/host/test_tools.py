"""Tools: the programs that present systems call."""

from __future__ import annotations

from plugins import P3, check, fault, healthy, listed

from .probes_names import MissingTool
from .world import World


@check(
    P3,
    guide="H12",
    hint="Install each with this machine's package manager (`apt-get install jq`, `brew install "
    "jq`), or put the folder that holds it on PATH or into `tool_folders` of [host].",
)
def test_needed_tools_are_installed(missing_tools: tuple[MissingTool, ...]) -> None:
    """The tools that present systems need are installed.

    A script that misses a tool often goes on without it, and leaves half of its work behind.
    """
    assert not missing_tools, listed("tools not found on PATH", missing_tools)


@healthy(test_needed_tools_are_installed)
def tools_at_hand(world: World) -> None:
    world.tool("watched-tool")


@fault(test_needed_tools_are_installed)
def a_tool_is_missing(world: World) -> None:
    world.change(watch_tools=["sh", "no-such-tool-here"])


@fault(test_needed_tools_are_installed)
def a_tool_that_cannot_be_run(world: World) -> None:
    world.tool("watched-tool", mode=0o644)
