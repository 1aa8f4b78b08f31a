"""What a line of a log says of itself: its level, and when it was written.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import datetime
import functools
import re

LOOKED_AT = 1 << 16  # bytes of a line that a pattern sees: it must not crawl over a MiB
LEVELS = {
    **dict.fromkeys(("err", "eror", "error"), "error"),
    **dict.fromkeys(("wrn", "warn", "warning"), "warn"),
    **dict.fromkeys(("inf", "info", "information", "notice"), "info"),
    **dict.fromkeys(("dbg", "debug", "dbug"), "debug"),
    **dict.fromkeys(("trc", "trace", "vrb", "verbose"), "trace"),
    **dict.fromkeys(("ftl", "fatal", "crit", "critical", "emerg", "alert"), "fatal"),
    "panic": "panic",
}
_FIELD = re.compile(rb'"(?:level|lvl|severity)"\s*:\s*"([A-Za-z]{1,12})"')
_WORD = re.compile(
    rb"^(panic|fatal)(?: error)?: |\[(TRC|DBG|INF|WRN|ERR|FTL|VRB)\]|\blevel=\"?([A-Za-z]{1,12})"
    rb"|^(?:\S{20,35} )?(?:\x1b\[[\d;]*m)*\d\d:\d\d:\d\d\.\d{3}(?:\x1b\[[\d;]*m)* "
    rb"(?:\x1b\[[\d;]*m)*(TRC|DBG|INF|WRN|ERR|FTL)\b"
    rb"|\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC)\b"
)
_STAMP = rb"(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?"
_STAMP += rb"(?:\s?(Z|[+-]\d\d:?\d\d)(?!\w))?"
_BARE = re.compile(_STAMP)
_KEYED = re.compile(
    rb'"(?:time|timestamp|ts|@t|datetime)"\s*:\s*(?:"[^"0-9]{0,8}' + _STAMP + rb"|(\d{10,13})\b)"
)


def level_of(line: bytes) -> str:
    """Return the line's level in its short lower-case form, "" when it names none."""
    if line.startswith(b"{"):
        found = _FIELD.search(line, 0, LOOKED_AT)
    else:
        found = _WORD.search(line, 0, 200)
    if found is None:
        return ""
    word = found[found.lastindex or 0].decode().lower()
    return LEVELS.get(word, word)


def time_of(line: bytes, zone: bytes = b"") -> float | None:
    """Return when the line says it was written, as seconds since 1970; None when it does not.

    A time without a zone is of the zone that is given, else this host's local time.
    """
    if line.startswith(b"{"):
        found = _KEYED.search(line, 0, LOOKED_AT)
        if found is not None and found[5]:
            return int(found[5]) / (1000 if len(found[5]) > 11 else 1)
    else:
        found = _BARE.search(line, 0, 64)
    if found is None:
        return None
    begun = minute(found[1], found[4] or zone)
    if begun is None:
        return None
    return begun + int(found[2]) + float(b"0." + (found[3] or b"0"))


@functools.lru_cache(4096)
def minute(text: bytes, zone: bytes) -> float | None:
    """Return when a minute such as 2026-03-04T05:06 began; None when there is no such minute."""
    ahead = None
    try:
        if zone == b"Z":
            ahead = datetime.UTC
        elif zone:
            minutes = (int(zone[1:3]) * 60 + int(zone[-2:])) * (-1 if zone[:1] == b"-" else 1)
            ahead = datetime.timezone(datetime.timedelta(minutes=minutes))
        numbers = [int(number) for number in re.findall(rb"\d+", text)]
        return datetime.datetime(*numbers, tzinfo=ahead).timestamp()  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None
