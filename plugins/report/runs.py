"""The last runs as a table for people, and the run that somebody means by a few words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from plugins.history.store import Kept
from plugins.report.since import day

SHOWN = 30  # runs
_HEAD = (
    *("RUN", "STARTED", "EXIT", "P0", "P1", "P2", "P3", "UNTOLD", "HEALTHY", "TOOK"),
    "CHANGED",
)
_UNTOLD = ("cannot_tell", "not_run")
_CHANGES = ("new", "worse", "fixed")
FIRST = "first"


def lines(runs: Sequence[Kept]) -> Iterator[str]:
    """Give the lines of the table of some runs, the newest first."""
    rows = [_HEAD, *map(_cells, runs[: -SHOWN - 1 : -1])]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    for row in rows:
        # Names to the left, numbers to the right, and what changed, the last, as it comes.
        cells = [
            cell if at == len(widths) - 1 else f"{cell:{'<' if at < 2 else '>'}{widths[at]}}"
            for at, cell in enumerate(row)
        ]
        yield "  ".join(cells).rstrip()
    if len(runs) > SHOWN:
        yield f"… and {len(runs) - SHOWN} older ones, since {day(runs[0].before.started)}"


def _cells(run: Kept) -> tuple[str, ...]:
    ill, outcomes = _counts(run, "ill"), _counts(run, "outcomes")
    changes = _counts(run, "changes")
    told = [f"{changes[word]} {word}" for word in _CHANGES if changes.get(word)]
    took = "watch" if run.watch else f"{run.before.seconds:.1f} s"
    return (
        *(run.before.id, day(run.before.started), str(run.before.status)),
        *(_shown(ill.get(level, 0)) for level in ("P0", "P1", "P2", "P3")),
        _shown(sum(outcomes.get(word, 0) for word in _UNTOLD)),
        _shown(outcomes.get("healthy", 0) + outcomes.get("fixed", 0)),
        *(took, ", ".join(told)),
    )


def _shown(number: int) -> str:
    return str(number) if number else "-"


def _counts(run: Kept, name: str) -> Mapping[str, int]:
    told = run.tally.get(name)
    counts = told.items() if isinstance(told, dict) else ()
    return {str(word): count for word, count in counts if isinstance(count, int)}


def meant(runs: Sequence[Kept], words: str) -> Kept | None:
    """Return the run that is meant, None where there is none such.

    Args:
        runs: the oldest first.
        words: an id, its beginning, "first", or the beginning of when it started as the table
            shows it, such as "2027-01-31"; of several the newest is meant.
    """
    if words == FIRST:
        return runs[0] if runs else None
    spoken = words.replace("T", " ")
    for run in reversed(runs):
        if words and (
            run.before.id.startswith(words) or day(run.before.started).startswith(spoken)
        ):
            return run
    return None


def nearest(runs: Iterable[Kept], words: str) -> str:
    """Return the id of a run that is most like the words, "" where there is none."""
    ids = [run.before.id for run in runs]
    return next(iter(difflib.get_close_matches(words, ids, n=1, cutoff=0.0)), "")
