"""One pass over a log: complete lines only, memory flat, and nothing read twice between runs.

Standard library only, and other eyes; a far host's python3 runs this source.

The pass is fast because most lines of a log are alike. Each line is brought to its shape (digits,
a-f and a few marks taken out, at the speed of a memory copy), and what could be said of a line is
worked out once a shape. Taking the same letters out of a signature's fixed words leaves words that
stand in the shape of every line that the signature can match, so no match is lost; each candidate
is then looked at whole.

A record may span lines: one that begins with a blank or a closing bracket belongs to the line above
it, has that line's level, and shows a signature once, whichever of its lines do.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter, deque
from typing import Any

from plugins.eyes.stamps import LOOKED_AT, level_of, time_of
from plugins.eyes.tail import blocks, cursor_at, opened, resumed, unchanged, undecodable

TIMES = 1000  # exact times kept a signature; older ones are counted by the hour
NOISE = b"0123456789abcdef-_:."
ERRORS = {"error", "fatal", "panic"}
INNER = {b" ", b"\t", b"}", b"]", b")"}


def scan(
    path: str,
    rules: list[list[Any]],
    known: dict[str, Any],
    seconds: float,
    follow: bool,
    zone: str = "",
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
        zone: that of times which name none, such as "Z"; "" for this host's own.

    The answer holds "lines", "long", "undecodable", "levels" (counts), "newest" (seconds since 1970
    or None), "tallies" by key and by "level error" and "level warn", "again" (the file started
    over), "read" (bytes) and "cursor".
    """
    descriptor, seen = opened(path, follow)
    try:
        begun = offset = resumed(descriptor, seen, known)
        reading = Reading(rules, known.get("date") if offset else None, zone.encode())
        reading.level = str(known.get("level", "")) if offset else ""
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
            "cursor": {**cursor, "date": reading.date, "level": reading.level},
        }
    finally:
        os.close(descriptor)


class Reading:
    """What was met so far; lines go in by the block."""

    def __init__(self, rules: list[list[Any]], date: float | None, zone: bytes = b"") -> None:
        self.date = date
        self.level = ""  # of the record that the last line belongs to
        self._head = b""  # its first line, "" where that was read by an earlier run
        self._record = 0  # its number; () and below count as none
        self._told: dict[str, int] = {}
        self._zone = zone
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
                self._lead(lines, place, done)
                done = place
                self._look(lines[place], *self._sayings[numbers[place] or 0])
        self._date(lines, len(lines) - 1, max(done, len(lines) - 200))
        self._lead(lines, len(lines) - 1, done)
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
            # A line without a level may belong to a record that has one.
            if levels and level and level not in levels:
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
            at = time_of(line, self._zone)
            if at is not None:
                self.date = at
                self.found["newest"] = max(at, self.found["newest"] or at)
                return

    def _lead(self, lines: list[bytes], place: int, done: int) -> None:
        """Find the first line of the record that a line belongs to: that of the last one, or new.

        Lines up to `done` were looked at before.
        """
        at = place
        while at > done and lines[at][:1] in INNER:
            at -= 1
        if at > done:
            self._record = self.found["lines"] + at + 1
            self._head = lines[at]
            self.level = level_of(lines[at])

    def _look(self, line: bytes, level: str, rules: tuple[int, ...]) -> None:
        if level in ERRORS or level == "warn":
            self._count("level warn" if level == "warn" else "level error", line)
        inner = line[:1] in INNER
        level = level or (self.level if inner else "")
        for place in rules:
            key, pattern, levels, fields, _ = self._rules[place]
            if (levels and level not in levels) or self._told.get(key) == self._record:
                continue
            if pattern.search(line, 0, LOOKED_AT) and _fits(line, fields):
                self._told[key] = self._record
                self._count(key, self._head[:600] + b" " + line.strip() if inner else line)

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
