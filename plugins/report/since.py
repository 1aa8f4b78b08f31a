"""What changed since the run that this one is compared with, in lines and in a few words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from plugins.finding import Finding
from plugins.report.account import Account
from plugins.report.terminal import Line

_NAMED = 10  # of the checks that changed alike, so many are named


def day(moment: str) -> str:
    """Return an ISO moment as people read it: to the minute, in the local zone."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):
        return moment


def of_one(finding: Finding) -> str:
    """Return in a sentence what the history says of an ill finding, "" for nothing."""
    past = finding.past
    if past is None:
        return ""
    flaps = " It goes to and fro from run to run." if past.flapping else ""
    match past.change:
        case "new":
            before = past.first_seen != past.since
            return f"New{f', but first seen {day(past.first_seen)}' if before else ''}.{flaps}"
        case "worse":
            return f"Worse than before; ill since {day(past.since)}.{flaps}"
        case "still":
            return f"Ill since {day(past.since)}.{flaps}"
        case _:
            return flaps.strip()


def _named(rows: list[Finding]) -> str:
    names = [row.id for row in rows[:_NAMED]]
    rest = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ", ".join(names) + rest


def lines(account: Account, rows: Sequence[Finding]) -> Iterator[Line]:
    """Give the lines that tell what changed; none where nothing did, and nothing is ill."""
    if not account.compared_with:
        return
    of: dict[str, list[Finding]] = {}
    for row in rows:
        if row.past is not None and row.past.change:
            of.setdefault(row.past.change, []).append(row)
    if not of:
        return
    yield Line()
    yield Line(f"Since the run {_run(account)}: {_counts(of)}.", style=("bold",))
    for word in ("new", "worse", "fixed"):
        if word in of:
            yield Line(f"{word}: {_named(of[word])}", 2)
    flapping = [row for row in rows if row.past is not None and row.past.flapping]
    if flapping:
        yield Line(f"to and fro from run to run: {_named(flapping)}", 2)


def _run(account: Account) -> str:
    started = {run.id: run.started for run in account.runs_before}.get(account.compared_with, "")
    return f"of {day(started)}" if started else account.compared_with


def _counts(of: dict[str, list[Finding]]) -> str:
    parts = [f"{len(of[word])} {word}" for word in ("new", "worse", "fixed") if word in of]
    parts = parts or ["nothing new, nothing fixed"]
    still = of.get("still", [])
    if still:
        longest = min(row.past.since for row in still if row.past is not None)
        parts.append(f"{len(still)} still ill, the longest since {day(longest)}")
    return ", ".join(parts)
