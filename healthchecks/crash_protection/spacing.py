"""Which crash copies of a conversation are worth their room.

A crash copy is taken when a conversation has something that no crash copy has, and the newest is
older than `crash_spacing`. Of more than `crash_copies`, the newest and the oldest stay; of the rest
goes, one by one, the one whose neighbours are nearest to each other in age, as a ratio: what is
left lies minutes, hours and days back, however long a conversation goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

INSTANT = 60.0  # seconds: copies that all lie within these are of one moment


def due(stamps: Sequence[float], now: float, spacing: float) -> bool:
    """Tell whether the newest copy is old enough; a copy from the future does not count."""
    return now - max((stamp for stamp in stamps if stamp <= now + 2), default=0.0) >= spacing


def surplus(stamps: Sequence[float], now: float, most: int) -> list[int]:
    """Return the numbers of those that may go; the stamps are sorted, the newest last."""
    left = list(range(len(stamps)))
    gone = []
    while len(left) > max(most, 2):
        gaps = [
            (_age(stamps[left[i + 1]], now) / _age(stamps[left[i - 1]], now), -i)
            for i in range(1, len(left) - 1)
        ]
        _, place = max(gaps)
        gone.append(left.pop(-place))
    if most < 2 and len(left) > most:
        gone += left[: len(left) - max(most, 1)]
    return sorted(gone)


def _age(stamp: float, now: float) -> float:
    return max(0.0, now - stamp) + INSTANT


def of_one_moment(stamps: Sequence[float], most: int) -> bool:
    """Tell whether a whole set of copies shows nothing but one moment."""
    return len(stamps) >= max(most, 2) and max(stamps) - min(stamps) <= INSTANT
