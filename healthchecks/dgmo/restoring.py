"""Which backup holds a valid copy of a file of a store, and the steps that lay it there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from healthchecks.dgmo.backups import SHAPES, Backup
from healthchecks.dgmo.folders import missing_above
from plugins.endpoints.errors import in_words
from plugins.endpoints.filesystem import Filesystem
from plugins.eyes import absences, holdings
from plugins.hosts import Host
from plugins.outcomes import TimedOut
from plugins.steps import Copy, Mkdir, Step, TakeFrom

SECONDS = 60.0  # for looking through all backups


@dataclass(frozen=True)
class Restoration:
    """A valid copy of a file of a store.

    Args:
        path: the file that it belongs to.
        kind: of the backup, "archive" or "folder".
        backup: its path.
        name: of the copy in it.
        sha256: of its content.
    """

    path: str
    kind: str
    backup: str
    name: str
    sha256: str

    def step(self, seen: str = "") -> Step:
        """Return the step that lays it there.

        Args:
            seen: the identity of what stands there, "" where nothing does.
        """
        if self.kind == "archive":
            return TakeFrom(self.path, self.backup, self.name, self.sha256, seen=seen)
        return Copy(self.path, os.path.join(self.backup, self.name), seen=seen)


def newest_copies(
    root: str, paths: Sequence[str], backups: Sequence[Backup], commands: Host
) -> dict[str, Restoration]:
    """Return the newest valid copy of each of some files of a store, by path, where there is one.

    Where the time is too short for all backups, those that were read count.
    """
    wanted = [os.path.relpath(path, root) for path in paths]
    if not wanted:
        return {}
    rows, near = [one.row for one in backups], os.path.basename(root)
    words = (rows, wanted, SHAPES, near, SECONDS)
    with in_words(root):
        return _found(root, commands.call(holdings.copies, *words, deadline=SECONDS + 10))


@dataclass(frozen=True)
class Absences:
    """What a backup has and a store has not.

    Args:
        copies: of the files, by their path.
        unclear: backups that were passed over, as they may be of this store or of another.
    """

    copies: dict[str, Restoration]
    unclear: tuple[str, ...]


def absent_copies(
    root: str, others: Sequence[str], backups: Sequence[Backup], commands: Host, session: str = ""
) -> Absences:
    """Return what the newest whole backup of a store (or of one session) has and the store has not.

    Args:
        root: the store.
        others: all other stores of this host; what is theirs is not given to this one.
        backups: those to look through, the newest first.
        commands: the host.
        session: the id of a session, "" for all.

    Raises:
        TimedOut: the backups could not be read in time.
    """
    words = ([one.row for one in backups], [root, *others], session, SHAPES, SECONDS)
    with in_words(root):
        told = commands.call(absences.missing, *words, deadline=SECONDS + 10)
    if told["late"]:
        raise TimedOut(f"reading {len(backups)} backups", round(SECONDS))
    return Absences(_found(root, told), tuple(told["unclear"]))


def _found(root: str, told: dict[str, Any]) -> dict[str, Restoration]:
    found = {}
    for key, (kind, backup, name, sha256, _) in sorted(told["found"].items()):
        path = os.path.join(root, key)
        found[path] = Restoration(path, kind, backup, name, sha256)
    return found


def laid(copies: Iterable[Restoration], filesystem: Filesystem) -> Iterator[Step]:
    """Yield the steps that lay copies where nothing stands, folders before what goes into them."""
    made: set[str] = set()
    for one in copies:
        for folder in missing_above(filesystem, one.path):
            if folder not in made:
                made.add(folder)
                yield Mkdir(folder)
        yield one.step()
