"""JSON files of Claude's, read as strictly as Claude reads them; what they hold stays unsaid."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Never

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import CannotTell, NotThere, WrongKind
from plugins.endpoints.filesystem import Entry, Filesystem

# Claude keeps the history of every project in its configuration: that of years is still smaller.
LIMIT = 64 << 20


@dataclass(frozen=True)
class Document:
    """A JSON file that stands somewhere.

    Args:
        path: as it was asked for.
        entry: the file itself, links followed.
        trouble: why it is no JSON object, "" where it is one; nothing of its content.
        text: its bytes; b"" where it is no file.
        value: the object; {} where there is trouble.
    """

    path: str
    entry: Entry
    trouble: str
    text: bytes = field(default=b"", repr=False)
    value: dict[str, Any] = field(default_factory=dict, repr=False)


def document(filesystem: Filesystem, path: str) -> Document | None:
    """Read a JSON file, None where there is none; raises kinds of `CannotTell`."""
    if filesystem.look(path) is None:
        return None
    try:
        entry = filesystem.look(filesystem.resolve(path))
    except NotThere:
        entry = None
    except WrongKind:
        entry = filesystem.look(path)  # a link that leads in a circle
    if entry is None:  # a link that leads nowhere, or it went meanwhile
        return None
    if entry.kind != "file":
        return Document(path, entry, f"it is a {entry.kind}, no file")
    try:
        text = filesystem.read(entry.path, LIMIT)
    except NotThere:
        return None
    trouble, value = parsed(text)
    return Document(path, entry, trouble, text, value)


def known(filesystem: Filesystem, path: str) -> Document | None:
    """Read a JSON object; None where there is none or we cannot tell."""
    try:
        found = document(filesystem, path) if path else None
    except CannotTell:
        return None
    return None if found is None or found.trouble else found


def parsed(text: bytes) -> tuple[str, dict[str, Any]]:
    """Return (why it is no JSON object, the object); raises `CannotTell` for what we cannot read.

    JSON is what JSON.parse takes: NaN and Infinity are none of it.
    """
    if not text.strip():
        return ("it is empty (0 bytes)" if not text else "it holds nothing but blanks"), {}
    try:
        value = json.loads(text.decode("utf-8-sig"), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return f"it is not JSON: it breaks at line {error.lineno} column {error.colno}", {}
    except UnicodeDecodeError as error:
        return f"it is not UTF-8 at byte {error.start}", {}
    except RecursionError:
        raise CannotTell("a JSON file is nested too deeply for us") from None
    except ValueError as error:
        if "constant" in str(error):
            return "it is not JSON: a number is none", {}
        raise CannotTell("a number in a JSON file is too long for us") from None
    if not isinstance(value, dict):
        return f"it is JSON, but no object: {_KINDS.get(type(value), 'a number')}", {}
    return "", value


_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _no_constant(name: str) -> Never:
    raise ValueError(f"the constant {name}")


def mapping(value: object, *keys: str) -> dict[str, Any]:
    """Return the object below some keys; {} where anything else stands on the way."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


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
