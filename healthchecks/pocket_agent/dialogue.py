"""What is said over the one connection of a run, and what it tells; both dialects are spoken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from plugins import CannotTell
from plugins.endpoints.line import Frame, Line

_SAMPLES = 3  # busy seconds in a row that make a busy machine
_SHORTAGES = frozenset({"warning", "degraded"})


@dataclass(frozen=True)
class Health:
    """The server's own word on its health.

    Args:
        dialect: "health_check" (the real server's) or "health" (the guide's); "" without an answer.
        status: healthy, unhealthy, degraded.
        complaints: each part that does not work, with what it says.
        warnings: each part that works and runs short, with what it says.
        silence: why there is no answer; empty when there is one.
    """

    dialect: str = ""
    status: str = ""
    complaints: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    silence: str = ""

    @property
    def well(self) -> bool:
        """Whether the server and all its parts work: a mere warning makes it say "unhealthy"."""
        return not self.complaints and (self.status == "healthy" or bool(self.warnings))

    @property
    def only_busy(self) -> bool:
        """Whether a busy second of the machine is all that it tells of; it may have been ours."""
        busy = [warning for warning in self.warnings if warning.startswith("cpu ")]
        return bool(busy) and len(busy) == len(self.warnings) and not self.complaints


@dataclass(frozen=True)
class Listing:
    """The server's projects: how many it says there are, and the ids and states that it lists."""

    total: int
    states: Mapping[str, str]


@dataclass(frozen=True)
class Said:
    """All that was said: health, projects (None without an answer), and round trips in seconds."""

    health: Health
    listing: Listing | None
    round_trips: tuple[float, ...]


@dataclass(frozen=True)
class Script:
    """The conversation. Equal scripts are run once in a look, whoever asks.

    Args:
        patience: seconds for the health answer, which takes one by itself.
        small: seconds for a small answer.
        messages: how many small messages are timed.
    """

    patience: float
    small: float
    messages: int

    def __call__(self, line: Line) -> Said:
        """Talk; what the server leaves unanswered is told and ends the conversation."""
        health = _asked_after(line, self.patience)
        for _ in range(_SAMPLES - 1):
            if health.only_busy:
                again = _asked_after(line, self.small)
                health = health if again.silence else again
        listing: Listing | None = None
        trips: list[float] = []
        if not health.silence:
            try:
                for listed, seconds in _lists(line, self.messages, self.small):
                    listing = listed
                    trips.append(seconds)
            except CannotTell:
                trips.append(self.small)
        return Said(health, listing, tuple(trips))


def _asked_after(line: Line, patience: float) -> Health:
    """The answer to health_check, or to health where the server does not know the former."""
    silence = ""
    for word in ("health_check", "health"):
        try:
            line.send({"type": word})
            answer = line.receive("health_check", "health_status", "error", within=patience)
        except CannotTell as met:
            return Health(silence=str(met))
        if answer is None:
            return Health(silence=f"no answer to {word} in {patience:g} s (our limit)")
        if answer.type != "error":
            return _health(word, answer)
        silence = silence or f"it answers {word} with {_error(answer)}"
    return Health(silence=silence)


def _lists(line: Line, messages: int, patience: float) -> Iterator[tuple[Listing | None, float]]:
    """The project list and its seconds, time after time; it ends where no answer comes."""
    for _ in range(max(1, messages)):
        began = time.monotonic()
        line.send({"type": "project_list"})
        kinds = ("project_list", "project_list_response", "error")
        answer = line.receive(*kinds, within=patience)
        seconds = time.monotonic() - began
        yield None if answer is None else _listing(answer), seconds
        if answer is None:
            return


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _error(frame: Frame) -> str:
    """The code and message of an error frame."""
    data = _mapping(frame.data)
    return f"{data.get('code', 'an error')}: {data.get('message', '')}".rstrip(": ")


def _listing(frame: Frame) -> Listing | None:
    """The projects of either dialect's list; None for an error frame."""
    data = _mapping(frame.data)
    rows = data.get("projects")
    if frame.type == "error":
        return None
    listed = [_mapping(row) for row in rows] if isinstance(rows, list) else []
    total = data.get("total", len(listed))
    states = {str(row.get("id", "")): str(row.get("state", "")) for row in listed}
    return Listing(total if isinstance(total, int) else len(listed), states)


def _health(dialect: str, frame: Frame) -> Health:
    """The health answer of either dialect, each part that is not healthy named."""
    data = _mapping(frame.data)
    status = str(data.get("status", "no status"))
    parts = {**_mapping(data.get("checks")), **_mapping(data.get("resources"))}
    complaints = [*_exhausted(data)]
    warnings: list[str] = []
    for state, words in _ill_parts(parts):
        (warnings if state in _SHORTAGES else complaints).append(words)
    if _mapping(data.get("claude")).get("available") is False:
        complaints.append("claude: not available")
    if status in _SHORTAGES and not (warnings or complaints):
        warnings.append(f"it calls itself {status} and does not say why")
    return Health(dialect, status, tuple(complaints), tuple(warnings))


def _ill_parts(parts: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The status of each part that is not healthy, and its own words for it."""
    for name, part in parts.items():
        said = _mapping(part)
        status = str(said.get("status", "healthy"))
        if status != "healthy":
            words = [str(said[key]) for key in ("message", "error") if said.get(key)]
            yield status, ": ".join([f"{name} is {status}", *words])


def _exhausted(data: Mapping[str, object]) -> Iterator[str]:
    """The guide's counts that have reached their limit."""
    for name, counted in (("connections", "active"), ("projects", "count")):
        part = _mapping(data.get(name))
        count, limit = part.get(counted), part.get("limit")
        if isinstance(count, int) and isinstance(limit, int) and 0 < limit <= count:
            yield f"{name}: {count} of {limit}"
