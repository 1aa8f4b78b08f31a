"""Asks logs by jq programs, as a process of its own: the order is JSON on standard input.

The programs come from a user's configuration and may never end, fill the memory or ask for other
files; a process can be ended and limited, a thread cannot. It starts with an empty environment,
opens the logs, and then takes the right to open anything else from itself: jq's `import` reads
files, and `$ENV` shows variables. It prints one JSON object: "entries" and "values", or "error".
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import resource
import stat
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

MOST_MEMORY = 1 << 30
MOST_TAKEN = 16 << 20  # bytes of JSON that the second program may be given
MOST_VALUES = 1000
LONGEST_TEXT = 5000  # of a text that is given back: a secret in it is recognised before a cut
NEWEST = 8 << 20  # where no span of time is asked for, so many bytes of each log are read
SEARCHED = 64 << 20  # in a log of more bytes the beginning of the span is searched for
PIECE = 1 << 20
_TIMES = ("timestamp", "time", "ts", "@timestamp", "@t", "datetime")
_LATEST = 1e20  # a number beyond it is no time, in whatever unit
_NEAR = 1000  # lines that are looked at for a time
_TIME = re.compile(rb'"(?:timestamp|time|ts)"\s*:\s*"([0-9T:Z .+-]{10,40})"')
# A field of a pretty-printed object, whose text may hold quotes that nobody escaped.
_FIELD = re.compile(rb'^\s*"([A-Za-z_]{1,64})"\s*:\s*(?:"(.*)"|(-?\d{1,15}))\s*(?:,\s*)?$')


def main() -> int:
    """Answer the order; return 1, with a sentence, when that cannot be done."""
    try:
        told = _answer(json.load(sys.stdin))
    except MemoryError:
        told = {"error": f"it needs more than {MOST_MEMORY >> 20} MiB of memory"}
    except RecursionError:
        told = {"error": "a value is nested too deep"}
    except ValueError as error:
        told = {"error": (str(error).splitlines() or [""])[0]}
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    return int("error" in told)


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    import jq  # type: ignore[import-not-found]
    import msgspec

    files = [_opened(path) for path in order["paths"]]
    time.localtime()  # the zone's file is read now or never
    _confine(order["seconds"])
    # jq writes its own JSON much faster than its values can be handed over.
    each = _compiled(jq.compile, order["each"] and f"({order['each']}\n) | tojson")
    program = _compiled(jq.compile, order["program"])
    decode = msgspec.json.Decoder().decode
    entries = Entries(decode, (msgspec.DecodeError, RecursionError), order)
    taken = _taken(entries, files, each)
    if program is None:
        return {"entries": entries.count, "values": list(map(json.loads, taken))}
    values = []
    for value in program.input_text(f"[{','.join(taken)}]"):
        values.append(_trimmed(value))
        if len(values) > MOST_VALUES:
            raise ValueError(f"it gives more than {MOST_VALUES} values")
    return {"entries": entries.count, "values": values}


def _opened(path: str) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise ValueError("a log is no regular file")
    return open(descriptor, "rb", PIECE)


def _confine(seconds: float) -> None:
    """Give up the right to open files, to write any, and to use more than is fair."""
    limits = [("RLIMIT_NOFILE", 0), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)]
    limits += [("RLIMIT_CPU", int(seconds) + 2), ("RLIMIT_AS", MOST_MEMORY)]
    for name, most in limits:
        # macOS knows the last and refuses it.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))


def _compiled(compile_: Callable[[str], Any], program: str) -> Any:
    try:
        return compile_(program) if program else None
    except ValueError as error:
        why = (str(error).splitlines() or [""])[0]
        raise ValueError(f"not a jq program: {why}") from None


def _taken(entries: Entries, files: list[BinaryIO], each: Any) -> list[str]:
    """Return what the first program makes of the entries, as JSON texts."""
    taken: list[str] = []
    size = 0
    for text in entries.pieces(files):
        for value in each.input_text("\n".join(text)) if each else text:
            taken.append(value)
            size += len(value)
            if size > MOST_TAKEN:
                raise ValueError(
                    f"what it takes is more than {MOST_TAKEN >> 20} MiB: let `each` take less of"
                    " each entry, or `having` fewer of them"
                )
    return taken


def _trimmed(value: Any) -> Any:
    """Return a value without the far end of long texts in it."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, list):
        return [_trimmed(item) for item in value[:MOST_VALUES]]
    if isinstance(value, dict):
        return {key: _trimmed(item) for key, item in value.items()}
    return value


