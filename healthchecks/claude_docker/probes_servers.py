"""Whether the MCP servers that are configured can be found, and whether they answer."""

from __future__ import annotations

import os

from healthchecks.claude_docker.documents import user
from healthchecks.claude_docker.mcp_servers import stdio_servers
from healthchecks.claude_docker.probes_cli import cli_path
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, Blocked, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.mcp import Mcp
from plugins.hosts import Host
from plugins.mcp_servers import LOOK, BadServer, Stdio, demand_leave, lost, mute, why_not
from plugins.run import Run

_FOUND = "claude_docker.every_mcp_command_is_found"


def _configured(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host
) -> tuple[tuple[Stdio, str], ...]:
    """Give each server that is a command, with why it cannot be started ("" where it can).

    Raises:
        Absent: there is none, or Claude runs in containers alone and not here.
    """
    if system.kit and not cli_path(system, commands):
        raise Absent("no Claude CLI on this machine: MCP servers run in session containers alone")
    variables = os.environ if commands.is_local else {}
    found = tuple(stdio_servers(system, filesystem, variables))
    if not found:
        places = (system.config_file, ".mcp.json of the projects that it names")
        raise Absent("no MCP server that is a command is configured", places)
    return tuple((server, why_not(server, commands)) for server in found)


@probe(deadline=20.0)
def lost_commands(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host
) -> tuple[BadServer, ...]:
    """Each MCP server whose configuration is none, or whose command is not found."""
    return lost(_configured(system, filesystem, commands))


@probe(deadline=LOOK, every=3600.0)
def mute_servers(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, mcp: Mcp, run: Run
) -> tuple[BadServer, ...]:
    """Each MCP server that was started and did not answer."""
    seen = _configured(system, filesystem, commands)
    demand_leave(system.settings.run_mcp_servers or run.deep)
    ready = [server for server, why in seen if not why and not server.unset]
    agreed = [server for server in ready if server.approved]
    if not ready:
        raise Blocked(_FOUND, "none of the commands can be started")
    if not agreed:
        raise Absent("only servers of .mcp.json files that nobody has agreed to are configured")
    limit, owner = system.settings.mcp_seconds, user(system, filesystem).uid
    return mute(agreed, mcp, commands, limit, owner)
