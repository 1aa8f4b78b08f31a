"""Where the room on file systems goes: what is free now, and what earlier runs saw."""

from __future__ import annotations

import time
from dataclasses import dataclass

from plugins import Absent, Measure, probe
from plugins.eyes import space
from plugins.hosts import Host
from plugins.run import Run
from plugins.systems import Uses

from .system import GIB, WatchedHost, every

_CHECK = "host.disks_have_room"  # its findings hold what was free
_WINDOW_DAYS = 14.0
_DAY_S = 86_400.0
_FOREVER_DAYS = 3650.0


@dataclass(frozen=True)
class Filling:
    """A file system that loses room.

    Args:
        left: days until nothing is free, at its present pace.
        free: GiB that are free now.
        pace: GiB that go in a day.
        days: the time over which it was seen to go.
        looks: how often it was looked at.
    """

    folder: str
    left: Measure
    free: float
    pace: float
    days: float
    looks: int

    @property
    def soon(self) -> bool:
        """Whether it is full within the days that are asked for."""
        return self.left.value < (self.left.limit or 0.0)

    def __str__(self) -> str:
        about = f"about {self.left.value:.0f} days" if self.left.value >= 1.5 else "about a day"
        return (
            f"{self.folder} fills up in {about}: {self.free:.3g} GiB are free, {self.pace:.2g} GiB "
            f"go in a day (seen over {self.days:.0f} days in {self.looks} looks)"
        )


@probe(deadline=20.0, every=3600.0)
def fillings(
    system: WatchedHost, watched: tuple[Uses, ...], commands: Host, run: Run
) -> tuple[Filling, ...]:
    """The file systems of watched folders that lose room from day to day."""
    from plugins.history.trend import LEAST_DAYS, trend

    wait = system.settings.mount_answer_s
    folders = list(every("folders", system, watched) or system.folders)
    rows = commands.call(space.rooms, folders, wait, deadline=wait + 5)
    now, before = time.time(), _before(run)
    free = {
        str(row["folder"]): int(str(row["free"])) / GIB
        for row in rows
        if row["state"] == "answered" and row["total"] and not row["image"]
    }
    looks = {folder: before.get(f"free on {folder}", ()) for folder in free}
    trends = {name: trend((*looks[name], (now, room))) for name, room in free.items()}
    if not any(trends.values()):
        first = min((rows[0][0] for rows in looks.values() if rows), default=now)
        most = max((len(rows) for rows in looks.values()), default=0)
        raise Absent(
            f"too little history to tell: {most} earlier looks over {(now - first) / _DAY_S:.1f} "
            f"days, and less than {LEAST_DAYS:g} days say nothing"
        )
    limit = system.settings.disk_fills_days
    return tuple(
        Filling(
            name,
            Measure(f"days until {name} is full", _days(free[name], seen.pace), "d", limit),
            *(free[name], -seen.pace, seen.days, seen.looks),
        )
        for name, seen in trends.items()
        if seen is not None and _days(free[name], seen.pace) < _FOREVER_DAYS
    )


def _days(free: float, pace: float) -> float:
    """Return for how many days so many GiB last; no more than ten years are told apart."""
    return round(min(free / -pace, _FOREVER_DAYS), 1) if pace < 0 else _FOREVER_DAYS


def _before(run: Run) -> dict[str, tuple[tuple[float, float], ...]]:
    from plugins.history.file import NoHistory
    from plugins.history.store import Store
    from plugins.history.subject import Subject, number

    kept_days = number(run, "history_days", 0)
    if kept_days <= 0:
        raise Absent("no history is kept ([suite] history_days is 0)")
    store = Store(run.state, kept_days, None)
    since = time.time() - _WINDOW_DAYS * _DAY_S
    try:
        return dict(store.measured(Subject.of(run), _CHECK, since))
    except NoHistory as why:
        raise Absent(f"the history cannot be read: {why}") from None
