"""MCP servers as configurations have them: are their commands found, and do they answer."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from plugins.endpoints.mcp import Mcp
from plugins.eyes import programs
from plugins.hosts import Host
from plugins.outcomes import Absent, CannotTell, NoPermission, TimedOut, ToolMissing
from plugins.text import printable

LOOK = 120.0  # seconds that starting all servers of a configuration may take
_AT_ONCE = 4


@dataclass(frozen=True)
class Stdio:
    """A server that is started as a command.

    Args:
        label: its name and where it is configured, fit to be shown.
        trouble: why its configuration is none, "" where it is one; then the rest is empty.
        argv: its command; it may hold a secret.
        env: its variables; they hold secrets.
        cwd: the folder to start it in.
        unset: a variable that it needs and that is not set here.
        approved: whether somebody agreed to start it: a project's own file needs that.
        uid: who owns the file that it stands in.
    """

    label: str
    trouble: str
    argv: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str = "/"
    unset: str = ""
    approved: bool = True
    uid: int = 0


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


def why_not(server: Stdio, commands: Host) -> str:
    """Tell why a server cannot be started; "" where it can, or where a variable is not set here."""
    if server.trouble or server.unset:
        return server.trouble
    why = commands.call(programs.why_not, server.argv[0], server.env.get("PATH"), server.cwd)
    # A command is no secret's place; what stands behind it may be.
    return f"its command {printable(server.argv[0], 200)} {why}" if why else ""


def lost(seen: Iterable[tuple[Stdio, str]]) -> tuple[BadServer, ...]:
    """Give the servers that cannot be started.

    Args:
        seen: each server, with what `why_not` says of it.

    Raises:
        CannotTell: all others can be, and one needs a variable that is not set here.
    """
    rows = tuple(seen)
    found = tuple(BadServer(server.label, why) for server, why in rows if why)
    unset = [server for server, _ in rows if server.unset]
    if unset and not found:
        name, label = printable(unset[0].unset), unset[0].label
        raise CannotTell(f"{label} needs the variable {name}, which is not set here")
    return found


def demand_leave(given: bool) -> None:
    """Raise `Absent` where nobody allowed that servers are started: their commands would run."""
    if not given:
        raise Absent(
            "no MCP server was started: that runs the commands of the configuration, which --deep"
            " or run_mcp_servers = true in the systems file allows"
        )


def mute(
    ready: Sequence[Stdio], mcp: Mcp, commands: Host, limit: float, owner: int
) -> tuple[BadServer, ...]:
    """Start servers, and give those that do not answer.

    Args:
        ready: those that can be started, and that somebody agreed to start.
        mcp: the endpoint.
        commands: its host.
        limit: seconds for each of them.
        owner: the user id of whoever they are started for.

    Raises:
        ToolMissing: the host is not this machine.
        NoPermission: all others answer, and one is another user's, who alone may run its command.
        TimedOut: there are too many of them.
    """
    if not commands.is_local:
        raise ToolMissing(f"MCP servers are started on this machine, not on {commands.spec}")
    # A file of root's in somebody's home names programs that somebody else may have written.
    others = os.geteuid() == 0 != owner
    strangers = [one for one in ready if others or one.uid not in {0, os.geteuid()}]
    ends = time.monotonic() + LOOK - limit - 10.0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        mine = [server for server in ready if server not in strangers]
        asked = [pool.submit(_asked, mcp, server, limit, ends) for server in mine]
        found = tuple(bad for answer in asked if (bad := answer.result()))
    if strangers and not found:
        uid = owner if others else strangers[0].uid
        raise NoPermission(
            f"{strangers[0].label} is another user's (uid {uid}), who alone may run its command"
        )
    return found


def _asked(mcp: Mcp, server: Stdio, limit: float, ends: float) -> BadServer | None:
    if time.monotonic() > ends:
        raise TimedOut("starting the MCP servers", LOOK)
    try:
        spoken = mcp.speak(server.argv, server.env, server.cwd, deadline=limit)
    except CannotTell as why:
        return BadServer(server.label, f"it cannot be started: {printable(str(why))}")
    return BadServer(server.label, spoken.trouble) if spoken.trouble else None
