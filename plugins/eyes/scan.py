"""One pass over a log: complete lines only, memory flat, and nothing read twice between runs.

Standard library only, and other eyes; a far host's python3 runs this source.

The pass is fast because most lines of a log are alike. Each line is brought to its shape (digits,
a-f and a few marks taken out, at the speed of a memory copy), and what could be said of a line is
worked out once a shape. Taking the same letters out of a signature's fixed words leaves words that
stand in the shape of every line that the signature can match, so no match is lost; each candidate
is then looked at whole.
"""

from __future__ import annotations

import datetime
import functools
import json
import os
import re
import time
from collections import Counter, deque
from typing import Any

from plugins.eyes.tail import blocks, cursor_at, opened, resumed, unchanged, undecodable

LOOKED_AT = 1 << 16  # bytes of a line that a pattern sees: it must not crawl over a MiB
TIMES = 1000  # exact times kept a signature; older ones are counted by the hour
NOISE = b"0123456789abcdef-_:."
LEVELS = {
    **dict.fromkeys(("err", "eror", "error"), "error"),
    **dict.fromkeys(("wrn", "warn", "warning"), "warn"),
    **dict.fromkeys(("inf", "info", "information", "notice"), "info"),
    **dict.fromkeys(("dbg", "debug", "dbug"), "debug"),
    **dict.fromkeys(("trc", "trace", "vrb", "verbose"), "trace"),
    **dict.fromkeys(("ftl", "fatal", "crit", "critical", "emerg", "alert"), "fatal"),
    "panic": "panic",
}
ERRORS = {"error", "fatal", "panic"}
_FIELD = re.compile(rb'"(?:level|lvl|severity)"\s*:\s*"([A-Za-z]{1,12})"')
_WORD = re.compile(
    rb"^(panic|fatal)(?: error)?: |\[(TRC|DBG|INF|WRN|ERR|FTL|VRB)\]|\blevel=\"?([A-Za-z]{1,12})"
    rb"|\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC)\b"
)
_STAMP = rb"(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?\s?(Z|[+-]\d\d:?\d\d)?"
_BARE = re.compile(_STAMP)
_KEYED = re.compile(
    rb'"(?:time|timestamp|ts|@t|datetime)"\s*:\s*(?:"[^"0-9]{0,8}' + _STAMP + rb"|(\d{10,13})\b)"
)


def scan(
    path: str, rules: list[list[Any]], known: dict[str, Any], seconds: float, follow: bool
) -> dict[str, Any]:
    """Read what is new in a log and tell what was met in it.

    Args:
        path: a regular file; anything else is EPROTOTYPE.
        rules: rows of key, pattern, levels (short form), patterns by field, and fixed words one of
            which stands in each line that matches (none given: every line is looked at).
        known: the cursor of the last call, {} at first; a file that was rotated, cut or rewritten
            starts over.
        seconds: wall time; where it ends too early, the cursor's "unread" is not 0.
        follow: whether a last symbolic link is followed.

    The answer holds "lines", "long", "undecodable", "levels" (counts), "newest" (seconds since 1970
    or None), "tallies" by key and by "level error" and "level warn", "again" (the file started
    over), "read" (bytes) and "cursor".
    """
    descriptor, seen = opened(path, follow)
    try:
        begun = offset = resumed(descriptor, seen, known)
        reading = Reading(rules, known.get("date") if offset else None)
        ends = time.monotonic() + seconds
        done = unchanged(seen, known, offset)
        for block, _, end, over in () if done else blocks(descriptor, offset, seen, ends):
            reading.take(block)
            reading.found["long"] += bool(over)
            offset = end
        unread = 0 if done or time.monotonic() < ends else seen.st_size - offset
        cursor = cursor_at(descriptor, seen, offset, unread)
        return {
            **reading.found,
            "tallies": reading.tallies(),
            "levels": dict(reading.levels),
            "again": not begun,
            "read": offset - begun,
            "cursor": {**cursor, "date": reading.date},
        }
    finally:
        os.close(descriptor)