class Entries:
    """The entries of logs: lines of JSON, or objects over many lines; garbage is passed over.

    Args:
        decode: raises one of `refusals` for what is no JSON.
        refusals: those.
        order: "since" (seconds since 1970, None for the newest bytes) and "having".
    """

    def __init__(
        self,
        decode: Callable[[bytes], Any],
        refusals: tuple[type[Exception], ...],
        order: dict[str, Any],
    ) -> None:
        self.count = 0
        self._decode = decode
        self._refusals = refusals
        self._since: float | None = order["since"]
        self._having = order["having"].encode()
        self._date: float | None = None

    def pieces(self, files: list[BinaryIO]) -> Iterator[list[str]]:
        """Yield the texts of about a MiB of entries at a time."""
        held: list[str] = []
        size = 0
        for file in files:
            self._date = None
            file.seek(self._begin(file))
            for text in self._entries(file):
                held.append(text)
                size += len(text)
                self.count += 1
                if size >= PIECE:
                    yield held
                    held, size = [], 0
        yield held

    def _begin(self, file: BinaryIO) -> int:
        """Return where the first line begins that may count."""
        size = os.fstat(file.fileno()).st_size
        if self._since is None:
            file.seek(max(0, size - NEWEST - 1))
            if size > NEWEST:
                file.readline(PIECE)
            return file.tell()
        if size <= SEARCHED:
            return 0
        early, late = 0, size
        while late - early > PIECE:
            middle = (early + late) // 2
            at = self._time_behind(file, middle, late)
            if at is not None and at < self._since:
                early = middle
            else:
                late = middle
        file.seek(early)
        if early:
            file.readline(PIECE)
        return file.tell()

    def _time_behind(self, file: BinaryIO, place: int, end: int) -> float | None:
        file.seek(place)
        file.readline(PIECE)
        for _ in range(_NEAR):
            line = file.readline(PIECE)
            told = _TIME.search(line)  # an object may stand over many lines
            row, sound = ({"time": told[1].decode()}, True) if told else self._value(line)
            at = time_of(row) if sound else None
            if at is not None or not line or file.tell() > end:
                return at
        return None

    def _value(self, line: bytes) -> tuple[Any, bool]:
        try:
            return self._decode(line), True
        except self._refusals:
            return None, False

    def _entries(self, file: BinaryIO) -> Iterator[str]:
        open_: list[bytes] = []  # the lines of an object that has begun
        size = 0
        while line := file.readline(PIECE):
            if self._having and not open_ and self._having not in line and line[-2:] == b"}\n":
                continue
            bare = line.strip()
            first = line[:1] == b"{"
            if bare and (first or not open_):
                row, sound = self._value(line)
                if sound:
                    open_ = []
                    if self._counts(row):
                        yield bare.decode("utf-8", "replace")
                    continue
            if first:
                open_, size = [line], 0
            elif open_:
                open_.append(line)
                size += len(line)
                if size > PIECE:
                    open_ = []
                elif line.rstrip() == b"}":
                    yield from self._closed(open_)
                    open_ = []

    def _closed(self, lines: list[bytes]) -> Iterator[str]:
        """Yield an object of many lines; of a broken one what can be read of its fields."""
        text = b"".join(lines)
        row, sound = self._value(text)
        if not sound:
            found = filter(None, map(_FIELD.match, lines))
            row = {
                m[1].decode(): int(m[3]) if m[3] else m[2].decode("utf-8", "replace") for m in found
            }
            text = json.dumps(row).encode()
        if row and self._having in text and self._counts(row):
            yield json.dumps(json.loads(text)) if sound else text.decode()

    def _counts(self, row: Any) -> bool:
        """Tell whether an entry is new enough; one without a time has that of the one before."""
        if self._since is None:
            return True
        at = time_of(row)
        self._date = self._date if at is None else at
        return self._date is None or self._date >= self._since


def time_of(row: Any) -> float | None:
    """Return when an entry says that it was written, in seconds since 1970; None when it does not.

    A number may be of seconds, milliseconds or less; a time without a zone is this host's own.
    """
    value = next((row[key] for key in _TIMES if row.get(key)), None) if type(row) is dict else None
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value.strip()).timestamp()
        except (ValueError, OverflowError):
            value = float(value) if re.fullmatch(r"\d{9,19}(\.\d{1,9})?", value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > _LATEST:
        return None
    while value > 1e11:
        value /= 1000
    return float(value)


if __name__ == "__main__":
    sys.exit(main())
