"""Who may read the files in which Claude keeps its login."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.claude_docker.documents import folder, is_the_users, user
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import NotThere, WrongKind, printable, probe
from plugins.documents import known, mapping
from plugins.endpoints.filesystem import Entry, Filesystem

_OTHERS = 0o077
_SECRET = re.compile(r"(?i)key|token|secret|passw|credential|auth")


@dataclass(frozen=True)
class Exposed:
    """A file with secrets that others than its owner may use.

    Args:
        path: the file, links followed.
        mode: its permission bits.
        seen: its identity.
        ours: whether it may be changed; see `is_the_users`.
    """

    path: str
    mode: int
    seen: str
    ours: bool

    def __str__(self) -> str:
        return f"{printable(self.path)} has mode {self.mode:04o}; 0600 is the widest"


@dataclass(frozen=True)
class Foreign:
    """A file with secrets that is another user's.

    Args:
        path: the file, links followed.
        owner: its owner's name or number.
        user: the name or number of the home folder's owner.
        uid: the number of the home folder's owner.
        gid: the group of the home folder.
        seen: its identity.
        ours: whether it may be changed; see `is_the_users`.
    """

    path: str
    owner: str
    user: str
    uid: int
    gid: int
    seen: str
    ours: bool

    def __str__(self) -> str:
        return f"{printable(self.path)} belongs to {self.owner}, and the home folder to {self.user}"


def _places(system: ClaudeDocker, filesystem: Filesystem) -> Iterator[str]:
    yield system.config_file
    for top in (system.config_dir, system.state_dir):
        if not top:
            continue
        # A synchronisation back leaves the first of them beside Claude's own files.
        yield from (os.path.join(top, name) for name in (".claude.json", ".credentials.json"))
        for entry in folder(filesystem, os.path.join(top, "backups")):
            if entry.name.startswith(".claude.json."):
                yield entry.path
        for name in ("settings.json", "settings.local.json"):
            seen = known(filesystem, os.path.join(top, name))
            if seen and any(_SECRET.search(name) for name in mapping(seen.value, "env")):
                yield seen.path


def _files(system: ClaudeDocker, filesystem: Filesystem) -> list[tuple[Entry, bool]]:
    """Return the files that may hold secrets, links followed, and whether they are the user's."""
    found: dict[str, tuple[Entry, bool]] = {}
    for path in _places(system, filesystem):
        if filesystem.look(path) is None:
            continue
        try:
            entry = filesystem.look(filesystem.resolve(path))
        except (NotThere, WrongKind):  # a link that leads nowhere
            continue
        if entry is not None and entry.kind == "file":
            found[entry.path] = (entry, is_the_users(system, filesystem, path, entry))
    return list(found.values())


@probe
def open_secrets(system: ClaudeDocker, filesystem: Filesystem) -> tuple[Exposed, ...]:
    """The files with tokens that others than the owner may read or write."""
    return tuple(
        Exposed(entry.path, entry.mode, entry.identity, ours)
        for entry, ours in _files(system, filesystem)
        if entry.mode & _OTHERS
    )


@probe
def foreign_secrets(system: ClaudeDocker, filesystem: Filesystem) -> tuple[Foreign, ...]:
    """The files with tokens that are another user's than the home folder's."""
    home = user(system, filesystem)
    return tuple(
        Foreign(entry.path, entry.owner, home.owner, home.uid, home.gid, entry.identity, ours)
        for entry, ours in _files(system, filesystem)
        if entry.uid != home.uid
    )
