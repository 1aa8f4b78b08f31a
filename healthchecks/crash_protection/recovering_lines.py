"""Conversations as lines that a person reads, and the dates that a person types."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from healthchecks.crash_protection.recovering_places import Standing, Summary
from plugins.arguments import Misgiven
from plugins.text import printable

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def moment(name: str, text: str, *, end: bool = False) -> datetime | None:
    """Return the time that a person typed, in the local zone unless it names one; None for "".

    Args:
        name: of the argument, for the message.
        text: 2026-11-20, or with a time 2026-11-20T14:05.
        end: whether a day alone means its end.

    Raises:
        Misgiven: it is no date.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text).astimezone()
        if end and _DAY.fullmatch(text):
            found += timedelta(days=1)
    except (ValueError, OverflowError, OSError):
        shown = printable(text, 40)
        raise Misgiven(
            f"{name}={shown} is no date such as 2026-11-20 or 2026-11-20T14:05"
        ) from None
    return found


def count(name: str, text: str) -> int:
    """Return the whole number that a person typed, at least 1; raises `Misgiven`."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Misgiven(f"{name}={printable(text, 40)} is no whole number from 1 on")
    return int(text)


def size(number: int) -> str:
    """Return bytes as a person reads them."""
    amount = float(number)
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def date(when: datetime) -> str:
    """Return a time in the local zone."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M")


def flat(text: str, limit: int) -> str:
    """Return the beginning of a text on one line."""
    words = " ".join(text[: limit * 4].split())
    return printable(words if len(words) <= limit else words[:limit] + "…", limit * 4)


def row(one: Standing, said: Summary, project: str) -> str:
    """Return a conversation as one line: date, size, messages, project, id, first prompt."""
    when = date(said.ended(one.mtime_ns))
    opening = flat(said.opening or said.title, 100) or "(no prompt)"
    many = "1 message" if said.messages == 1 else f"{said.messages} messages"
    key = printable(one.key, 200)
    return f"{when}  {size(one.size):>8}  {many:>13}  {project or '-'}  {key}  {opening}"


def project_of(files: list[Standing], said: Summary | None) -> str:
    """Return the project of a conversation: its folder at the origin, else where it worked."""
    told = next((one.project for one in files if one.project), "")
    return printable(told or (said.cwd if said else ""), 200)


def places_of(files: list[Standing]) -> str:
    """Return where a conversation stands, as "volume, realtime, crash-recovery (5)"."""
    counted: dict[str, int] = {}
    for one in files:
        counted[one.place] = counted.get(one.place, 0) + 1
    return ", ".join(f"{place} ({n})" if n > 1 else place for place, n in counted.items())
