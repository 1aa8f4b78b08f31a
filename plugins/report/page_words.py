"""Words of the page: text from anywhere as HTML, and moments as people tell them."""

from __future__ import annotations

from datetime import datetime
from html import escape

from plugins.text import printable

BRIEFLY = "a moment"
LONGEST = 4000  # characters of one sentence, line or word


def shown(text: str, limit: int = LONGEST) -> str:
    """Return text from anywhere as HTML that shows it: no tag, no quote, no control character."""
    return escape(printable(text, limit))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 run" or "1,200 runs"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def moment(text: str) -> str:
    """Return an ISO moment as people read it, to the minute; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
    except ValueError:
        return text


def ago(text: str, now: datetime) -> str:
    """Return how long an ISO moment is ago, such as "3 days"; "" where it is none.

    Args:
        text: the moment.
        now: what it is told against, with its offset from UTC.
    """
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return ""
    seconds = (now - (then if then.tzinfo else then.astimezone())).total_seconds()
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(int(seconds // size), noun)
    return BRIEFLY


def took(seconds: float) -> str:
    """Return a length of time, such as "84 ms" or "12.3 s"; "" for none."""
    if seconds <= 0:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
