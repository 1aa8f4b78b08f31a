"""The MCP servers and the Claude CLI of a world: small programs, real ones."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from plugins.worlds.mcp_programs import written

if TYPE_CHECKING:
    from healthchecks.claude_docker.world import World


class Servers:
    """The MCP servers and the CLI of a world.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.cli = world.folder / "bin" / "claude"

    def build(self) -> None:
        """Make the healthy state: a CLI that tells its version."""
        self.install("echo '2.1.197 (Claude Code)'")

    def install(self, script: str) -> None:
        """Stand a shell script in the place of the CLI."""
        self.cli.parent.mkdir(exist_ok=True)
        self.cli.write_text(f"#!/bin/sh\n{script}\n")
        self.cli.chmod(0o755)
        self._world.change(claude=str(self.cli))

    def none_but(self) -> None:
        """Take the servers away that a healthy world has."""
        configuration = self._world.login.configuration
        configuration.pop("mcp", None)
        configuration["mcpServers"] = {}
        self._world.login.write()

    def add(self, behaviour: str = "good", *, scope: str = "user", **more: object) -> None:
        """Configure a server that behaves so, alone, and let servers be started."""
        self.none_but()
        words = {"command": sys.executable, "args": [str(written(self._world.folder, behaviour))]}
        self._world.login.serve(behaviour, scope=scope, **(words | more))
        self._world.change(run_mcp_servers=True, mcp_seconds=1.5)

    def close(self) -> None:
        """End what runs: nothing does."""
