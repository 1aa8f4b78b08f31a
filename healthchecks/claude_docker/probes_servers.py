"""Whether the MCP servers that are configured can be found, and whether they answer."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from healthchecks.claude_docker.documents import user
from healthchecks.claude_docker.mcp_servers import Stdio, stdio_servers
from healthchecks.claude_docker.probes_cli import cli_path
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, Blocked, CannotTell, NoPermission, TimedOut, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.mcp import Mcp
from plugins.eyes import programs
from plugins.hosts import Host
from plugins.run import Run

_FOUND = "claude_docker.every_mcp_command_is_found"
_AT_ONCE = 4
_LOOK = 120.0


@dataclass(frozen=True)
class BadServer:
    """An MCP server that is of no use.

    Args:
        label: its name and where it is configured.
        why: what is wrong, in a few words; no secret of its configuration.
    """

    label: str
    why: str

    def __str__(self) -> str:
        return f"{self.label}: {self.why}"


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
    return tuple((server, _why_not(server, commands)) for server in found)


def _why_not(server: Stdio, commands: Host) -> str:
    if server.trouble or server.unset:
        return server.trouble
    why = commands.call(programs.why_not, server.argv[0], server.env.get("PATH"), server.cwd)
    # A command is no secret's place; what stands behind it may be.
    return f"its command {printable(server.argv[0], 200)} {why}" if why else ""


@probe(deadline=20.0)
def lost_commands(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host
) -> tuple[BadServer, ...]:
    """Each MCP server whose configuration is none, or whose command is not found."""
    seen = _configured(system, filesystem, commands)
    found = tuple(BadServer(server.label, why) for server, why in seen if why)
    unset = [server for server, _ in seen if server.unset]
    if unset and not found:
        name, label = printable(unset[0].unset), unset[0].label
        raise CannotTell(f"{label} needs the variable {name}, which is not set here")
    return found


@probe(deadline=_LOOK, every=3600.0)
def mute_servers(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, mcp: Mcp, run: Run
) -> tuple[BadServer, ...]:
    """Each MCP server that was started and did not answer."""
    seen = _configured(system, filesystem, commands)
    if not (system.settings.run_mcp_servers or run.deep):
        raise Absent(
            "no MCP server was started: that runs the commands of the configuration, which --deep"
            " or run_mcp_servers = true in the systems file allows"
        )
    ready = [server for server, why in seen if not why and not server.unset]
    agreed = [server for server in ready if server.approved]
    if not ready:
        raise Blocked(_FOUND, "none of the commands can be started")
    if not agreed:
        raise Absent("only servers of .mcp.json files that nobody has agreed to are configured")
    owner = user(system, filesystem).uid
    # A file of root's in somebody's home names programs that somebody else may have written.
    others = os.geteuid() == 0 != owner
    strangers = [one for one in agreed if others or one.uid not in {0, os.geteuid()}]
    ends = time.monotonic() + _LOOK - system.settings.mcp_seconds - 10.0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        mine = [server for server in agreed if server not in strangers]
        asked = [pool.submit(_asked, system, mcp, server, ends) for server in mine]
        found = tuple(bad for answer in asked if (bad := answer.result()))
    if strangers and not found:
        uid = owner if others else strangers[0].uid
        raise NoPermission(
            f"{strangers[0].label} is another user's (uid {uid}), who alone may run its command"
        )
    return found


def _asked(system: ClaudeDocker, mcp: Mcp, server: Stdio, ends: float) -> BadServer | None:
    limit = system.settings.mcp_seconds
    if time.monotonic() > ends:
        raise TimedOut("starting the MCP servers", _LOOK)
    try:
        spoken = mcp.speak(server.argv, server.env, server.cwd, deadline=limit)
    except CannotTell as why:
        return BadServer(server.label, f"it cannot be started: {printable(str(why))}")
    return BadServer(server.label, spoken.trouble) if spoken.trouble else None