class Reading:
    """What was met so far; lines go in by the block."""

    def __init__(self, rules: list[list[Any]], date: float | None) -> None:
        self.date = date
        self.levels: Counter[str] = Counter()
        self.found: dict[str, Any] = {"lines": 0, "long": 0, "undecodable": 0, "newest": date}
        self._tallies: dict[str, Any] = {}
        self._rules = [
            (
                key,
                re.compile(pattern.encode()),
                set(levels),
                {name: re.compile(inner) for name, inner in fields.items()},
                [word.encode().translate(None, NOISE) for word in words],
            )
            for key, pattern, levels, fields, words in rules
        ]
        # What can be said of a shape: its level, and the rules that may match it.
        self._sayings: list[tuple[str, tuple[int, ...]]] = []
        self._numbers: dict[tuple[str, tuple[int, ...]], int] = {}
        self._shapes: dict[bytes, int] = {}

    def take(self, block: bytes) -> None:
        """Look at some complete lines."""
        lines = block.split(b"\n")
        bare = block.translate(None, NOISE)
        shapes = bare.split(b"\n")
        lines.pop()
        shapes.pop()
        numbers = list(map(self._shapes.get, shapes))
        if None in numbers:
            possible = self._possible(bare)
            for place, shape in enumerate(shapes):
                if numbers[place] is None:
                    number = self._shapes.get(shape)
                    numbers[place] = (
                        self._learn(shape, lines[place], possible) if number is None else number
                    )
        telling = set()
        for number, count in Counter(numbers).items():
            level, rules = self._sayings[number or 0]
            self.levels[level or "none"] += count
            if rules or level in ERRORS or level == "warn":
                telling.add(number)
        done = -1
        if telling:
            for place in [at for at, number in enumerate(numbers) if number in telling]:
                self._date(lines, place, done)
                done = place
                self._look(lines[place], *self._sayings[numbers[place] or 0])
        self._date(lines, len(lines) - 1, max(done, len(lines) - 200))
        self.found["lines"] += len(lines)
        self.found["undecodable"] += undecodable(block)

    def _possible(self, bare: bytes) -> list[int]:
        """Return the rules that may match some line of a block: mostly none do."""
        return [
            place
            for place, (_, _, _, _, words) in enumerate(self._rules)
            if not words or any(word in bare for word in words)
        ]

    def _learn(self, shape: bytes, line: bytes, possible: list[int]) -> int:
        level = level_of(line)
        rules = []
        for place in possible:
            _, _, levels, _, words = self._rules[place]
            if levels and level not in levels:
                continue
            if not words or any(word in shape for word in words):
                rules.append(place)
        saying = (level, tuple(rules))
        number = self._numbers.setdefault(saying, len(self._sayings))
        if number == len(self._sayings):
            self._sayings.append(saying)
        # A log without two lines alike must not fill the memory.
        if len(self._shapes) > 20_000:
            self._shapes.clear()
        if len(shape) < 2000:
            self._shapes[shape] = number
        return number

    def _date(self, lines: list[bytes], place: int, done: int) -> None:
        """Find the date of a line: its own, or that of the nearest line before it."""
        for line in reversed(lines[max(0, done + 1) : place + 1]):
            at = time_of(line)
            if at is not None:
                self.date = at
                self.found["newest"] = max(at, self.found["newest"] or at)
                return

    def _look(self, line: bytes, level: str, rules: tuple[int, ...]) -> None:
        if level in ERRORS or level == "warn":
            self._count("level warn" if level == "warn" else "level error", line)
        for place in rules:
            key, pattern, _, fields, _ = self._rules[place]
            if pattern.search(line, 0, LOOKED_AT) and _fits(line, fields):
                self._count(key, line)

    def _count(self, key: str, line: bytes) -> None:
        tally = self._tallies.get(key)
        if tally is None:
            tally = {"times": [], "hours": {}, "undated": 0, "lines": deque(maxlen=3)}
            self._tallies[key] = tally
        at = self.date
        if at is None:
            tally["undated"] += 1
        else:
            times = tally["times"]
            times.append(at)
            if len(times) >= 20 * TIMES:
                shorten(tally)
        tally["lines"].append((at, line))

    def tallies(self) -> dict[str, Any]:
        """Return by key the exact newest times, older ones by the hour, and the last lines."""
        told = {}
        for key, tally in self._tallies.items():
            shorten(tally)
            lines = [
                [at, line[:1200].decode("utf-8", "surrogateescape")] for at, line in tally["lines"]
            ]
            told[key] = {**tally, "lines": lines}
        return told


def shorten(tally: dict[str, Any]) -> None:
    """Keep the newest exact times of a tally; count the others by the hour."""
    times = sorted(tally["times"])
    for hour, count in Counter(int(at // 3600) for at in times[:-TIMES]).items():
        tally["hours"][str(hour)] = tally["hours"].get(str(hour), 0) + count
    tally["times"] = times[-TIMES:]


def _fits(line: bytes, fields: dict[str, re.Pattern[str]]) -> bool:
    """Whether the line is a JSON object whose fields match their patterns."""
    if not fields:
        return True
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(row, dict):
        return False
    return all(pattern.search(str(row.get(name, ""))) for name, pattern in fields.items())


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


def time_of(line: bytes) -> float | None:
    """Return when the line says it was written, as seconds since 1970; None when it does not.

    A time without a zone is this host's local time.
    """
    if line.startswith(b"{"):
        found = _KEYED.search(line, 0, LOOKED_AT)
        if found is not None and found[5]:
            return int(found[5]) / (1000 if len(found[5]) > 11 else 1)
    else:
        found = _BARE.search(line, 0, 64)
    if found is None:
        return None
    begun = minute(found[1], found[4] or b"")
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
