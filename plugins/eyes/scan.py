"""One pass over a log: complete lines only, memory flat, and nothing read twice between runs.

Standard library only, and other eyes; a far host's python3 runs this source.

Lines are not looked at one by one. Every match of a signature holds one of its fixed words: a block
is searched for all of these at once, and only the lines that hold one are held against patterns.

A record may span lines: one that begins with a blank or a closing bracket belongs to the line above
it, has that line's level, and shows a signature once, whichever of its lines do.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from plugins.eyes.stamps import LOOKED_AT, level_of, time_of
from plugins.eyes.tail import blocks, cursor_at, opened, resumed, unchanged

TIMES = 1000  # exact times kept a signature; older ones are counted by the hour
INNER = {b" ", b"\t", b"}", b"]", b")"}
_BACK = 200  # lines above one without a time that are looked at for theirs
_LARGE = 1 << 20  # bytes from which on it pays to make a search of all words ready

# Gives for a block the numbers of the words that it holds, each with a place within the word.
Search = Callable[[bytes], Iterable[tuple[int, int]]]
Finder = Callable[[tuple[bytes, ...]], Search]


def scan(
    path: str,
    rules: list[list[Any]],
    known: dict[str, Any],
    seconds: float,
    follow: bool,
    zone: str = "",
    finder: Finder | None = None,
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
        finder: makes a quick search for words, used where there is much to read.

    The answer holds "tallies" by key, "again" (the file started over), "read" (bytes) and
    "cursor".
    """
    descriptor, seen = opened(path, follow)
    try:
        begun = offset = resumed(descriptor, seen, known)
        large = seen.st_size - offset > _LARGE
        date = known.get("date") if offset else None
        reading = Reading(rules, date, zone.encode(), finder if large else None)
        reading.level = str(known.get("level", "")) if offset else ""
        ends = time.monotonic() + seconds
        done = unchanged(seen, known, offset)
        for block, _, end, _ in () if done else blocks(descriptor, offset, seen, ends):
            reading.take(block)
            offset = end
        unread = 0 if done or time.monotonic() < ends else seen.st_size - offset
        cursor = cursor_at(descriptor, seen, offset, unread)
        return {
            "tallies": reading.tallies(),
            "again": not begun,
            "read": offset - begun,
            "cursor": {**cursor, "date": reading.date, "level": reading.level},
        }
    finally:
        os.close(descriptor)


def _one_by_one(words: tuple[bytes, ...]) -> Search:
    """Search with what Python has: each word by itself."""

    def search(block: bytes) -> Iterator[tuple[int, int]]:
        for number, word in enumerate(words):
            place = block.find(word)
            while place >= 0:
                yield number, place
                place = block.find(word, place + 1)

    return search


class Reading:
    """What was met so far; complete lines go in by the block."""

    def __init__(
        self,
        rules: list[list[Any]],
        date: float | None,
        zone: bytes = b"",
        finder: Finder | None = None,
    ) -> None:
        self.date = date
        self.level = ""  # of the record that the last line belongs to
        self._head = b""  # its first line, empty where that was read by an earlier run
        self._record = -1  # where that stands
        self._told: dict[int, int] = {}  # a rule, and the record that it was last counted for
        self._taken = 0  # bytes of blocks before
        self._zone = zone
        self._tallies: dict[str, Any] = {}
        self._rules = [
            (
                key,
                re.compile(pattern.encode()),
                set(levels),
                {name: re.compile(inner) for name, inner in fields.items()},
            )
            for key, pattern, levels, fields, _ in rules
        ]
        owners: dict[bytes, list[int]] = {}
        for number, (*_, words) in enumerate(rules):
            for word in words:
                owners.setdefault(word.encode(), []).append(number)
        self._owners = list(owners.values())
        self._always = [number for number, (*_, words) in enumerate(rules) if not words]
        # A library may want at least one word.
        self._search = (finder if finder and owners else _one_by_one)(tuple(owners))

    def take(self, block: bytes) -> None:
        """Look at some complete lines."""
        done = -1
        for start, rules in sorted(self._candidates(block).items()):
            self._date(block, start, done)
            self._lead(block, start, done)
            done = start
            self._look(block, start, rules)
        last = block.rfind(b"\n", 0, len(block) - 1) + 1
        self._date(block, last, done)
        self._lead(block, last, done)
        self._taken += len(block)

    def _candidates(self, block: bytes) -> dict[int, set[int]]:
        """Return by the beginning of a line the rules that it may match."""
        found: dict[int, set[int]] = {}
        start = stop = 0
        for number, place in self._search(block):
            # Of a line with many words only the first one is worth a search for its ends.
            if not start <= place < stop:
                start = block.rfind(b"\n", 0, place) + 1
                stop = block.find(b"\n", place)
            found.setdefault(start, set()).update(self._owners[number])
        if self._always:
            start = 0
            while start < len(block):
                found.setdefault(start, set()).update(self._always)
                start = block.find(b"\n", start) + 1
        return found

    def _date(self, block: bytes, start: int, done: int) -> None:
        """Find the date of a line: its own, or that of the nearest line above it."""
        for _ in range(_BACK):
            if start <= done:
                return
            line = block[start : min(block.find(b"\n", start), start + LOOKED_AT)]
            at = time_of(line, self._zone)
            if at is not None:
                self.date = at
                return
            if not start:
                return
            start = block.rfind(b"\n", 0, start - 1) + 1

    def _lead(self, block: bytes, start: int, done: int) -> None:
        """Find the first line of the record that a line belongs to: that of the last one, or new.

        Lines up to the one at `done` were looked at before.
        """
        while start > done and block[start : start + 1] in INNER:
            start = block.rfind(b"\n", 0, start - 1) + 1 if start else -1
        if start > done:
            self._record = self._taken + start
            self._head = block[start : block.find(b"\n", start)][:LOOKED_AT]
            self.level = level_of(self._head)

    def _look(self, block: bytes, start: int, rules: set[int]) -> None:
        line = block[start : block.find(b"\n", start)]
        for number in sorted(rules):
            key, pattern, levels, fields = self._rules[number]
            # The record's level is that of its first line; what stands in an inner one is text.
            if (levels and self.level not in levels) or self._told.get(number) == self._record:
                continue
            if pattern.search(line, 0, LOOKED_AT) and _fits(line, fields):
                self._told[number] = self._record
                self._count(key, self._shown(block, start, line))

    def _shown(self, block: bytes, start: int, line: bytes) -> bytes:
        """Return the line within its record: behind the first one, or with those below it."""
        if line[:1] in INNER:
            return self._head[:600] + b" " + line.strip()
        end = start + len(line) + 1
        while len(line) < 600 and block[end : end + 1] in INNER:
            below = block[end : block.find(b"\n", end)]
            line += b" " + below.strip()
            end += len(below) + 1
        return line

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
