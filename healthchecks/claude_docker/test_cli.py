"""The Claude CLI works."""

from __future__ import annotations

from healthchecks.claude_docker.probes_cli import Version
from healthchecks.claude_docker.world import World
from plugins import P1, check, fault, healthy, printable


@check(
    P1,
    guide="CD34",
    hint="""Run `claude --version` and `claude doctor`; then install it anew:
    `npm install -g @anthropic-ai/claude-code`. A version that is slow to come waits for a disk or
    for memory: `free -m`, `iostat -x 1 3`.""",
)
def test_the_claude_cli_works(cli_version: Version) -> None:
    """The Claude CLI tells its version in time.

    It is the least that it can do: without it no session starts, and no recovery can be verified.
    """
    assert not cli_version.trouble, f"{printable(cli_version.path)}: {cli_version.trouble}"


@healthy(test_the_claude_cli_works)
def working(world: World) -> None:
    world.servers.install("echo '2.1.197 (Claude Code)'")


@healthy(test_the_claude_cli_works, layout="own")
def complaining_and_working(world: World) -> None:
    world.servers.install("echo warning >&2; echo 2.1.197")


@fault(test_the_claude_cli_works)
def failing(world: World) -> None:
    world.servers.install("echo 'Error: Cannot find module' >&2; exit 1")


@fault(test_the_claude_cli_works)
def hanging(world: World) -> None:
    world.change(cli_seconds=0.5)
    world.servers.install("sleep 30")


@fault(test_the_claude_cli_works)
def saying_nothing(world: World) -> None:
    world.servers.install("exit 0")


@fault(test_the_claude_cli_works)
def not_executable(world: World) -> None:
    world.servers.cli.chmod(0o644)


@fault(test_the_claude_cli_works)
def configured_and_gone(world: World) -> None:
    world.servers.cli.unlink()


@fault(test_the_claude_cli_works)
def of_another_machine(world: World) -> None:
    world.servers.cli.write_bytes(b"\x7fELF\0\0")
