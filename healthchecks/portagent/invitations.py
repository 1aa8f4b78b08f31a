"""The invitation code of a day: the seconds since 1970 of one second after midnight, in a zone."""

from __future__ import annotations

import datetime
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> datetime.tzinfo | None:
    """Return a zone by its name as TZ has it, such as Asia/Tokyo or UTC; None for an unknown one.

    POSIX rules such as CST6CDT,M3.2.0,M11.1.0 are not known here.
    """
    name = name.removeprefix(":")
    if re.fullmatch(r"(?i)(?:utc|gmt|z|utc0|gmt0|)", name):
        return datetime.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def code_at(moment: float, zone: datetime.tzinfo) -> int:
    """Return the code that holds at a moment.

    Where a change of the clock leaves that second out, it is counted as before the change; where it
    comes twice, the first one counts: so does the server's own JavaScript.

    Args:
        moment: seconds since 1970.
        zone: the server's own.
    """
    day = datetime.datetime.fromtimestamp(moment, zone)
    second = day.replace(hour=0, minute=0, second=1, microsecond=0, fold=0)
    return int(second.timestamp())


def changes_after(moment: float, zone: datetime.tzinfo) -> float:
    """Return how many seconds after a moment the code changes: at the next local midnight."""
    today = datetime.datetime.fromtimestamp(moment, zone).date()
    low, high = moment, moment
    while datetime.datetime.fromtimestamp(high, zone).date() == today:
        high += 3600.0
    # The date may change in the middle of an hour: a clock may be set at midnight.
    while high - low > 0.5:
        middle = (low + high) / 2
        same = datetime.datetime.fromtimestamp(middle, zone).date() == today
        low, high = (middle, high) if same else (low, middle)
    return high - moment
