"""For each conversation the longest valid file of all places, and the steps that bring it home."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from healthchecks.crash_protection.keys import ENDING
from healthchecks.crash_protection.recovering_places import Standing, Summary
from healthchecks.crash_protection.system import CrashProtection
from plugins.endpoints.filesystem import Filesystem
from plugins.hands import prefixes
from plugins.hosts import Host
from plugins.inquiries import Note
from plugins.outcomes import CannotTell
from plugins.steps import Chmod, Copy, Mkdir, Step
from plugins.steps.copying import TakeCopies, Taken
from plugins.text import printable

_AT_ONCE = 8  # copies of one step: its line is to be read by a person


@dataclass(frozen=True)
class Choice:
    """What is known of one conversation.

    Args:
        key: the name of its copies.
        winner: the longest valid file, the newest of several; None where none is valid.
        files: all that hold it.
        broken: those that are not valid, and longer than the winner.
        untold: those that could not be read, a sentence each.
    """

    key: str
    winner: Standing | None
    files: tuple[Standing, ...]
    broken: tuple[Standing, ...]
    untold: tuple[str, ...]


def choices(
    by_key: Mapping[str, Sequence[Standing]], told: Mapping[str, Summary | CannotTell]
) -> Iterator[Choice]:
    """Choose for each conversation."""
    for key, files in sorted(by_key.items()):
        winner: Standing | None = None
        broken, untold = [], []
        for one in files:
            said = told[one.path]
            if isinstance(said, CannotTell):
                untold.append(str(said))
            elif not said.valid:
                broken.append(one)
            elif winner is None or (one.size, one.mtime_ns) > (winner.size, winner.mtime_ns):
                winner = one
        least = winner.size if winner else -1
        longer = tuple(one for one in broken if one.size > least)
        yield Choice(key, winner, tuple(files), longer, tuple(untold))


def notes(choice: Choice) -> Iterator[Note]:
    """Tell what a person should know of a choice."""
    name = printable(choice.key, 80)
    if choice.winner is None and not choice.untold:
        places = ", ".join(printable(one.path) for one in choice.files[:3])
        yield Note(f"{name}: no file of it is valid, so nothing is copied; it stands in {places}")
    for one in choice.broken if choice.winner else ():
        path = printable(one.path)
        yield Note(f"{name}: {path} is longer, but holds a line that is no record; it is kept")
    for why in choice.untold:
        yield Note(f"{name}: {why}")


@dataclass(frozen=True)
class _Target:
    """A copy to bring to the winner: its path, and what stands there."""

    choice: Choice
    winner: Standing
    path: str
    there: Standing | None


class Homecoming:
    """The steps that bring folders of copies to the winners.

    Args:
        system: whose folders they are.
        filesystem, commands: of its host.
    """

    def __init__(self, system: CrashProtection, filesystem: Filesystem, commands: Host) -> None:
        self._system = system
        self._filesystem = filesystem
        self._commands = commands
        self._taken: set[str] = set()

    def folders(self, *wanted: str) -> Iterator[Mkdir]:
        """Yield the steps that make the folders which are not there."""
        for folder in (self._system.folder, *wanted):
            if not self._filesystem.exists(folder):
                yield Mkdir(folder)

    def steps(self, chosen: Iterable[Choice], folders: Sequence[str]) -> Iterator[Step]:
        """Yield the steps for all choices; what differs is copied beside before it is replaced."""
        targets = [
            _Target(choice, choice.winner, path, there.get(path))
            for choice in chosen
            if choice.winner is not None
            for there in [{one.path: one for one in choice.files}]
            for path in (f"{folder}/{choice.key}{ENDING}" for folder in folders)
            if path != choice.winner.path
        ]
        short: list[Taken] = []
        for target, same in zip(targets, self._same(targets), strict=True):
            there, winner = target.there, target.winner
            if same < 0:
                continue  # it cannot be read, as a note says
            if there is not None and same < there.size:
                yield from self.replaced(target.choice, winner, there)
            elif there is None or there.size < winner.size:
                start = -1 if there is None else there.size
                seen = there.identity if there else ""
                short.append(Taken(target.path, winner.path, winner.within, start, seen))
        for at in range(0, len(short), _AT_ONCE):
            yield TakeCopies(tuple(short[at : at + _AT_ONCE]))

    def _same(self, targets: Sequence[_Target]) -> list[int]:
        """Return of each target how many bytes it shares with the winner; -1 if nobody knows."""
        pairs = [
            [target.there.path, target.there.within, target.winner.path, target.winner.within, 0]
            for target in targets
            if target.there is not None
        ]
        told = self._commands.call(prefixes.compare, pairs, deadline=900.0)
        shared = iter([-1 if row["why"] else int(row["common"]) for row in told])
        return [0 if target.there is None else next(shared) for target in targets]

    def replaced(self, choice: Choice, winner: Standing, there: Standing) -> Iterator[Step]:
        """Put the winner in the place of a file that differs, which is kept beside."""
        yield from self.beside(choice, there)
        yield Copy(there.path, winner.path, seen=there.identity)
        entry = self._filesystem.look(winner.path)
        if entry is not None and entry.mode != 0o600:
            yield Chmod(there.path, 0o600)

    def beside(self, choice: Choice, there: Standing) -> Iterator[Step]:
        """Keep a file as a crash copy of its time, unless one with all that it holds is there."""
        folder = self._system.crash_recovery
        crash = [one for one in choice.files if one.place == "crash-recovery"]
        pairs = [[there.path, there.within, one.path, one.within, 0] for one in crash]
        for told in self._commands.call(prefixes.compare, pairs, deadline=900.0):
            if not told["why"] and told["common"] == told["sizes"][0]:
                return
        if not self._filesystem.exists(folder) and folder not in self._taken:
            self._taken.add(folder)
            yield from self.folders(folder)
        moment = min(max(there.mtime_ns // 10**9, 0), 2**32)
        while True:
            stamp = datetime.fromtimestamp(moment).strftime("%Y%m%d-%H%M%S")
            path = f"{folder}/{choice.key}_{stamp}{ENDING}"
            if path not in self._taken and not self._filesystem.exists(path):
                break
            moment += 1
        self._taken.add(path)
        yield TakeCopies((Taken(path, there.path, os.path.dirname(there.path)),))
