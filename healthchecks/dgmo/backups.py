"""The backups of sessions: where they lie, when they were made, and what they hold.

Session backups are archives, `sessions_<date>.tar.gz`; project backups and copies that were made by
hand are folders. All of them are looked through for the files of sessions, wherever in them those
lie: the kit's own script takes folders that the program never writes to.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from healthchecks.dgmo.system import Dgmo
from plugins.endpoints.errors import in_words
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.machine import Machine
from plugins.eyes import dated, holdings
from plugins.hosts import Host
from plugins.outcomes import CannotTell

# The files that a backup must hold: [folder in the store, parts of a file's place in it, its JSON].
SHAPES = [
    ["storage/session/info", 1, "object"],
    ["storage/session/message", 2, "object"],
    ["storage/session/sub-sessions", 1, "object"],
    ["storage/session/sub-session-index", 1, "list"],
    ["sessions", 2, "any"],
]
ENDINGS = (".tar.gz", ".tgz")
STAMP = "%Y-%m-%d_%H-%M-%S"
_DATE = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)[_-](\d\d)-?(\d\d)-?(\d\d)")
_FUTURE = 3600.0  # seconds: a name that is dated later than so is not believed


@dataclass(frozen=True)
class Backup:
    """One backup.

    Args:
        kind: "archive" or "folder".
        entry: the file or folder.
        moment: when it was made, in seconds since 1970: by its name, else by its last change.
    """

    kind: str
    entry: Entry
    moment: float

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.entry.path

    @property
    def row(self) -> list[Any]:
        """What the eye takes."""
        return [self.kind, self.path, self.moment]


def folders(system: Dgmo) -> tuple[str, ...]:
    """Return the folders that hold backups, there or not."""
    return system.settings.paths(system.settings.session_backups)


def backups(
    system: Dgmo, filesystem: Filesystem, commands: Host, machine: Machine
) -> tuple[Backup, ...]:
    """Return every backup, the newest first; raises kinds of `CannotTell`."""
    entries: list[Entry] = []
    for folder in folders(system):
        there = filesystem.look(folder)
        if there is not None:
            entries += filesystem.folder(folder, follow=True)
    rows = [(_kind(one), one) for one in entries]
    rows = [(kind, one) for kind, one in rows if kind]
    found = [_DATE.search(one.name) for _, one in rows]
    texts = ["".join(date.groups()) if date else "" for date in found]
    moments = commands.call(dated.moments, texts, "%Y%m%d%H%M%S")
    latest = machine.now() + _FUTURE
    made = [
        Backup(kind, one, moment if moment is not None and moment < latest else one.mtime)
        for (kind, one), moment in zip(rows, moments, strict=True)
    ]
    return tuple(sorted(made, key=lambda one: -one.moment))


def _kind(entry: Entry) -> str:
    if entry.kind == "file" and entry.name.endswith(ENDINGS):
        return "archive"
    return "folder" if entry.kind == "folder" and not entry.name.startswith(".") else ""


@dataclass(frozen=True)
class Held:
    """What a backup has of a store.

    Args:
        fault: why it does not read to its end, "" where it does.
        held: files of sessions that it has, of whatever store.
        wanted: files that the store had when it was made, and still has.
        lacks: how many of them are not in it.
        first: the path of one of them.
    """

    fault: str
    held: int
    wanted: int
    lacks: int
    first: str


def held(backup: Backup, root: str, commands: Host, seconds: float) -> Held:
    """Read a backup through; raises `CannotTell` where it takes too long."""
    with in_words(backup.path):
        told = commands.call(
            holdings.lacking, backup.row, [root], SHAPES, seconds, deadline=seconds + 10
        )
    if told["late"]:
        raise CannotTell(f"{backup.path} could not be read to its end within {seconds:.0f} s")
    first = (*told["lacks"], "")[0]
    return Held(told["fault"], told["held"], told["wanted"], told["total"], first)


def sessions_in(root: str, commands: Host) -> int:
    """Return how many files of sessions a store has."""
    with in_words(root):
        return commands.call(holdings.standing, root, SHAPES, deadline=60.0)


def free_name(folder: str, stamp: str, root: str, several: bool) -> str:
    """Return the path of a new archive of a store."""
    more = f"_{re.sub(r'[^A-Za-z0-9-]', '-', os.path.basename(root))}" if several else ""
    return os.path.join(folder, f"sessions_{stamp}{more}.tar.gz")
