"""The look at every store, which all probes of the sessions share."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from healthchecks.dgmo.relations import INDEXES, INFO, RECORDS
from healthchecks.dgmo.restoring import Restoration
from healthchecks.dgmo.store import FORM, WANTED, judged
from healthchecks.dgmo.system import Dgmo, Store
from plugins import Blocked, CannotTell, printable
from plugins.endpoints.json_folders import JsonFolders, Surveyed
from plugins.run import Run
from plugins.steps import Still

FOUND = "dgmo.the_session_store_is_found_and_readable"
READABLE = "dgmo.every_session_can_be_read"
PROGRAM = "DGMO"
WHOLE = 110.0  # the deadline of a probe that looks at the stores
_SECONDS = 50.0  # of one store; the next run goes on where its time was over
_MOST = 500


@dataclass(frozen=True)
class StoreFile:
    """A file or folder of a store that is not as it should be.

    Args:
        path: where it is.
        why: what is wrong, with the byte where there is one.
        seen: its identity, "" for a folder, and for what is not there.
        mode: its whole mode, kind and permissions.
        still: the step that refuses a cure while its store is being written.
        copy: the newest valid copy of it in a backup, where one was looked for and found.
    """

    path: str
    why: str
    seen: str
    mode: int
    still: Still
    copy: Restoration | None = None

    @property
    def regular(self) -> bool:
        """Whether it is a file, and no FIFO or folder of such a name."""
        return stat.S_ISREG(self.mode)

    def __str__(self) -> str:
        source = f"; {printable(self.copy.backup)} holds a valid copy" if self.copy else ""
        return f"{printable(self.path)}: {self.why}{source}"


@dataclass(frozen=True)
class StoreFiles:
    """Offenders of all stores.

    Args:
        files: the first of them.
        total: how many there are.
    """

    files: tuple[StoreFile, ...]
    total: int

    def sentence(self, what: str) -> str:
        """Return what to say of them, with the number when not all have a name here."""
        more = self.total > len(self.files)
        return f"{what} ({self.total}, of which these are the first)" if more else what


@dataclass(frozen=True)
class Look:
    """One store as it was looked at."""

    store: Store
    seen: Surveyed

    def path(self, below: str) -> str:
        """Return a path below the store's root as an absolute one."""
        return os.path.join(self.store.root, below)

    @property
    def still(self) -> Still:
        """The step that refuses a cure while the program writes this store."""
        return Still(self.store.root, PROGRAM, WANTED, self.seen.print)

    @property
    def size(self) -> int:
        """The bytes of all files of its sessions."""
        return int(self.seen.judged["bytes"])

    def rows(self, name: str) -> list[list[Any]]:
        """Return what the judge told under a name."""
        rows: list[list[Any]] = self.seen.judged[name]
        return rows

    def files(self, rows: Iterable[list[Any]]) -> tuple[StoreFile, ...]:
        """Return rows of [path, why, identity, mode] as files."""
        return tuple(
            StoreFile(self.path(path), why, identity, mode, self.still)
            for path, why, identity, mode, *_ in rows
        )

    def demand(self, *folders: str) -> None:
        """Raise what keeps a judgement of these folders (all for none) from being one.

        Raises:
            Blocked: one of them may not be looked into.
            CannotTell: something else stands in its place.
        """
        self.demand_open(*folders)
        for folder, what in self.seen.odd:
            if _within(folder, folders):
                raise CannotTell(f"{printable(self.path(folder))} {what}, and is not looked into")

    def demand_open(self, *folders: str) -> None:
        """Raise what keeps these folders (all for none) from being seen at all.

        Raises:
            Blocked: one of them may not be looked into.
        """
        for folder, why in self.seen.denied:
            if _within(folder, folders):
                raise Blocked(FOUND, f"{printable(self.path(folder))}: {why}")

    def demand_content(self, *folders: str) -> None:
        """Raise what keeps a judgement of what the files of these folders hold from being one.

        Raises:
            Blocked: one of them was not read, or a folder may not be looked into.
            CannotTell: as `demand`.
        """
        self.demand(*folders)
        for path, why, *_ in self.rows("unjudged"):
            if _within(path, folders):
                raise Blocked(READABLE, f"{printable(self.path(path))} {why}")

    def demand_relations(self) -> None:
        """Raise what keeps sessions, records and indexes from being compared."""
        self.demand_content(INFO, RECORDS, INDEXES)
        moving = [one for one in self.seen.moving if _within(one, (INFO, RECORDS, INDEXES))]
        if moving:
            raise CannotTell(
                f"{printable(self.path(moving[0]))} changed while it was looked at:"
                f" {PROGRAM} is writing it"
            )
        if not self.seen.judged["whole"]:
            raise Blocked(READABLE, "too many files are broken to compare the others")


def _within(folder: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or any(folder == one or folder.startswith(f"{one}/") for one in wanted)


def looks(system: Dgmo, json_folders: JsonFolders, run: Run) -> tuple[Look, ...]:
    """Look at every store.

    Raises:
        Blocked: there is none.
    """
    if not system.stores:
        raise Blocked(FOUND, "there is no session store")
    cursors = str(run.state / "cursors")
    return tuple(
        Look(
            one,
            json_folders.survey(
                one.root, WANTED, judged, form=FORM, cursor_folder=cursors, deadline=_SECONDS
            ),
        )
        for one in system.stores
    )


def gathered(some: Iterable[Look], name: str) -> StoreFiles:
    """Return the offenders of a name in all stores, each a row of the eye."""
    every = tuple(some)
    files = [file for one in every for file in one.files(one.rows(name)[:_MOST])]
    total = sum(one.seen.judged[f"{name}_total"] for one in every)
    return StoreFiles(tuple(files[:_MOST]), total)


def told(some: Iterable[Look], name: str) -> StoreFiles:
    """Return the offenders of a name in all stores, each a row of [path, what]."""
    every = tuple(some)
    rows = [(one, row) for one in every for row in one.rows(name)[:_MOST]]
    files = [StoreFile(one.path(row[0]), row[1], "", 0, one.still) for one, row in rows]
    total = sum(one.seen.judged[f"{name}_total"] for one in every)
    return StoreFiles(tuple(files[:_MOST]), total)


def sure(every: Iterable[Look], found: StoreFiles) -> StoreFiles:
    """Return offenders; where there are none, only if everything was looked into.

    Raises:
        Blocked, CannotTell: as `Look.demand`.
    """
    if not found.total:
        for one in every:
            one.demand()
    return found
