"""What a schedule of the checks leaves to be seen: systemd's units, and the marks of its runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from plugins import ToolMissing
from plugins.configuration import Configuration
from plugins.eyes import reading, space
from plugins.hosts import Host
from plugins.scheduled import Mark, folder, read
from plugins.schedules.job import VARIABLE

from .system import Settings, WatchedHost

_SHOWN = "Id,LoadState,ActiveState,ActiveEnterTimestamp,Environment,User"
_LOCAL = "local://"


@dataclass(frozen=True)
class Units:
    """A timer and its service, or a service that stays, as systemd shows them.

    Args:
        kind: "timer", or "service" for one that stays.
        name: the unit that is switched on and off.
        active: whether it is.
        since: since when, in seconds since 1970, 0 when that is not known.
        environment: the variables that the service is given, as systemd quotes them.
        user: whom the service runs as; "" for the user whose unit it is.
        tool: the command line up to its verb.
    """

    kind: str
    name: str
    active: bool
    since: float
    environment: str
    user: str
    tool: tuple[str, ...]

    def command(self, verb: str) -> tuple[str, ...]:
        """Return the command that starts or stops it."""
        return (*self.tool, verb, self.name)


def units(settings: Settings, commands: Host, named: list[str]) -> Iterator[Units]:
    """Yield the units of the checks, of the system and of the user.

    Args:
        settings: name the timer, "" for none.
        commands: asks systemd.
        named: further schedules, such as those that left a mark.
    """
    timer, tool = settings.schedule_timer, settings.systemctl
    if not timer or not tool:
        return
    stems = list(dict.fromkeys([timer.removesuffix(".timer"), *named]))
    names = [f"{stem}.{kind}" for stem in stems for kind in ("timer", "service")]
    for own in ((), ("--user",)):
        base = (tool, *own)
        argv = (*base, "show", "--no-pager", f"--property={_SHOWN}", "--", *names)
        try:
            ran = commands.run(argv, env={"TZ": "UTC"}, deadline=4.0)
        except ToolMissing:
            return
        rows = _rows(ran.text) if ran.status == 0 else {}
        found = [_one(stem, rows, base, own) for stem in stems]
        yield from (one for one in found if one)


def _one(
    stem: str, rows: dict[str, dict[str, str]], tool: tuple[str, ...], own: tuple[str, ...]
) -> Units | None:
    """Return a timer with its service, or a service that stays; None where neither is there."""
    kind, work = "timer", rows.get(f"{stem}.service", {})
    row = rows.get(f"{stem}.timer", {})
    environment = work.get("Environment", "")
    # A service without its timer may be anything; with a mark it is a watch that was printed.
    if row.get("LoadState") != "loaded" and f"{VARIABLE}=" in environment:
        kind, row = "service", work
    if row.get("LoadState") != "loaded":
        return None
    return Units(
        kind=kind,
        name=f"{stem}.{kind}",
        active=row.get("ActiveState") in {"active", "activating", "reloading"},
        since=_moment(row.get("ActiveEnterTimestamp", "")),
        environment=environment,
        user="" if own else work.get("User") or "root",
        tool=tool,
    )


def _rows(text: str) -> dict[str, dict[str, str]]:
    """Return name -> properties of the blocks that systemd shows, one for each unit."""
    rows = [
        dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        for block in text.split("\n\n")
    ]
    return {row.get("Id", ""): row for row in rows}


def _moment(text: str) -> float:
    """Return seconds since 1970 of `Thu 2026-01-08 12:00:00 UTC`, 0 for anything else."""
    found = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", text.strip())
    return datetime.fromisoformat(f"{found[1]}+00:00").timestamp() if found else 0.0


@dataclass(frozen=True)
class Marks:
    """The marks that scheduled runs of the user who looks left.

    Args:
        place: their folder, "" where it is not known (on a far host).
        commands: the host that they lie on.
    """

    place: str
    commands: Host

    @classmethod
    def of(cls, system: WatchedHost, commands: Host, configuration: Configuration) -> Marks:
        """Return those of a host."""
        place = system.schedule_marks
        if not place and system.settings.on == _LOCAL:
            place = os.fspath(folder(configuration))
        return cls(place, commands)

    def ours(self, mark: Mark | None) -> Mark | None:
        """Return a mark of ours, None where it would lie where we do not look."""
        return mark if self.place else None

    def of_user(self, mark: Mark | None, user: str) -> Mark | None:
        """Return the mark of a user's runs, None where they lie in another home than ours."""
        if mark is None or not user or not self.place:
            return self.ours(mark)
        rows = self.commands.call(reading.accounts, [user])
        home = str(rows[user][2]) if user in rows else ""
        return mark if home == self.commands.call(reading.home) else None

    def all(self) -> dict[str, Mark]:
        """Return every mark by its path."""
        if not self.place:
            return {}
        files = self.commands.call(space.within, [self.place], 100)
        rows = self.commands.call(reading.at, files, 1 << 16, False)
        marks = {path: read(str(row["text"])) for path, row in rows.items()}
        return {path: mark for path, mark in marks.items() if mark}

    def last(self, mark: Mark, now: float) -> float:
        """Return when a run of this schedule was last seen, 0 where none was."""
        same = [m for m in self.all().values() if (m.by, m.named) == (mark.by, mark.named)]
        return max((each.last(now) for each in same), default=0.0)
