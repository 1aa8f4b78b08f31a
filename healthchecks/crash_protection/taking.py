"""The steps that protect conversations: copies, crash copies, and room for these."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from healthchecks.crash_protection import spacing
from healthchecks.crash_protection.keys import ENDING
from healthchecks.crash_protection.places import Copy
from healthchecks.crash_protection.probes_copies_current import (
    Protection,
    Standing,
    fresh,
    realtime_path,
)
from healthchecks.crash_protection.system import CrashProtection
from plugins.steps import LetGo, Mkdir, Move, Quarantine, Step, TakeCopies, Taken, TakeOut, Write


class Taking:
    """Plans what protects conversations; it does nothing itself.

    Args:
        system: where copies stand.
        seen: how they stand.
    """

    def __init__(self, system: CrashProtection, seen: Protection) -> None:
        self._system = system
        self._seen = seen
        self._names = set(seen.names) | set(seen.odd)

    def copies(self, rows: Iterable[Standing], at_once: int = 0) -> Iterator[Step]:
        """Take the copies that these lack, and a crash copy of each that is due one.

        Args:
            rows: of any relation; what needs nothing gets nothing.
            at_once: copies in one step, which tells each that was not to be had; 0 for all in one.
        """
        chosen = [row for row in rows if row.relation != "unread"]
        here = [row for row in chosen if not row.conversation.container]
        taken = [one for row in here for one in self._taken(row)]
        # Each has a copy before any has a second one: the disk may get full.
        taken.sort(key=lambda one: os.path.dirname(one.path) == self._system.crash_recovery)
        outside = [step for row in chosen if row.conversation.container for step in self._out(row)]
        if not taken and not outside:
            return
        yield from self.folders()
        if self._seen.unmarked:
            name = self._system.settings.volume.encode() + b"\n"
            yield Write(self._seen.unmarked, name, 0o600)
            self._seen = replace(self._seen, unmarked="")
        paths = {one.path for one in taken}
        yield from (Quarantine(path) for path in sorted(paths & self._seen.odd.keys()))
        for first in range(0, len(taken), at_once or len(taken) or 1):
            yield TakeCopies(
                tuple(taken[first : first + at_once] if at_once else taken), telling=at_once > 0
            )
        yield from outside

    def folders(self) -> Iterator[Step]:
        """Make the folders of copies that are not there."""
        return (Mkdir(folder) for folder in self._seen.missing)

    def _taken(self, row: Standing) -> Iterator[Taken]:
        one = row.conversation
        path = realtime_path(self._system, one)
        if row.relation == "none":
            yield Taken(path, one.path, one.within)
        elif row.relation == "behind" and row.copy:
            yield Taken(path, one.path, one.within, row.copy.size, row.copy.identity)
        if self.is_due(row):
            yield Taken(self._crash_path(one.key), one.path, one.within)

    def _out(self, row: Standing) -> Iterator[Step]:
        one, due = row.conversation, self.is_due(row)
        where = (one.container, one.path, self._seen.engine, one.mtime_ns)
        path = realtime_path(self._system, one)
        if row.relation == "none":
            yield from (Quarantine(path) for _ in range(path in self._seen.odd))
            yield TakeOut(path, *where)
        elif row.relation == "behind" and row.copy:
            yield TakeOut(path, *where, row.copy.size, seen=row.copy.identity)
        if due and row.relation == "shorter":
            yield TakeOut(self._crash_path(one.key), *where)
        elif due:
            yield TakeCopies((Taken(self._crash_path(one.key), path, self._system.folder),))

    def is_due(self, row: Standing) -> bool:
        """Tell whether a crash copy is to be taken of a conversation now."""
        if not fresh(row):
            return False
        stamps = [copy.stamp or 0.0 for copy in row.crash]
        newest = row.crash[-1] if row.crash else None
        other = row.relation == "shorter" and newest and newest.size > row.conversation.size
        due = spacing.due(stamps, self._seen.now, self._system.settings.crash_spacing)
        return bool(other) or due

    def _crash_path(self, key: str, moment: float = 0.0) -> str:
        """Return a name that no crash copy has."""
        moment = moment or self._seen.now
        while True:
            stamp = datetime.fromtimestamp(moment).strftime("%Y%m%d-%H%M%S")
            path = f"{self._system.crash_recovery}/{key}_{stamp}{ENDING}"
            if path not in self._names:
                self._names.add(path)
                return path
            moment += 1.0

    def aside(self, row: Standing) -> Iterator[Step]:
        """Move a copy that is another conversation by now beside the crash copies."""
        if row.copy is not None:
            path = self._crash_path(row.conversation.key, row.copy.mtime_ns / 1e9)
            yield Move(row.copy.path, path, seen=row.copy.identity)

    def anew(self, rows: Iterable[Standing]) -> Iterator[Step]:
        """Take a new copy of conversations whose copy was moved aside."""
        here: list[Taken] = []
        for row in rows:
            one = row.conversation
            path = realtime_path(self._system, one)
            if one.container:
                where = (one.container, one.path, self._seen.engine, one.mtime_ns)
                yield TakeOut(path, *where)
            else:
                here.append(Taken(path, one.path, one.within))
        if here:
            yield TakeCopies(tuple(here))

    def room(self, row: Standing) -> Iterator[Step]:
        """Let go what there is too much of, and what has to make room for the next one."""
        settings = self._system.settings
        idle = {copy.path: (copy, longer) for copy, longer in row.idle}
        for copy in going(row, self.is_due(row), self._seen.now, settings.crash_copies):
            _, longer = idle[copy.path]
            yield LetGo(copy.path, longer, copy.size, seen=copy.identity)


def going(row: Standing, due: bool, now: float, most: int) -> list[Copy]:
    """Return the crash copies that may go, of those that hold nothing of their own."""
    idle = {copy.path for copy, _ in row.idle}
    anchors = {longer for _, longer in row.idle}
    chain = [copy for copy in row.crash if copy.path in idle or copy.path in anchors]
    stamps = [copy.stamp or 0.0 for copy in chain]
    if spacing.of_one_moment(stamps, most):
        return [copy for copy in chain[:-1] if copy.path in idle - anchors]
    if due:
        stamps = [*stamps, now]
    if len(stamps) <= most:
        return []
    gone = [number for number in spacing.surplus(stamps, now, most) if number < len(chain)]
    return [chain[number] for number in gone if chain[number].path in idle - anchors]


def crowding(row: Standing, now: float, most: int) -> str:
    """Return what is wrong with the crash copies of a conversation that has a copy, else ""."""
    many = len(row.crash)
    if not many:
        return f"{row.conversation}: no crash copy"
    if not going(row, False, now, most):
        return ""
    if spacing.of_one_moment([copy.stamp or 0.0 for copy in row.crash], most):
        return f"{row.conversation}: all {many} crash copies are of one minute"
    return f"{row.conversation}: {many} crash copies"
