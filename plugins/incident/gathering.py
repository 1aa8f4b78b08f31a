"""What an incident report is made of, gathered from the journals of the fixes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from plugins.entries import Entry, read
from plugins.incident.episode import Taken
from plugins.journal import host_of, runs
from plugins.steps import Refusal

_NEWEST = 200  # journals that are looked into


def steps(state: Path, hosts: str, demo: Path, *, in_demo: bool) -> Iterator[Taken]:
    """Yield every step that the newest journals tell of.

    Args:
        state: the folder that holds the journals; one that cannot be read tells nothing.
        hosts: the specs of the hosts that were looked at.
        demo: the folder of the demo host.
        in_demo: whether steps on the demo host are wanted, or those on real ones.
    """
    for run in runs(state)[-_NEWEST:]:
        try:
            entries = read(state / "journal" / f"{run}.jsonl")
            there = host_of(state, run).spec in hosts.split(", ")
        except (OSError, KeyError, TypeError, ValueError, AttributeError, Refusal):
            continue  # cut short, or another's: `--undo` says so
        for entry in entries if there else ():
            if any(Path(root).is_relative_to(demo) for root in entry.roots) != in_demo:
                continue
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
