"""The MCP servers that Claude would start, from every place where it reads of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from healthchecks.claude_docker.documents import Server, servers
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import CannotTell, printable
from plugins.documents import document, known, mapping
from plugins.endpoints.filesystem import Filesystem
from plugins.mcp_servers import Stdio

_PROJECTS = 200  # of which .mcp.json is looked for
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_BY_URL = {"http", "sse", "ws", "streamable-http"}
_REMOTE = {"http", "sse", "ws", "streamable-http", "sdk", "sse-ide", "ws-ide"}


def stdio_servers(
    system: ClaudeDocker, filesystem: Filesystem, variables: Mapping[str, str]
) -> Iterator[Stdio]:
    """Yield each server that is a command; those that are reached over the network are not.

    Args:
        system: whose configuration.
        filesystem: the endpoint.
        variables: for `${NAME}` in a configuration.

    Raises:
        CannotTell: the configuration cannot be read.
    """
    found = document(filesystem, system.config_file)
    if found is None or found.trouble:
        return  # that it is broken is told elsewhere
    yield from _no_table(found.value, "mcpServers")
    for server in servers(found.value):
        project = server.scope[1] if server.scope[0] == "projects" else ""
        if not project or _is_folder(filesystem, project):
            where = f"project {printable(project, 120)}" if project else ".".join(server.scope)
            yield from _stdio(server, where, project or system.home, found.entry.uid, variables)
    projects = mapping(found.value, "projects")
    for path in [name for name in projects if name.startswith("/")][:_PROJECTS]:
        yield from _of_project(system, filesystem, path, mapping(projects, path), variables)


def _is_folder(filesystem: Filesystem, path: str) -> bool:
    try:
        found = filesystem.look(path) if path.startswith("/") else None
    except CannotTell:
        return False
    return found is not None and found.kind in {"folder", "link"}


def _of_project(
    system: ClaudeDocker,
    filesystem: Filesystem,
    path: str,
    said: Mapping[str, Any],
    variables: Mapping[str, str],
) -> Iterator[Stdio]:
    """Yield the servers of a project's .mcp.json that are not switched off."""
    if not _is_folder(filesystem, path):
        return
    file = os.path.join(path, ".mcp.json")
    found = document(filesystem, file)
    if found is None:
        return
    if found.trouble:
        yield Stdio(printable(file), found.trouble)
        return
    settings = [said]
    for place in (
        os.path.join(system.config_dir, "settings.json"),
        os.path.join(path, ".claude", "settings.local.json"),
    ):
        seen = known(filesystem, place)
        settings += [seen.value] if seen else []
    every = any(each.get("enableAllProjectMcpServers") is True for each in settings)
    yield from _no_table(found.value, f"mcpServers of {file}")
    for name, value in mapping(found.value, "mcpServers").items():
        if any(name in _names(each, "disabledMcpjsonServers") for each in settings):
            continue
        agreed = every or any(name in _names(each, "enabledMcpjsonServers") for each in settings)
        server = Server((file,), name, value)
        yield from _stdio(server, file, path, found.entry.uid, variables, agreed)


def _no_table(value: Mapping[str, Any], where: str) -> Iterator[Stdio]:
    """Yield a trouble where servers are no object: Claude then passes over all of them."""
    if not isinstance(value.get("mcpServers") or {}, dict):
        yield Stdio(printable(where), "what stands there is no object")


def _names(settings: Mapping[str, Any], key: str) -> list[Any]:
    value = settings.get(key)
    return value if isinstance(value, list) else []


def _stdio(
    server: Server,
    where: str,
    cwd: str,
    uid: int,
    variables: Mapping[str, str],
    approved: bool = True,
) -> Iterator[Stdio]:
    label = f"{printable(server.name, 80)} ({printable(where)})"
    value = server.value
    if not isinstance(value, dict):
        yield Stdio(label, "what stands there is no object")
        return
    kind = value.get("type")
    if isinstance(kind, str) and kind in _REMOTE:
        if not isinstance(value.get("url"), str) and kind in _BY_URL:
            yield Stdio(label, "it has no url")
        return
    if "url" in value and "command" not in value and server.scope != ("mcp", "servers"):
        yield Stdio(label, 'it has a url, but no "type": Claude then asks for a command')
        return
    command, args, env = value.get("command"), value.get("args", []), value.get("env", {})
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        yield Stdio(label, "it has no command")
    elif not isinstance(args, list) or not all(isinstance(word, str) for word in args):
        yield Stdio(label, "its args are no list of texts")
    elif not isinstance(env, dict) or not all(isinstance(word, str) for word in env.values()):
        yield Stdio(label, "its env is no object of texts")
    elif any("\0" in word for word in (*args, *env, *env.values())) or any("=" in n for n in env):
        yield Stdio(label, "its args or env hold what no program can be given")
    else:
        unset = _unset((command, *args, *env.values()), variables)
        argv = tuple(_expanded(word, variables) for word in (command, *args))
        laid = {name: _expanded(text, variables) for name, text in env.items()}
        yield Stdio(label, "", argv, laid, cwd, unset, approved, uid)


def _unset(texts: Iterable[str], variables: Mapping[str, str]) -> str:
    """Return the first variable that is named, not set, and has no default; "" for none."""
    for text in texts:
        for name, _ in _VARIABLE.findall(text):
            if name not in variables and f"${{{name}:-" not in text:
                return str(name)
    return ""


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: variables.get(found[1], found[2] or ""), text)
