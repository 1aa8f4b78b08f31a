"""Whether Claude's configuration is whole, and whether it has broken before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from healthchecks.claude_docker.container_paths import spelled
from healthchecks.claude_docker.copies import (
    configuration_copies,
    settings_copies,
    staged_configuration,
    whole,
)
from healthchecks.claude_docker.documents import folder, is_the_users, servers
from healthchecks.claude_docker.probes_login import conversations
from healthchecks.claude_docker.running import running
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, printable, probe
from plugins.documents import Document, document, known
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.processes import Processes

WHOLE = "claude_docker.the_claude_configuration_is_whole"


@dataclass(frozen=True)
class Broken:
    """A file of Claude's that is gone or no JSON object.

    Args:
        path: where it is, links followed.
        trouble: what is wrong with it.
        seen: its identity, "" where nothing stands there.
        copy: the newest copy that is whole, "" where none is known.
        copy_seen: the identity of that copy.
        copy_mode: its permission bits.
        busy: the process of a Claude that runs with this configuration, 0 for none.
    """

    path: str
    trouble: str
    seen: str
    copy: str
    copy_seen: str
    copy_mode: int
    busy: int = 0

    def __str__(self) -> str:
        newest = f"the newest whole copy is {self.copy}" if self.copy else "no whole copy is known"
        said = f"{printable(self.path)}: {self.trouble}; {printable(newest)}"
        held = f"; Claude runs (process {self.busy}) and has a newer one in memory: end it first"
        return f"{said}{held if self.busy else ''}"


def _broken(path: str, found: Document | None, copy: Document | None, ours: bool) -> Broken:
    trouble = found.trouble if found else "it is not there"
    replaceable = ours and (found is None or found.entry.kind == "file")
    entry = copy.entry if copy is not None and replaceable else None
    return Broken(
        path=found.entry.path if found else path,
        trouble=trouble,
        seen=found.entry.identity if found else "",
        copy=entry.path if entry else "",
        copy_seen=entry.identity if entry else "",
        copy_mode=entry.mode if entry else 0,
    )


def _for_the_host(system: ClaudeDocker, copies: Iterator[Document]) -> Iterator[Document]:
    """Pass over the staging folder's copy where its paths are the container's."""
    for copy in copies:
        if copy.path != staged_configuration(system) or not any(
            system.settings.workspace in one.literal.value for one in spelled(copy)
        ):
            yield copy


@probe
def broken_configuration(
    system: ClaudeDocker, filesystem: Filesystem, processes: Processes
) -> tuple[Broken, ...]:
    """The configuration and the settings, where they are gone or broken."""
    found: list[Broken] = []
    main = document(filesystem, system.config_file)
    copies = configuration_copies(system, filesystem)
    if main is None and not (system.kit or copies or conversations(system, filesystem)):
        raise Absent(
            "a configuration: Claude writes it when it is first used", (system.config_file,)
        )
    if main is None or main.trouble:
        good = _for_the_host(system, whole(filesystem, copies))
        ours = main is None or is_the_users(system, filesystem, main.path, main.entry)
        lost_one = _broken(system.config_file, main, next(good, None), ours)
        found.append(replace(lost_one, busy=running(system, processes, filesystem)))
    path = os.path.join(system.config_dir, "settings.json")
    settings = document(filesystem, path)
    kept = settings_copies(system, filesystem)
    lost = settings is None and any(filesystem.exists(copy.path) for copy in kept[:1])
    if lost or (settings is not None and settings.trouble):
        ours = settings is None or is_the_users(system, filesystem, path, settings.entry)
        found.append(_broken(path, settings, next(whole(filesystem, kept), None), ours))
    return tuple(found)


@probe
def corrupted_copies(system: ClaudeDocker, filesystem: Filesystem) -> tuple[str, ...]:
    """The copies of a broken configuration that Claude put aside."""
    places = (os.path.join(system.config_dir, "backups"), os.path.dirname(system.config_file))
    found = {
        entry.path
        for place in dict.fromkeys(places)
        for entry in folder(filesystem, place)
        if entry.name.startswith(".claude.json.corrupted.")
    }
    return tuple(sorted(found))


@dataclass(frozen=True)
class Staged:
    """The configuration in the staging folder.

    Args:
        path: where it is.
        trouble: why it is no JSON object, "" where it is one.
    """

    path: str
    trouble: str


def staged_file(system: ClaudeDocker, filesystem: Filesystem) -> Entry:
    """Return the staging folder's configuration file; raises `Absent` where there is none."""
    path = staged_configuration(system)
    if not system.kit or not path:
        raise Absent("a staging folder", (system.state_dir,))
    entry = filesystem.look(path)
    if entry is None:
        raise Absent("a configuration in the staging folder", (path,))
    return entry


@probe
def staged(system: ClaudeDocker, filesystem: Filesystem) -> Staged:
    """What the staging folder would bring back to the host."""
    entry = staged_file(system, filesystem)
    seen = document(filesystem, entry.path)
    return Staged(entry.path, seen.trouble if seen else "it is a link that leads nowhere")


@probe
def servers_without_arguments(system: ClaudeDocker, filesystem: Filesystem) -> tuple[str, ...]:
    """The guide's MCP servers at which its path rewriting breaks off."""
    if not system.kit:
        raise Absent("the kit that rewrites paths", (system.state_dir, system.launcher))
    found: dict[str, None] = {}
    for path in (system.config_file, staged_configuration(system)):
        seen = known(filesystem, path) if path else None
        for server in servers(seen.value) if seen else ():
            arguments = server.value.get("args") if isinstance(server.value, dict) else None
            if server.scope == ("mcp", "servers") and not isinstance(arguments, list | dict):
                found[server.name] = None
    return tuple(found)
