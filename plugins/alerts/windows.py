"""Windows in which nobody is told: each week on some days, or once between two dates.

A window is kept by the clock on the wall of its time zone. Where that clock is put forward or back
within it, the window is the longer of what its hours can mean.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from plugins.finding import Severity

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """A time of maintenance, or of sleep.

    Args:
        begins: when, as "22:00", "2026-12-24" or "2026-12-24T18:00".
        ends: when, in the same form; "06:00" after a later time is that of the next day, and a date
            is the end of its day.
        days: the days on which it begins, of `DAYS`; for times of day only.
        zone: name of the time zone, "" for that of this machine.
        severity: what is at least so severe is told all the same; None for nothing.
    """

    begins: str
    ends: str
    days: tuple[str, ...] = DAYS
    zone: str = ""
    severity: Severity | None = None

    def holds(self, now: datetime.datetime) -> bool:
        """Tell whether a moment, with its offset from UTC, is within it."""
        return any(begin <= now < end for begin, end in self._spans(now))

    def _spans(self, now: datetime.datetime) -> Iterator[tuple[datetime.datetime, ...]]:
        """Give the beginnings and ends, those near the moment, in UTC."""
        if ":" not in self.begins or "T" in self.begins:
            begin, end = moment_of(self.begins), moment_of(self.ends)
            yield self._earliest(begin), self._latest(end if "T" in self.ends else end + _DAY)
            return
        first, last = datetime.time.fromisoformat(self.begins), _time(self.ends)
        today = now.astimezone(zone_of(self.zone)).date()
        for day in (today - _DAY, today):
            if DAYS[day.weekday()] in self.days:
                end = datetime.datetime.combine(day, last) + (_DAY if last <= first else 0 * _DAY)
                yield self._earliest(datetime.datetime.combine(day, first)), self._latest(end)

    def _instants(self, wall: datetime.datetime) -> list[datetime.datetime]:
        """Return the moments at which the clock on the wall says so."""
        zone = zone_of(self.zone)
        both = [wall.replace(fold=fold) for fold in (0, 1)]
        aware = [one.replace(tzinfo=zone) if zone else one.astimezone() for one in both]
        return [one.astimezone(datetime.UTC) for one in aware]

    def _earliest(self, wall: datetime.datetime) -> datetime.datetime:
        return min(self._instants(wall))

    def _latest(self, wall: datetime.datetime) -> datetime.datetime:
        return max(self._instants(wall))


def _time(text: str) -> datetime.time:
    return datetime.time.fromisoformat(text)


def moment_of(text: str) -> datetime.datetime:
    """Return a date, or a date and a time of day; raises ValueError."""
    return datetime.datetime.fromisoformat(text)


def zone_of(name: str) -> datetime.tzinfo | None:
    """Return the time zone of a name, None for "".

    Raises:
        KeyError, ValueError, OSError: there is none of this name, or no database of them.
    """
    if not name:
        return None
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def is_told(windows: Iterable[Window], now: datetime.datetime, severity: Severity) -> bool:
    """Tell whether something so severe is told at this moment."""
    held = [window for window in windows if window.holds(now)]
    return all(one.severity is not None and severity >= one.severity for one in held)
