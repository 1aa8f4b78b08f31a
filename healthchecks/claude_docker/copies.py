"""Copies of Claude's configuration: its own, the backups', the staging folder's."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.claude_docker.documents import folder
from healthchecks.claude_docker.system import ClaudeDocker
from plugins.documents import Document, known
from plugins.endpoints.filesystem import Entry, Filesystem

_OWN = re.compile(r"\.claude\.json\.backup(?:\.(\d{1,16}))?")
_STAMP = re.compile(r"(?:pre-sync-)?(\d{8}-\d{6})")
# A person has hundreds of backups; the newest that is well is among the first.
_READ = 60


@dataclass(frozen=True)
class Copy:
    """A copy of a file of Claude's.

    Args:
        path: where it is.
        taken: when, in seconds since 1970.
    """

    path: str
    taken: float


def configuration_copies(system: ClaudeDocker, filesystem: Filesystem) -> list[Copy]:
    """Return where copies of the configuration stand, the newest first."""
    found = list(_own(system, filesystem))
    found += _backed_up(system, filesystem, "claude.json")
    found += _beside(filesystem, staged_configuration(system))
    return sorted(found, key=lambda copy: -copy.taken)


def staged_configuration(system: ClaudeDocker) -> str:
    """Return where the staging folder's configuration stands, "" where there is no such folder."""
    return os.path.join(system.state_dir, ".claude.json") if system.state_dir else ""


def settings_copies(system: ClaudeDocker, filesystem: Filesystem) -> list[Copy]:
    """Return where copies of settings.json stand, the newest first."""
    found = list(_backed_up(system, filesystem, os.path.join("claude", "settings.json")))
    found += _beside(filesystem, os.path.join(system.state_dir, "settings.json"))
    return sorted(found, key=lambda copy: -copy.taken)


def whole(filesystem: Filesystem, copies: list[Copy]) -> Iterator[Document]:
    """Yield the copies that can be read and are JSON objects with something in them."""
    for copy in copies[:_READ]:
        seen = known(filesystem, copy.path)
        if seen is not None and seen.value and seen.entry.path == copy.path:
            yield seen


def _own(system: ClaudeDocker, filesystem: Filesystem) -> Iterator[Copy]:
    for place in (os.path.join(system.config_dir, "backups"), os.path.dirname(system.config_file)):
        for entry in folder(filesystem, place):
            name = _OWN.fullmatch(entry.name)
            if name and entry.kind == "file":
                taken = int(name[1]) / 1000 if name[1] else entry.mtime
                yield Copy(entry.path, taken)


def _backed_up(system: ClaudeDocker, filesystem: Filesystem, inner: str) -> Iterator[Copy]:
    for entry in folder(filesystem, system.backup_root):
        name = _STAMP.fullmatch(entry.name)
        if name and entry.kind == "folder":
            yield Copy(os.path.join(entry.path, inner), _moment(name[1], entry))


def _beside(filesystem: Filesystem, path: str) -> Iterator[Copy]:
    entry = filesystem.look(path) if path else None
    if entry is not None:
        yield Copy(path, entry.mtime)


def _moment(stamp: str, entry: Entry) -> float:
    try:
        return time.mktime(time.strptime(stamp, "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return entry.mtime
