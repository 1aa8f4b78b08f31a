"""The memory servers that agents are configured with: mcp-server-qdrant, and what it is told.

DGMO's own files have them below `mcp`, with `environment`; files of the Claude kind below
`mcpServers`, with `env`. A server that runs in a container is told by `-e NAME=value`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from healthchecks.dgmo.configuration import mcp_entries
from healthchecks.dgmo.system import Dgmo
from plugins import CannotTell, printable
from plugins.documents import document, mapping
from plugins.endpoints.filesystem import Filesystem
from plugins.hands.qdrant_keys import pointer
from plugins.hosts import Host
from plugins.redaction import Secret

PORT = 6333  # what Qdrant's client takes where a URL names none
USUAL = f"http://localhost:{PORT}"  # what it takes where it is told nothing
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
_PROGRAM = "mcp-server-qdrant"
_KEY = "QDRANT_API_KEY"
_NAMES = ("QDRANT_URL", _KEY, "QDRANT_LOCAL_PATH", "COLLECTION_NAME", "EMBEDDING_MODEL")
_TOLD = re.compile(rf"(?:--env=|-e ?)?({'|'.join(_NAMES)})=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}|\{env:(\w+)\}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"})  # noqa: S104
# How it is shown, whether it is DGMO's own, what stands there, and where: path and keys.
_Row = tuple[str, bool, Any, tuple[str, ...]]


@dataclass(frozen=True)
class MemoryEntry:
    """One memory server as a configuration has it.

    Args:
        label: its name and file, fit to be shown.
        own: whether it stands in DGMO's own configuration.
        url: QDRANT_URL, "" where it is not set.
        key: QDRANT_API_KEY.
        key_place: where that stands, as `qdrant_keys` has it; "" where a step cannot read it there.
        local_path: QDRANT_LOCAL_PATH, "" where it is not set: memories lie in a folder then.
        collection: COLLECTION_NAME, "" where it is not set.
        model: EMBEDDING_MODEL, or the server's own default.
        unset: a variable that its configuration names and that is not set here.
    """

    label: str
    own: bool
    url: str = field(repr=False)
    key: Secret
    local_path: str
    collection: str
    model: str
    unset: str = ""
    key_place: str = ""

    @property
    def vector(self) -> str:
        """The name of the vector that it asks for."""
        return vector_of(self.model)


def vector_of(model: str) -> str:
    """Return the name that the memory server gives to the vectors of a model."""
    return f"fast-{model.rsplit('/', 1)[-1].lower()}"


def memory_entries(system: Dgmo, filesystem: Filesystem, commands: Host) -> tuple[MemoryEntry, ...]:
    """Return every memory server, DGMO's own first.

    Raises:
        CannotTell: DGMO's own configuration cannot be read.
    """
    variables = os.environ if commands.is_local else {}
    own = mcp_entries(system, filesystem)
    rows: list[_Row] = [(one.label, True, one.value, (one.path, "mcp", one.name)) for one in own]
    rows += _elsewhere(system, filesystem)
    found = (_entry(*row, variables) for row in rows)
    return tuple(one for one in found if one is not None)


def same_server(one: str, other: str) -> bool:
    """Tell whether two URLs lead to the same server, as far as they themselves tell."""
    return _server(one) == _server(other)


def with_port(url: str) -> str:
    """Return the URL with the port that Qdrant's own client would take."""
    try:
        parts = urlsplit(url)
        known = parts.port is not None or not parts.hostname
    except ValueError:
        return url
    return url if known else parts._replace(netloc=f"{parts.netloc}:{PORT}").geturl()


def _server(url: str) -> tuple[str, int] | str:
    try:
        parts = urlsplit(with_port(url))
        name = (parts.hostname or "").lower()
        return ("localhost" if name in _LOOPBACK else name, parts.port or PORT)
    except ValueError:
        return url


def _elsewhere(system: Dgmo, filesystem: Filesystem) -> Iterator[_Row]:
    """Yield what stands in files of the Claude kind that can be read."""
    settings = system.settings
    folders = (system.home, *settings.paths(settings.project_folders))
    desktop = os.path.join(system.home, ".config", "Claude", "claude_desktop_config.json")
    names = [os.path.join(folder, ".mcp.json") for folder in folders]
    for path in dict.fromkeys((os.path.join(system.home, ".claude.json"), desktop, *names)):
        try:
            found = document(filesystem, path)
        except CannotTell:
            continue  # other programs' files, which other checks look after
        if found is not None:
            for name, value in mapping(found.value, "mcpServers").items():
                label = f"{printable(name, 80)} ({printable(path)})"
                yield label, False, value, (path, "mcpServers", name)


def _entry(
    label: str, own: bool, value: Any, stands: tuple[str, ...], variables: Mapping[str, str]
) -> MemoryEntry | None:
    if not isinstance(value, dict) or value.get("enabled") is False or value.get("disabled"):
        return None
    words = _words(value)
    told = {one[1]: one[2] for one in map(_TOLD.fullmatch, words) if one}
    table_of_key = ""
    for key in ("environment", "env"):
        table = value.get(key)
        if isinstance(table, dict):
            told |= {name: text for name, text in table.items() if isinstance(text, str)}
            table_of_key = key if isinstance(table.get(_KEY), str) else table_of_key
    program = any(_PROGRAM in word for word in words)
    if not (program or "QDRANT_URL" in told or "QDRANT_LOCAL_PATH" in told):
        return None
    given = {name: _expanded(told.get(name, ""), variables) for name in _NAMES}
    return MemoryEntry(
        label=label,
        own=own,
        url=given["QDRANT_URL"][0].strip(),
        key=Secret(given[_KEY][0]),
        local_path=given["QDRANT_LOCAL_PATH"][0],
        collection=given["COLLECTION_NAME"][0],
        model=given["EMBEDDING_MODEL"][0] or DEFAULT_MODEL,
        unset=next((unset for _, unset in given.values() if unset), ""),
        key_place=_place(told.get(_KEY, ""), stands, table_of_key),
    )


def _place(text: str, stands: tuple[str, ...], table: str) -> str:
    """Return where an API key stands that an entry has as this text."""
    if variable := _VARIABLE.fullmatch(text):
        return "" if variable[2] else variable[1] or variable[3]
    path = stands[0]
    plain = table and path.endswith(".json") and not _VARIABLE.search(text)
    return pointer(*stands, table, _KEY) if plain else ""


def _words(value: Mapping[str, Any]) -> list[str]:
    command, args = value.get("command"), value.get("args")
    words = [command] if isinstance(command, str) else command if isinstance(command, list) else []
    more = args if isinstance(args, list) else []
    return [word for word in (*words, *more) if isinstance(word, str)]


def _expanded(text: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the text with variables in their places, and the first that is not set."""
    unset = ""

    def value(found: re.Match[str]) -> str:
        nonlocal unset
        name = found[1] or found[3]
        if name not in variables and found[2] is None:
            unset = unset or name
        return variables.get(name, found[2] or "")

    return _VARIABLE.sub(value, text), unset
