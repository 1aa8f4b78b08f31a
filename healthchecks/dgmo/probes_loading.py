"""How long the newest sessions take to load, and which files are too large for it."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.dgmo.relations import INFO, MESSAGES
from healthchecks.dgmo.store import FOLDERS
from healthchecks.dgmo.store_looks import WHOLE, Look, looks
from healthchecks.dgmo.system import Dgmo
from plugins import Measure, printable, probe
from plugins.endpoints.errors import in_words
from plugins.endpoints.json_folders import LIMIT, JsonFolders
from plugins.eyes import loading
from plugins.hosts import Host
from plugins.run import Run

_MIB = 1 << 20


@dataclass(frozen=True)
class Loading:
    """What the newest sessions of all stores in use took to load.

    Args:
        taken: seconds for all of them, against the limit.
        slowest: (session, seconds, bytes) of those that took longest.
        big: files that are larger than the limit.
    """

    taken: Measure
    slowest: tuple[tuple[str, float, int], ...]
    big: tuple[str, ...]

    @property
    def evidence(self) -> tuple[str, ...]:
        """What makes loading slow, the worst first; empty when nothing does."""
        slow = [
            f"{printable(name)}: {seconds:.2f} s for {size / _MIB:.1f} MiB"
            for name, seconds, size in self.slowest
        ]
        return (*(slow if self.taken.value > (self.taken.limit or 0.0) else ()), *self.big)


@probe(deadline=WHOLE, every=600.0)
def session_loading(system: Dgmo, json_folders: JsonFolders, commands: Host, run: Run) -> Loading:
    """The newest sessions, read and parsed as the program does that shows them."""
    settings = system.settings
    groups: list[list[object]] = []
    big: list[str] = []
    used = [one for one in looks(system, json_folders, run) if one.store in system.in_use]
    for one in used:
        one.demand()
        groups += [_group(one, row[0]) for row in one.rows("newest")[: settings.load_sessions]]
        big += [
            f"{printable(one.path(path))}: {size / _MIB:.1f} MiB"
            for path, size in one.rows("big")
            if size > settings.file_mib * _MIB
        ]
    if not big:
        for one in used:
            one.demand_content(INFO, MESSAGES, FOLDERS)
    # Three times the limit says enough.
    seconds = 3 * settings.load_seconds
    with in_words("the newest sessions"):
        rows = commands.call(loading.load, groups, LIMIT, seconds, deadline=seconds + 30)
    rows.sort(key=lambda row: -row[1])
    taken = Measure(
        f"loading the {len(rows)} newest sessions",
        round(sum(row[1] for row in rows), 6),
        "s",
        settings.load_seconds,
    )
    return Loading(taken, tuple((a, b, c) for a, b, c in rows[:5]), tuple(big))


def _group(one: Look, session: str) -> list[object]:
    """What the program reads of a session: its own file and its messages."""
    names = (f"{INFO}/{session}.json", f"{MESSAGES}/{session}", f"{FOLDERS}/{session}")
    return [session, [one.path(name) for name in names]]
