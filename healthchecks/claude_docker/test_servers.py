"""Each MCP server can start: its command is found, and it answers."""

from __future__ import annotations

import os

from healthchecks.claude_docker.world import World
from plugins import P1, check, fault, healthy, listed
from plugins.mcp_servers import BadServer


@check(
    P1,
    guide="CD30",
    hint="""Install what is missing, or correct the entry: `claude mcp list` shows the servers,
    `claude mcp remove <name>` and `claude mcp add <name> -- <command> <args>` renew one. A command
    is looked for on the PATH of its `env`, else on that of whoever starts Claude: a full path
    (`command -v npx`) is found by everybody.""",
)
def test_every_mcp_command_is_found(lost_commands: tuple[BadServer, ...]) -> None:
    """The command of each MCP server is found.

    Claude starts without a server that it cannot start, and says so on a line that nobody sees: its
    tools are missing.
    """
    assert not lost_commands, listed("MCP servers that cannot be started", lost_commands)


@healthy(test_every_mcp_command_is_found)
def found(world: World) -> None:
    world.servers.add("good", scope="project")


@healthy(test_every_mcp_command_is_found, layout="own")
def found_on_its_own_path(world: World) -> None:
    world.servers.add("good", command="claude", env={"PATH": str(world.servers.cli.parent)})


@healthy(test_every_mcp_command_is_found)
def named_by_a_variable(world: World) -> None:
    world.servers.add("good", scope="file", command="${NOT_SET_ANYWHERE:-python3}")


@healthy(test_every_mcp_command_is_found)
def of_a_project_that_is_gone(world: World) -> None:
    world.servers.add("good")
    gone = {"mcpServers": {"x": {"command": "./nowhere"}}}
    world.login.configuration["projects"][str(world.folder / "gone")] = gone
    world.login.write()


@healthy(test_every_mcp_command_is_found)
def switched_off(world: World) -> None:
    world.servers.add("good")
    world.login.serve("off", scope="file", command="no-such-program")
    project = world.login.configuration["projects"][str(world.login.project)]
    project["disabledMcpjsonServers"] = ["off"]
    world.login.write()


@fault(test_every_mcp_command_is_found)
def not_installed(world: World) -> None:
    world.servers.add("good", command="no-such-program")


@fault(test_every_mcp_command_is_found, layout="own")
def not_installed_for_a_project(world: World) -> None:
    world.servers.add("good", scope="project", command="./no-such-program")


@fault(test_every_mcp_command_is_found)
def not_installed_of_a_projects_file(world: World) -> None:
    world.servers.add("good", scope="file", command="no-such-program")


@fault(test_every_mcp_command_is_found)
def not_on_its_own_path(world: World) -> None:
    world.servers.add("good", command="python3", env={"PATH": "/nowhere:/neither"})


@fault(test_every_mcp_command_is_found)
def entries_of_every_wrong_kind(world: World) -> None:
    world.servers.add("good", args=[1])
    wrong = {"list": [], "none": {"args": []}, "env": {"command": "sh", "env": {"A": 1}}, "7": 7}
    world.login.configuration["mcpServers"] |= wrong
    world.login.write()


@fault(test_every_mcp_command_is_found, layout="own")
def entries_that_claude_passes_over(world: World) -> None:
    world.servers.none_but()
    far = {"url": "https://mcp.example.invalid/"}
    world.login.configuration["mcpServers"]["far"] = far
    world.login.write()


@fault(test_every_mcp_command_is_found, layout="own")
def of_the_network_without_a_url(world: World) -> None:
    world.servers.none_but()
    world.login.serve("far", command=None, type="http")


@fault(test_every_mcp_command_is_found, layout="own")
def null_for_arguments(world: World) -> None:
    world.servers.add("good", args=None)


@fault(test_every_mcp_command_is_found, layout="own")
def a_list_of_servers(world: World) -> None:
    world.login.configuration["mcpServers"] = [{"command": "sh"}]
    world.login.write()


@fault(test_every_mcp_command_is_found)
def a_broken_file_of_a_project(world: World) -> None:
    (world.login.project / ".mcp.json").write_text('{"mcpServers": {')


@fault(test_every_mcp_command_is_found, becomes="cannot_tell")
def a_variable_that_only_a_shell_has(world: World) -> None:
    world.servers.add("good", scope="file", command="${NOT_SET_ANYWHERE}/server")


@fault(test_every_mcp_command_is_found, becomes="absent", layout="own")
def none_is_configured(world: World) -> None:
    world.servers.none_but()
    world.login.serve("far", command=None, type="http", url="https://mcp.example.invalid/")


@fault(test_every_mcp_command_is_found, becomes="absent")
def claude_runs_in_containers_alone(world: World) -> None:
    world.servers.add("good", command="no-such-program")
    world.change(claude="no-such-claude")


@check(
    P1,
    guide="CD30",
    hint="""Start it by hand, as Claude does: `cd <project>`, then its command, and type
    `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",
    "capabilities":{},"clientInfo":{"name":"me","version":"1"}}}` on one line; what it complains of
    stands below it. A module that cannot be found is installed by `npm install` in the server's own
    folder; `claude mcp list` shows what Claude thinks of it.""",
)
def test_every_mcp_server_answers(mute_servers: tuple[BadServer, ...]) -> None:
    """Each MCP server that is started answers `initialize` and `tools/list` in time.

    A server that is installed may still lack a module, a key or a folder: only its answer shows.
    Servers are started where the systems file says `run_mcp_servers = true`, or with --deep.
    """
    assert not mute_servers, listed("MCP servers that do not answer", mute_servers)


@healthy(test_every_mcp_server_answers)
def answering(world: World) -> None:
    world.servers.add("good", env={"TOKEN": "x"})


@healthy(test_every_mcp_server_answers, layout="own")
def answering_after_rubbish(world: World) -> None:
    world.servers.add("noisy", scope="project")


@healthy(test_every_mcp_server_answers)
def asking_back(world: World) -> None:
    world.servers.add("curious")


@fault(test_every_mcp_server_answers, becomes="absent")
def nobody_said_that_it_may_be_started(world: World) -> None:
    world.servers.add("dead")
    world.change(run_mcp_servers=False)


@fault(test_every_mcp_server_answers, becomes="absent")
def nobody_agreed_to_a_projects_own(world: World) -> None:
    world.servers.add("dead", scope="file")


@fault(test_every_mcp_server_answers)
def agreed_to_and_dead(world: World) -> None:
    world.servers.add("dead", scope="file")
    project = world.login.configuration["projects"][str(world.login.project)]
    project["enabledMcpjsonServers"] = ["dead"]
    world.login.write()


@fault(test_every_mcp_server_answers)
def hanging(world: World) -> None:
    world.servers.add("deaf")


@fault(test_every_mcp_server_answers)
def without_a_module(world: World) -> None:
    world.servers.add("moduleless")


@fault(test_every_mcp_server_answers, becomes="blocked")
def none_can_be_started(world: World) -> None:
    world.servers.add("good", command="no-such-program")


@fault(test_every_mcp_server_answers, needs=("root",), becomes="cannot_tell")
def in_the_home_of_another_user(world: World) -> None:
    world.servers.add("good")
    os.chown(world.folder, 65534, 65534)
