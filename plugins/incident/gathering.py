"""What an incident report is made of, gathered from the journals of the fixes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from plugins.entries import Entry, read
from plugins.incident.episode import Taken
from plugins.journal import runs

_NEWEST = 200  # journals that are looked into


def steps(state: Path) -> Iterator[Taken]:
    """Yield every step that the newest journals tell of.

    Args:
        state: the folder that holds the journals; one that cannot be read tells nothing.
    """
    for run in runs(state)[-_NEWEST:]:
        try:
            entries = read(state / "journal" / f"{run}.jsonl")
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            continue  # cut short, or another's: `--undo` says so
        for entry in entries:
            yield Taken(entry.at or _began(run), run, entry.check, entry.step, _state(entry))


def _state(entry: Entry) -> str:
    if entry.undone:
        return "taken back"
    return "taken" if entry.after is not None else "intended"


def _began(run: str) -> float:
    """Return when a run began, which its id tells; 0 where it is no id of ours."""
    with contextlib.suppress(ValueError):
        when = datetime.strptime(run[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return when.timestamp()
    return 0.0
