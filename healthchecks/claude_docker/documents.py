"""What Claude's JSON files say: its MCP servers, and whose the files are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import CannotTell, NotThere
from plugins.documents import mapping
from plugins.endpoints.filesystem import Entry, Filesystem


@dataclass(frozen=True)
class Server:
    """An MCP server as a configuration has it.

    Args:
        scope: the keys above its name, such as ("mcpServers",).
        name: its name.
        value: what stands there, of any kind.
    """

    scope: tuple[str, ...]
    name: str
    value: Any = field(repr=False)

    @property
    def elsewhere(self) -> bool:
        """Whether it speaks to another machine or engine: `docker run` has paths of both."""
        command = self.value.get("command") if isinstance(self.value, dict) else ""
        program = os.path.basename(command) if isinstance(command, str) else ""
        return program in {"docker", "podman", "nerdctl", "ssh", "wsl", "wsl.exe"}


def servers(value: dict[str, Any]) -> Iterator[Server]:
    """Yield every MCP server of a configuration: the guide's scope, the user's, each project's."""
    scopes: list[tuple[str, ...]] = [("mcp", "servers"), ("mcpServers",)]
    scopes += [("projects", name, "mcpServers") for name in mapping(value, "projects")]
    for scope in scopes:
        for name, server in mapping(value, *scope).items():
            yield Server(scope, name, server)


def user(system: ClaudeDocker, filesystem: Filesystem) -> Entry:
    """Return the home folder, whose owner is Claude's user; raises kinds of `CannotTell`.

    In a home folder that was made by root for somebody else, it is whose Claude's folder is.
    """
    home = filesystem.look(filesystem.resolve(system.home))
    own = filesystem.look(system.config_dir)
    if home is None:
        raise NotThere(f"{system.home} is not there")
    return own if own is not None and home.uid == 0 and own.kind == "folder" else home


def is_the_users(system: ClaudeDocker, filesystem: Filesystem, path: str, entry: Entry) -> bool:
    """Tell whether a file may be dressed or written for the user.

    A link that the user laid may lead anywhere: what it leads to is the user's where it lies in a
    folder of the user's. Nobody should be told to write over what is not.

    Args:
        system: whose file it is.
        filesystem: of its host.
        path: of the file, as it was asked for.
        entry: what stands there, links followed.
    """
    here = filesystem.look(path)
    if here is None or here.kind != "link":
        return True
    above = filesystem.look(os.path.dirname(entry.path))
    return above is not None and above.uid == user(system, filesystem).uid


def folder(filesystem: Filesystem, path: str) -> tuple[Entry, ...]:
    """Return the entries of a folder; none where there is no such folder or we cannot tell."""
    try:
        return filesystem.folder(path, follow=True)
    except CannotTell:
        return ()
