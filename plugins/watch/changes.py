"""What changed from one round to the next, in lines; findings in, lines out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from plugins.finding import Finding, Outcome
from plugins.report.terminal import Line

MOST_EVIDENCE = 20
_WELL = frozenset({Outcome.HEALTHY, Outcome.FIXED})
# An age or a level that goes on is no news; a number within a name is part of that name.
_NUMBER = re.compile(r"(?<![\w/.:-])[\d.,:]*\d(?![\w/-])")
_COLOURS = {"P0": ("red", "bold"), "P1": ("red",), "P2": ("yellow",), "P3": ("cyan",)}


@dataclass(frozen=True)
class Change:
    """A check that came to something else than before; `was` is None for the first finding."""

    now: Finding
    was: Finding | None


def _essence(finding: Finding) -> tuple[object, ...]:
    outcome = Outcome.HEALTHY if finding.outcome in _WELL else finding.outcome
    if outcome is Outcome.HEALTHY:
        return (outcome,)
    fix = (finding.fix.state, _NUMBER.sub("#", finding.fix.message)) if finding.fix else None
    said = _NUMBER.sub("#", finding.message)
    evidence = tuple(sorted(_NUMBER.sub("#", piece) for piece in finding.evidence))
    return outcome, said, evidence, finding.blocked_by, fix


def differs(now: Finding, was: Finding | None) -> bool:
    """Tell whether a finding says anything else of the host than before."""
    if now is was:
        return False
    return was is None or replace(now, duration_s=was.duration_s, past=was.past) != was


def is_news(now: Finding, was: Finding | None) -> bool:
    """Tell whether a person wants to read of it.

    A number in a sentence that goes on changing (an age, a level) is none; nor is a cure of what
    is cured again and again.
    """
    if was is None:
        return now.outcome is not Outcome.HEALTHY
    if now is was:
        return False
    if now.outcome is Outcome.FIXED and was.outcome in _WELL:
        return True
    return _essence(now) != _essence(was)


def _cure(finding: Finding, command: str) -> Iterator[str]:
    fix = finding.fix
    if fix is None:
        return
    if fix.state == "taken":
        yield f"undo: {command} --undo {fix.run}"
    elif fix.state != "planned" or fix.message:
        yield f"fix {fix.state.replace('_', ' ')}: {fix.message}"


def _ill(change: Change, command: str) -> Iterator[Line]:
    now = change.now
    style = _COLOURS[now.severity.value]
    still = change.was is not None and change.was.outcome is Outcome.ILL
    word = "still ill" if still else "ill"
    yield Line(f"{now.severity.value} {word}  {now.id}: {now.message}", style=style)
    for piece in now.evidence[:MOST_EVIDENCE]:
        yield Line(f"- {piece}", 4)
    if len(now.evidence) > MOST_EVIDENCE:
        yield Line(f"and {len(now.evidence) - MOST_EVIDENCE} more, in the reports", 4)
    for words in _cure(now, command):
        yield Line(words, 4)


def _fixed(change: Change, command: str) -> Iterator[Line]:
    now = change.now
    yield Line(f"fixed  {now.id}: {now.message}", style=("green",))
    for words in _cure(now, command):
        yield Line(words, 4)


def _others(now: Finding) -> str:
    """Return what stands behind the ids of the checks that came to the same."""
    match now.outcome:
        case Outcome.BLOCKED:
            return f"blocked by {now.blocked_by}"
        case Outcome.SILENCED:
            return f"silenced until {now.silenced.until if now.silenced else ''}"
        case _:
            return str(now.outcome.value).replace("_", " ")


def lines(changes: Iterable[Change], command: str) -> Iterator[Line]:
    """Give the lines that tell the changes of one round, the worst first.

    Checks that came to the same for the same reason share a line.

    Args:
        changes: what changed.
        command: how a command line over the same host begins.
    """
    ordered = sorted(changes, key=lambda one: (one.now.severity.value, one.now.id))
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in ordered:
        if change.now.outcome is Outcome.ILL:
            yield from _ill(change, command)
    for change in ordered:
        now = change.now
        if now.outcome is Outcome.FIXED:
            yield from _fixed(change, command)
        elif now.outcome is Outcome.HEALTHY:
            ill = change.was is None or change.was.outcome is Outcome.ILL
            alike["healthy again" if ill else "healthy", ""].append(now.id)
        elif now.outcome is not Outcome.ILL:
            alike[_others(now), now.message].append(now.id)
    for (word, reason), ids in alike.items():
        style = ("green",) if word.startswith("healthy") else ("yellow",)
        yield Line(f"{word}  {', '.join(ids)}" + (f": {reason}" if reason else ""), style=style)
