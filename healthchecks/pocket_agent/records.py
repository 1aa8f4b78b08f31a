"""The server's log, a line at a time: which lines are errors that matter, and what they are about.

Both dialects are read: `time` or `timestamp`, upper- or lower-case levels, and the plain text that
panics and Go's own http package write between the JSON lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

_FAULTS = frozenset({"ERROR", "FATAL", "PANIC"})
_NORMAL_CLOSE = re.compile(r"websocket: close (1000|1001|1005)\b")
# What a client did wrong and was told so; the server is well. Paths have a check of their own.
_OF_CLIENTS = re.compile(
    r"\b(VALIDATION_FAILED|INVALID_MESSAGE|INVALID_PATH|PROJECT_EXISTS|PROJECT_NESTING"
    r"|PROJECT_NOT_FOUND|PROCESS_ACTIVE|PROCESS_NOT_FOUND)\b"
)
# Port scanners, plain HTTP on the TLS port, and browsers that only open a page.
_NOISE = ("WebSocket upgrade error", "http: TLS handshake error", "TLS handshake error")
_FAILED_STARTS = (
    "Server error",
    "Failed to load configuration",
    "Failed to create server",
    "Failed to start server",
    "Failed to initialize",
)
_STARTS = "Starting Pocket Agent Server"
_STOPS = ("Received shutdown signal", "Starting graceful shutdown")
_PANIC = re.compile(r"panic: |fatal error: |goroutine \d+ \[running\]")


@dataclass(frozen=True)
class Record:
    """One line of the log.

    Args:
        when: seconds since 1970, None where the line does not say.
        level: upper-case; empty for plain text.
        message: its msg, or the whole line where it is plain text.
        error: its error, empty where it has none.
        fields: all that the line says, by name.
    """

    when: float | None
    level: str
    message: str
    error: str = ""
    fields: dict[str, object] = field(default_factory=dict, hash=False)

    @property
    def text(self) -> str:
        """Message and error in one line."""
        return f"{self.message}: {self.error}" if self.error else self.message

    @property
    def matters(self) -> bool:
        """Whether it is an error of the server itself."""
        if self.level not in _FAULTS or self.message.startswith(_NOISE):
            return False
        return not (_NORMAL_CLOSE.search(self.error) or _OF_CLIENTS.search(self.error))

    @property
    def panics(self) -> bool:
        """Whether it begins the text of a crash."""
        return not self.level and bool(_PANIC.match(self.message.lstrip()))

    @property
    def begins(self) -> bool:
        """Whether a server process says that it starts."""
        return self.message == _STARTS and self.level not in _FAULTS

    @property
    def stops(self) -> bool:
        """Whether a server process says that it was told to stop."""
        return self.message.startswith(_STOPS)

    @property
    def failed_start(self) -> bool:
        """Whether it is the last word of a server that gave up."""
        return self.level in _FAULTS and self.message.startswith(_FAILED_STARTS)


def tells_failed_start(line: str) -> bool:
    """Whether a line, whole or cut, is the last word of a server that gave up."""
    return any(f'"msg":"{words}' in line for words in _FAILED_STARTS)


def record(line: str) -> Record:
    """The record that a line holds; a line that is no JSON object is plain text."""
    try:
        said = json.loads(line) if line.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Record(None, "", line.strip())
    return Record(
        when=moment(said.get("time", said.get("timestamp"))),
        level=str(said.get("level", "")).upper(),
        message=str(said.get("msg", said.get("message", ""))),
        error=str(said.get("error", "")),
        fields=said,
    )


def moment(text: object) -> float | None:
    """Seconds since 1970 of an RFC 3339 time with any number of digits; None when it is none."""
    if not isinstance(text, str):
        return None
    found = re.fullmatch(r"(\S{10}[T ]\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?", text)
    if not found:
        return None
    try:
        whole = datetime.fromisoformat(found[1] + (found[3] or "").replace("Z", "+00:00"))
        return whole.timestamp() + float(found[2] or 0)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass
class _Attempts:
    """How often one path was refused, why last, and when last."""

    count: int = 0
    reason: str = ""
    when: float | None = None


@dataclass(frozen=True)
class RefusedPath:
    """A path that clients asked for and were refused; `when` is the last time of it."""

    path: str
    reason: str
    count: int
    when: float | None


class PathWatch:
    """Gathers refused paths: the refusal names a session, and an earlier line of it the path."""

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}
        self._refused: dict[tuple[str, str], _Attempts] = {}

    def see(self, seen: Record) -> None:
        """Takes one record in; memory is bounded by the number of sessions with a pending path."""
        session = str(seen.fields.get("session_id", ""))
        if seen.message == "Creating project":
            if len(self._asked) > 10_000:
                self._asked.clear()
            self._asked[session] = _path_of(seen.fields)
        reason = seen.error.partition("INVALID_PATH: ")[2] or _validation_failure(seen)
        if not reason:
            return
        path = _path_of(seen.fields) or self._asked.get(
            session, "a path that the log does not name"
        )
        if len(self._refused) >= 1000 and (path, reason) not in self._refused:
            path = "other paths"
        attempts = self._refused.setdefault((path, reason), _Attempts())
        attempts.count += 1
        attempts.when = seen.when or attempts.when

    def refused(self) -> tuple[RefusedPath, ...]:
        """Each path with its reason, the newest refusal first."""
        rows = (
            RefusedPath(path, reason.removeprefix("invalid path: "), seen.count, seen.when)
            for (path, reason), seen in self._refused.items()
        )
        return tuple(sorted(rows, key=lambda row: row.when or 0.0, reverse=True))


def _validation_failure(seen: Record) -> str:
    """The reason of a refusal in the guide's dialect, whose message itself speaks of the path."""
    text = seen.text.lower()
    spoken = "path traversal" in text or ("invalid" in text and "path" in text)
    return seen.text if spoken and seen.level in {"WARN", "WARNING", *_FAULTS} else ""


def _path_of(fields: dict[str, object]) -> str:
    """The path that a record names, in either dialect."""
    data = fields.get("data")
    inner = data.get("path") if isinstance(data, dict) else None
    named = fields.get("path", inner)
    return named if isinstance(named, str) else ""


def within(records: Iterable[Record], since: float) -> Iterable[Record]:
    """The records from a moment on; a line without a time belongs to the one before it."""
    inside = True
    for each in records:
        if each.when is not None:
            inside = each.when >= since
        if inside:
            yield each
