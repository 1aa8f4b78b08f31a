"""MCP servers that Claude does not read, and paths of theirs that are the other side's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from healthchecks.claude_docker.container_paths import (
    Change,
    Misplaced,
    Spelled,
    changed,
    inward,
    spelled,
    words_for,
)
from healthchecks.claude_docker.copies import configuration_copies, whole
from healthchecks.claude_docker.documents import is_the_users, servers
from healthchecks.claude_docker.probes_configuration import WHOLE, staged_file
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, Blocked, probe
from plugins.documents import Document, document, known, mapping
from plugins.endpoints.filesystem import Filesystem
from plugins.steps import Word

_STAGED_WHOLE = "claude_docker.the_staged_configuration_is_whole"
_PROJECTS = 500
# More than any person configures; the rest is for the next run.
_WORDS = 1000


@dataclass(frozen=True)
class Paths:
    """What a configuration has of the other side's paths.

    Args:
        path: the file, links followed.
        mode: its permission bits.
        seen: its identity.
        wrong: the texts that have them.
        ours: whether the file may be changed; see `is_the_users`.
    """

    path: str
    mode: int
    seen: str
    wrong: tuple[Misplaced, ...]
    ours: bool

    @property
    def words(self) -> tuple[Word, ...]:
        """What is to be changed, as far as that is known."""
        if not self.ours:
            return ()
        return tuple(word for one in self.wrong for word in one.words)[:_WORDS]


def _paths(
    system: ClaudeDocker, filesystem: Filesystem, found: Document, wrong: Iterable[Misplaced]
) -> Paths:
    entry = found.entry
    ours = is_the_users(system, filesystem, found.path, entry)
    return Paths(entry.path, entry.mode, entry.identity, tuple(wrong), ours)


def _main(system: ClaudeDocker, filesystem: Filesystem) -> Document:
    found = document(filesystem, system.config_file)
    if found is None:
        raise Absent("a configuration", (system.config_file,))
    if found.trouble:
        raise Blocked(WHOLE, "the configuration is broken")
    return found


@probe
def unread_servers(system: ClaudeDocker, filesystem: Filesystem) -> tuple[str, ...]:
    """The MCP servers of the guide's place that stand in none which Claude reads."""
    found = _main(system, filesystem)
    all_servers = list(servers(found.value))
    guides = [one.name for one in all_servers if one.scope == ("mcp", "servers")]
    if not guides:
        raise Absent("an MCP server in the guide's place", (f"mcp.servers of {found.path}",))
    read = {one.name for one in all_servers if one.scope != ("mcp", "servers")}
    for project in list(mapping(found.value, "projects"))[:_PROJECTS]:
        if os.path.isabs(project):
            seen = known(filesystem, os.path.join(project, ".mcp.json"))
            read |= set(mapping(seen.value, "mcpServers")) if seen else set()
    return tuple(name for name in guides if name not in read)


@probe
def paths_of_the_host(system: ClaudeDocker, filesystem: Filesystem) -> tuple[Paths, ...]:
    """The paths of the host in the staging folder's configurations."""
    entry = staged_file(system, filesystem)
    found = document(filesystem, entry.path)
    if found is None or found.trouble:
        raise Blocked(_STAGED_WHOLE, "the configuration in the staging folder is broken")
    beside = known(filesystem, os.path.join(system.state_dir, ".mcp.json"))
    looked = [
        _paths(system, filesystem, one, _of_the_host(one, system.settings.workspace))
        for one in (found, beside)
        if one is not None
    ]
    return tuple(one for one in looked if one.wrong)


def _of_the_host(found: Document, workspace: str) -> Iterator[Misplaced]:
    taken = 0
    for one in spelled(found):
        text = one.literal.value
        changes = inward(text, workspace)
        if changes:
            paths = tuple(text[start:end] for start, end, _ in changes)
            words = words_for(found.text, one.literal, changes) if taken < _WORDS else ()
            taken += len(words)
            yield Misplaced(str(one), paths, words)


@probe
def paths_of_the_container(system: ClaudeDocker, filesystem: Filesystem) -> Paths:
    """The paths of the container in the host's own configuration."""
    found = _main(system, filesystem)
    workspace = system.settings.workspace
    below = re.compile(
        rf"(?<![A-Za-z0-9_./~}}-]){re.escape(workspace)}(?=[/:;,\s\"']|\Z)[^\s:;,\"']*"
    )
    leaked = [
        one
        for one in spelled(found)
        for path in below.findall(one.literal.value)[:1]
        if not filesystem.exists(path.rstrip("/") or "/")
    ]
    if not leaked:
        return _paths(system, filesystem, found, ())
    known_before = _originals(system, filesystem, leaked)
    wrong = [
        Misplaced(
            str(one),
            (workspace,),
            words_for(found.text, one.literal, known_before.get(one.key, []))
            if one.key in known_before
            else (),
        )
        for one in leaked[:_WORDS]
    ]
    return _paths(system, filesystem, found, wrong)


def _originals(
    system: ClaudeDocker, filesystem: Filesystem, leaked: list[Spelled]
) -> dict[tuple[str | int, ...], list[Change]]:
    """Return, by key, what turns a leaked text into what the newest copy had in its place."""
    workspace = system.settings.workspace
    wanted = {one.key: one.literal.value for one in leaked}
    found: dict[tuple[str | int, ...], list[Change]] = {}
    for copy in whole(filesystem, configuration_copies(system, filesystem)):
        for one in spelled(copy):
            text = one.literal.value
            missing = one.key in wanted and one.key not in found
            changes = inward(text, workspace) if missing else []
            if changes and changed(text, changes) == wanted[one.key]:
                found[one.key] = _back(text, changes)
        if len(found) == len(wanted):
            break
    return found


def _back(text: str, changes: list[Change]) -> list[Change]:
    """Return the changes that take changes of a text back."""
    shift = 0
    back = []
    for start, end, new in changes:
        back.append((start + shift, start + shift + len(new), text[start:end]))
        shift += len(new) - (end - start)
    return back
