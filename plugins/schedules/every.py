"""How often: intervals that cron lines, calendars and seconds can all say."""

from __future__ import annotations

import re
from dataclasses import dataclass

HOUR, MINUTE = 7, 30  # of the look a day; rarer than each hour, it is this minute of the hour too
_DAY, _WEEK = 24 * 60, 7 * 24 * 60
_UNITS = {"m": 1, "h": 60, "d": _DAY}
_SAYABLE = (
    *(minutes for minutes in range(1, 60) if 60 % minutes == 0),
    *(60 * hours for hours in range(1, 24) if 24 % hours == 0),
    *(_DAY, _WEEK),
)


@dataclass(frozen=True)
class Every:
    """An interval that divides an hour, a day or a week, so that its looks fall on fixed times.

    Args:
        minutes: its length.
    """

    minutes: int

    @classmethod
    def read(cls, text: str) -> Every:
        """Return the interval of `15m`, `1h`, `1d` or `7d`.

        Raises:
            ValueError: it is not written so, or cron could not keep it; the message says what to
                take instead.
        """
        found = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", text, re.ASCII)
        if not found:
            raise ValueError(f"{text!r} is no interval: write 15m, 1h or 1d")
        minutes = int(found[1]) * _UNITS[found[2]]
        if minutes not in _SAYABLE:
            less = max(each for each in _SAYABLE if each <= minutes)
            more = min((each for each in _SAYABLE if each >= minutes), default=less)
            near = " or ".join(dict.fromkeys((cls(less).short, cls(more).short)))
            raise ValueError(f"{text} divides no hour and no day evenly: take {near}")
        return cls(minutes)

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return self.minutes * 60

    @property
    def short(self) -> str:
        """As it is typed."""
        for letter in "dhm":
            if self.minutes % _UNITS[letter] == 0:
                return f"{self.minutes // _UNITS[letter]}{letter}"
        raise AssertionError(self.minutes)

    def __str__(self) -> str:
        """Say it in words."""
        words = {1: "every minute", 60: "every hour", _DAY: "once a day", _WEEK: "once a week"}
        many = f"{self.minutes} minutes" if self.minutes < 60 else f"{self.minutes // 60} hours"
        return words.get(self.minutes, f"every {many}")

    @property
    def cron(self) -> str:
        """The five fields of a cron line."""
        if self.minutes < 60:
            return "* * * * *" if self.minutes == 1 else f"*/{self.minutes} * * * *"
        if self.minutes < _DAY:
            step = "*" if self.minutes == 60 else f"*/{self.minutes // 60}"
            return f"{MINUTE} {step} * * *"
        return f"{MINUTE} {HOUR} * * {'1' if self.minutes == _WEEK else '*'}"

    @property
    def calendar(self) -> str:
        """The value of a timer's `OnCalendar=`."""
        if self.minutes < 60:
            return f"*-*-* *:00/{self.minutes}:00"
        if self.minutes < _DAY:
            return f"*-*-* 00/{self.minutes // 60}:{MINUTE}:00"
        monday = "Mon " if self.minutes == _WEEK else ""
        return f"{monday}*-*-* {HOUR:02d}:{MINUTE}:00"

    @property
    def launchd(self) -> dict[str, object]:
        """The keys of a launchd agent that say when."""
        if self.minutes < _DAY:
            return {"StartInterval": self.seconds}
        monday = {"Weekday": 1} if self.minutes == _WEEK else {}
        return {"StartCalendarInterval": {**monday, "Hour": HOUR, "Minute": MINUTE}}


DAILY = Every(_DAY)
