"""Dates that stand in names, by the host's own clock and time zone.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import time


def moments(texts: list[str], form: str) -> list[float | None]:
    """Give the seconds since 1970 of each local time, None for what is none.

    Args:
        texts: such as "20250118-143000".
        form: as of strptime, such as "%Y%m%d-%H%M%S".
    """
    return [_moment(text, form) for text in texts]


def _moment(text: str, form: str) -> float | None:
    try:
        return time.mktime(time.strptime(text, form))
    except (ValueError, OverflowError):
        return None


def stamped(form: str) -> str:
    """Give the present local time in a form of strftime."""
    return time.strftime(form)
