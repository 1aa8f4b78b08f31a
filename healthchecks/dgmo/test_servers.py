"""Each MCP server of DGMO's own configuration can start, and answers."""

from __future__ import annotations

import os

from healthchecks.dgmo.world import World
from plugins import P2, check, fault, healthy, listed
from plugins.mcp_servers import BadServer


@check(
    P2,
    guide="DG30",
    hint="""Install what is missing, or correct the entry below `mcp` in the file that is named: a
    local server is `{"type": "local", "command": ["PROGRAM", "WORD", …], "environment": {…}}`. The
    program is looked for on the PATH of its environment, else on that of whoever starts DGMO: a
    full path (`command -v npx`) is found by everybody. `"enabled": false` switches one off.""",
)
def test_every_mcp_command_is_found(lost_commands: tuple[BadServer, ...]) -> None:
    """The command of each MCP server is found.

    DGMO writes "MCP server NAME failed to start" into its log and goes on: its tools are missing,
    memory among them.
    """
    assert not lost_commands, listed("MCP servers that cannot be started", lost_commands)


@check(
    P2,
    guide="DG30",
    hint="""Start it by hand: its command, then type `{"jsonrpc":"2.0","id":1,"method":"initialize",
    "params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"me",
    "version":"1"}}}` on one line; what it complains of stands below it. These servers speak on
    their standard input and output: the guide's `nc localhost 3000` asks nobody.""",
)
def test_every_mcp_server_answers(mute_servers: tuple[BadServer, ...]) -> None:
    """Each MCP server that is started answers `initialize` and `tools/list` in time.

    A server that is installed may still lack a module, a key or a folder: only its answer shows.
    Servers are started where the systems file says `run_mcp_servers = true`, or with --deep.
    """
    assert not mute_servers, listed("MCP servers that do not answer", mute_servers)


@check(
    P2,
    guide="DG30",
    hint="""Ask by `curl -I URL` with the url that stands below `mcp` in the file that is named;
    where its host has moved, correct it; `"enabled": false` switches the server off until then.""",
)
def test_every_remote_mcp_server_answers(silent_remotes: tuple[BadServer, ...]) -> None:
    """Something answers at the address of each remote MCP server.

    Any answer of HTTP will do, a refusal too: whether the login is right only DGMO itself can try.
    """
    assert not silent_remotes, listed("remote MCP servers that do not answer", silent_remotes)


@healthy(test_every_mcp_command_is_found)
@healthy(test_every_mcp_command_is_found, layout="workspace")
@healthy(test_every_mcp_server_answers)
@healthy(test_every_mcp_server_answers, layout="workspace")
def found_and_answering(world: World) -> None:
    world.files.serve("good", environment={"TOKEN": "x"})


@healthy(test_every_mcp_command_is_found)
def found_on_its_own_path(world: World) -> None:
    words = {"PATH": str(world.files.bin)}
    world.files.serve_as("memory", type="local", command=["bun", "x"], environment=words)


@healthy(test_every_mcp_command_is_found)
def one_is_switched_off(world: World) -> None:
    world.files.serve("good")
    text = '{"mcp": {"off": {"type": "local", "command": ["no-such"], "enabled": false}}}'
    world.files.project("dgmo.jsonc", text)


@healthy(test_every_mcp_server_answers)
def answering_after_rubbish(world: World) -> None:
    world.files.serve("noisy")


@fault(test_every_mcp_command_is_found, becomes="absent")
@fault(test_every_mcp_command_is_found, becomes="absent", layout="workspace")
@fault(test_every_mcp_server_answers, becomes="absent")
@fault(test_every_remote_mcp_server_answers, becomes="absent")
@fault(test_every_remote_mcp_server_answers, becomes="absent", layout="workspace")
def none_is_configured(world: World) -> None:
    """As the world is made."""


@fault(test_every_mcp_command_is_found)
@fault(test_every_mcp_command_is_found, layout="workspace")
def not_installed(world: World) -> None:
    world.files.serve_as("memory", type="local", command=["no-such-program", "--stdio"])


@fault(test_every_mcp_command_is_found)
def not_installed_for_a_project(world: World) -> None:
    text = '{"mcp": {"memory": {"type": "local", "command": ["no-such-program"]}}} // '
    world.files.project("dgmo.jsonc", text)


@fault(test_every_mcp_command_is_found)
def a_command_as_claude_has_it(world: World) -> None:
    """A text with args beside it, which DGMO does not take."""
    world.files.serve_as("memory", type="local", command="uvx", args=["mcp-server-qdrant"])


@fault(test_every_mcp_command_is_found)
def without_a_type(world: World) -> None:
    world.files.serve_as("memory", command=["sh"])


@fault(test_every_mcp_command_is_found)
def an_environment_of_numbers(world: World) -> None:
    world.files.serve_as("memory", type="local", command=["sh"], environment={"LIMIT": 7})


@fault(test_every_mcp_server_answers, becomes="absent")
def nobody_said_that_it_may_be_started(world: World) -> None:
    world.files.serve("dead")
    world.change(run_mcp_servers=False)


@fault(test_every_mcp_server_answers, becomes="blocked")
def none_can_be_started(world: World) -> None:
    world.files.serve("good", command=["no-such-program"])


@fault(test_every_mcp_server_answers)
@fault(test_every_mcp_server_answers, layout="workspace")
def ending_at_once(world: World) -> None:
    world.files.serve("dead")


@fault(test_every_mcp_server_answers)
def hanging(world: World) -> None:
    world.files.serve("deaf")


@fault(test_every_mcp_server_answers, needs=("root",), becomes="cannot_tell")
def in_the_home_of_another_user(world: World) -> None:
    world.files.serve("good")
    os.chown(world.folder, 65534, 65534)


@healthy(test_every_remote_mcp_server_answers)
@healthy(test_every_remote_mcp_server_answers, layout="workspace")
def a_remote_one_that_wants_a_login(world: World) -> None:
    world.files.serve_as("far", type="remote", url=world.files.listen(401) + "/mcp?key=secret")


@fault(test_every_remote_mcp_server_answers)
@fault(test_every_remote_mcp_server_answers, layout="workspace")
def nobody_listens_there(world: World) -> None:
    world.files.serve_as("far", type="remote", url=f"http://127.0.0.1:{world.files.free_port()}/")


@fault(test_every_remote_mcp_server_answers)
def no_host_of_that_name(world: World) -> None:
    world.files.serve_as("far", type="remote", url="https://mcp.example.invalid/")


@fault(test_every_remote_mcp_server_answers)
def its_proxy_has_lost_it(world: World) -> None:
    world.files.serve_as("far", type="remote", url=world.files.listen(502))


@fault(test_every_remote_mcp_server_answers)
def a_url_that_is_none(world: World) -> None:
    world.files.serve_as("far", type="remote", url="mcp.example.invalid:80/x")
