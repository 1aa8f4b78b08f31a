"""The backups of sessions: where they lie, when they were made, and what they hold.

Session backups are archives, `sessions_<date>.tar.gz`; project backups and copies that were made by
hand are folders. All of them are looked through for the files of sessions, wherever in them those
lie: the kit's own script takes folders that the program never writes to.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from healthchecks.dgmo.relations import INDEXES, INFO, MESSAGES, RECORDS
from healthchecks.dgmo.system import Dgmo, Store
from plugins.endpoints import history
from plugins.endpoints.errors import in_words
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.machine import Machine
from plugins.eyes import dated, holdings, marks
from plugins.hosts import Host
from plugins.outcomes import TimedOut
from plugins.run import Run
from plugins.text import printable

# The files that a backup must hold: [folder in the store, parts of a file's place in it, its JSON].
SHAPES = [
    [INFO, 1, "object"],
    [MESSAGES, 2, "object"],
    [RECORDS, 1, "object"],
    [INDEXES, 1, "list"],
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
        Backup(kind, one, _moment(kind, one, moment, latest))
        for (kind, one), moment in zip(rows, moments, strict=True)
    ]
    return tuple(sorted(made, key=lambda one: -one.moment))


def _moment(kind: str, entry: Entry, named: float | None, latest: float) -> float:
    """Return when a backup was made: by its name, but an archive is no younger than its file."""
    if named is None or named >= latest:
        return entry.mtime
    return min(named, entry.mtime) if kind == "archive" else named


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
        lacks: how many of them are not in it, or of another size.
        first: the path of one of them.
        denied: whether we may not read all of it.
    """

    fault: str
    held: int
    wanted: int
    lacks: int
    first: str
    denied: bool


def held(backup: Backup, root: str, commands: Host, run: Run, print_: str, seconds: float) -> Held:
    """Read a backup through, unless neither an archive nor the store changed since an earlier run.

    Args:
        backup: the backup.
        root: the store.
        commands: the host.
        run: knows where is remembered what was read.
        print_: of the store, "" where it is not known.
        seconds: after which the reading is given up.

    Raises:
        CannotTell: it takes too long.
    """
    folder, question = str(run.state / "cursors"), (commands.spec, "held whole", backup.path, root)
    with in_words(backup.path):
        state = [*commands.call(marks.marks, [backup.path], False), print_]
        told = history.recall(folder, question)
        if run.deep or backup.kind != "archive" or not print_ or told.get("state") != state:
            words = (backup.row, [root], SHAPES, seconds)
            told = commands.call(holdings.lacking, *words, deadline=seconds + 10)
            if not told["late"]:
                history.keep(folder, question, {**told, "state": state})
    if told["late"]:
        raise TimedOut(f"reading {printable(backup.path)}", round(seconds))
    first = (*told["lacks"], "")[0]
    return Held(told["fault"], told["held"], told["wanted"], told["total"], first, told["denied"])


def has_sessions(root: str, commands: Host) -> bool:
    """Tell whether a store has any file of a session."""
    with in_words(root):
        return commands.call(holdings.has_any, root, SHAPES, deadline=60.0)


def free_name(folder: str, stamp: str, store: Store, several: bool, taken: set[str]) -> str:
    """Return the path of a new archive of a store, which is added to those that are taken.

    Args:
        folder: that it is to lie in.
        stamp: the moment, as the names of archives have it.
        store: the store.
        several: whether others are archived too, so that its name must tell whose it is.
        taken: paths of archives that are about to be made.
    """
    mine = f"_{re.sub(r'[^A-Za-z0-9-]', '-', store.name)}" if several else ""
    ends = chain([""], (f"-{number}" for number in count(2)))
    paths = (os.path.join(folder, f"sessions_{stamp}{mine}{end}.tar.gz") for end in ends)
    path = next(path for path in paths if path not in taken)
    taken.add(path)
    return path
