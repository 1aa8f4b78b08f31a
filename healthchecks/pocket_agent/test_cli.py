"""The Claude CLI is there for the server."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_cli import Cli
from healthchecks.pocket_agent.world import World
from plugins import P0, check, fault, healthy, listed


@check(
    P0,
    guide="PA06",
    hint="""See, as root, what the server's user finds: `runuser -u <user> -- sh -c 'command -v
    claude'`. Install the CLI for that user, make it executable (`chmod a+x <path>`), or name its
    place as an absolute path in execution.claude_binary_path (claude.binary in the guide's YAML);
    a service's PATH has no ~/.local/bin.""",
)
def test_the_claude_cli_is_there(cli: Cli) -> None:
    """The Claude CLI is there for the server's user.

    The server refuses to start without it, and one that runs fails every execution.
    """
    told = f"{cli.name} cannot be run by {cli.user or 'the server'}"
    assert cli.path, listed(told, cli.troubles)


@healthy(test_the_claude_cli_is_there)
@healthy(test_the_claude_cli_is_there, layout="guide")
def configured(world: World) -> None:
    """An absolute path is configured, and the program is there."""
    world.start()


@healthy(test_the_claude_cli_is_there)
def linked(world: World) -> None:
    """A link to a version's own file, as its installer makes it."""
    real = world.claude.rename(world.claude.with_name("claude-2.1.0"))
    world.claude.symlink_to(real)


@fault(test_the_claude_cli_is_there)
def removed(world: World) -> None:
    """It was removed while the server ran."""
    world.start()
    world.claude.unlink()


@fault(test_the_claude_cli_is_there)
def dangling(world: World) -> None:
    """An update took the version away that the link leads to."""
    world.claude.unlink()
    world.claude.symlink_to("claude-2.0.9")


@fault(test_the_claude_cli_is_there)
def not_executable(world: World) -> None:
    """Copied without its mode."""
    world.claude.chmod(0o644)


@fault(test_the_claude_cli_is_there)
def not_on_the_path(world: World) -> None:
    """Only a name is configured, and the server's PATH does not lead to it."""
    world.change(claude="claude-of-nowhere")
    world.start()


@fault(test_the_claude_cli_is_there, becomes="blocked")
def known_by_name_and_stopped(world: World) -> None:
    """Only the server's process tells where it looks, and there is none."""
    world.change(claude="claude")
