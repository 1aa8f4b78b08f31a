"""Where a measure goes: its pace over days. One odd day, or one big copy, does not count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

DAY_S = 86_400.0
LEAST_DAYS = 3.0  # what was told of less would be told too early
_LEAST_POINTS = 4
_LATE_DAYS = 0.1  # a run a day does not come to the second
_ONCE = 0.75  # of a change, or more, came at one time: from one look to the next but one
_RECENT = 0.5  # of the time: what has stopped by then does not go on


@dataclass(frozen=True)
class Trend:
    """How a measure moved.

    Args:
        pace: by how much it changes in a day; the lesser of that of all the time and that of its
            second half, 0 where the two go different ways, or where nearly all came at one time.
        days: the time that was looked at.
        looks: how often it was measured.
    """

    pace: float
    days: float
    looks: int


def trend(points: Sequence[tuple[float, float]]) -> Trend | None:
    """Return the trend of points of (seconds since 1970, value), the present one last.

    None where they span too little time to tell.
    """
    if not points:
        return None
    days = (points[-1][0] - points[0][0]) / DAY_S
    daily = _daily(points)
    recent = [one for one in daily if one[0] >= points[-1][0] - _RECENT * days * DAY_S]
    if days < LEAST_DAYS - _LATE_DAYS or len(daily) < _LEAST_POINTS or len(recent) < 2:
        return None
    paces = (_pace(daily), _pace(recent))
    same = paces[0] * paces[1] > 0 and not _came_at_once(points)
    return Trend(min(paces, key=abs) if same else 0.0, days, len(points))


def _came_at_once(points: Sequence[tuple[float, float]]) -> bool:
    """Tell whether nearly all of a change is one step, such as one big copy that two looks saw."""
    values = [value for at, value in points if at <= points[-1][0]]
    # One odd look among others is a step there and back: the median of three looks has none.
    between = [median(three) for three in zip(values, values[1:], values[2:], strict=False)]
    smooth = [values[0], *between, values[-1]]
    whole = smooth[-1] - smooth[0]
    steps = (b - a for a, b in zip(smooth, smooth[2:], strict=False))
    return max((step * whole for step in steps), default=0.0) >= _ONCE * whole * whole


def _daily(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a point a day, counted back from the last: what goes up and down in it evens out."""
    end = points[-1][0]
    days: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for at, value in points[:-1]:
        if at < end:  # a clock that was ahead says nothing
            days[int((end - at) // DAY_S)].append((at, value))
    told = [(median(at for at, _ in day), median(v for _, v in day)) for day in days.values()]
    return [*sorted(told), points[-1]]


def _pace(points: Iterable[tuple[float, float]]) -> float:
    """Return the median of the slopes between any two points, for a day."""
    pairs = combinations(points, 2)
    return median((b - a) / (later - at) * DAY_S for (at, a), (later, b) in pairs if later > at)
