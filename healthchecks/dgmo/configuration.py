"""The configuration of DGMO: that of the program, and that of the guide.

The program reads a file of the user and those of projects, and runs without any of them; the guide
has files in the store's own `.opencode`, and one more beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from healthchecks.dgmo.folders import missing_above
from healthchecks.dgmo.system import Dgmo
from plugins import printable
from plugins.documents import Document, document, mapping
from plugins.endpoints.filesystem import Filesystem

# What the guide's own template says; the program's own defaults hold where it is told nothing.
LEAST = b"{}\n"
_GUIDES = {
    "config.json": b'{"agentMode": "all-tools", "experimental": {"mcp": true}}\n',
    "app.json": b'{"name": "dgmo"}\n',
}


@dataclass(frozen=True)
class Missing:
    """A configuration that should be there.

    Args:
        path: the file to write.
        content: the least that may stand there.
        folders: those that must be made first, the outermost first.
        blocked: whether something that is no file stands there, such as a link that dangles.
    """

    path: str
    content: bytes
    folders: tuple[str, ...]
    blocked: bool = False

    def __str__(self) -> str:
        return printable(self.path)


@dataclass(frozen=True)
class McpEntry:
    """An MCP server as a configuration has it.

    Args:
        name: its name.
        path: the file that it stands in.
        value: what stands there, of any kind; it may hold secrets.
        uid: the owner of the file.
    """

    name: str
    path: str
    value: Any = field(repr=False)
    uid: int

    @property
    def label(self) -> str:
        """Its name and its file, fit to be shown."""
        return f"{printable(self.name, 80)} ({printable(self.path)})"


def places(system: Dgmo) -> tuple[str, ...]:
    """Return every file that may hold configuration, there or not."""
    found = list(system.config_files)
    folders = [one.root for one in system.stores if one.kind == "workspace"]
    for folder in (*folders, *system.settings.paths(system.settings.project_folders)):
        found += [os.path.join(folder, ".opencode", name) for name in _GUIDES]
        found.append(os.path.join(folder, "opencode.json"))
    return tuple(dict.fromkeys(found))


def documents(system: Dgmo, filesystem: Filesystem) -> Iterator[Document]:
    """Yield each file that is there, broken or not; raises kinds of `CannotTell`."""
    for path in places(system):
        found = document(filesystem, path, comments=path.endswith(".jsonc"))
        if found is not None:
            yield found


def mcp_entries(system: Dgmo, filesystem: Filesystem) -> Iterator[McpEntry]:
    """Yield each MCP server of the files that can be read, those switched off left out."""
    for found in documents(system, filesystem):
        for name, value in mapping(found.value, "mcp").items():
            if not (isinstance(value, dict) and value.get("enabled") is False):
                yield McpEntry(name, found.path, value, found.entry.uid)


def missing(system: Dgmo, filesystem: Filesystem) -> Iterator[Missing]:
    """Yield what is not there of the generation that this host uses."""
    guides = [one.root for one in system.in_use if one.kind == "workspace"]
    there = [filesystem.exists(path) for path in system.config_files]
    if not guides and not any(there):
        yield _missing(filesystem, system.config_files[0], LEAST)
    for root in guides:
        for name, content in _GUIDES.items():
            path = os.path.join(root, ".opencode", name)
            if document(filesystem, path) is None:
                yield _missing(filesystem, path, content)


def _missing(filesystem: Filesystem, path: str, content: bytes) -> Missing:
    folders = missing_above(filesystem, path)
    return Missing(path, content, folders, filesystem.exists(path))
