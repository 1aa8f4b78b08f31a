"""What is remembered of a check from run to run, and what that says of how it stands now.

Only a run that came to ill or well has judged a check. What came between and could not tell, was
blocked, absent, silenced or not run leaves the last judgement as it was: it is not "fixed".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from plugins.finding import Finding, Outcome
from plugins.past import Past

REMEMBERED = 50  # of the newest judgements of a check, so many are kept to tell flapping
_WELL = "well"
_MINDS = {Outcome.HEALTHY.value: _WELL, Outcome.FIXED.value: _WELL}
_LEAST = "P4"  # no severity: what is well is less than the least of them


@dataclass(frozen=True)
class Flaps:
    """When a check counts as flapping: its mind changed so many `times` in its last `runs`."""

    times: int = 4
    runs: int = 10

    def hold(self, recent: str) -> bool:
        """Tell whether these judgements, a letter each, are those of a check that flaps."""
        judged = recent[-max(self.runs, 2) :]
        return 0 < self.times <= judged.count("iw") + judged.count("wi")


@dataclass(frozen=True)
class Standing:
    """What is remembered of one check on one host. Moments are seconds since 1970, 0 for never.

    Args:
        outcome: what it came to the last time, whatever that was.
        outcome_since: since when it has come to that.
        mind: what it was judged to be the last time: "well", the severity of its illness, or "".
        mind_since: since when it has been ill, or well.
        first_ill: when it was first seen ill.
        last_ill: when it was last seen ill.
        recent: its last judgements, a letter each, "i" or "w", the newest last.
    """

    outcome: str = ""
    outcome_since: float = 0.0
    mind: str = ""
    mind_since: float = 0.0
    first_ill: float = 0.0
    last_ill: float = 0.0
    recent: str = ""


def mind_of(outcome: str, severity: str) -> str:
    """Return what an outcome judges: "well", the severity of an illness, or "" for nothing."""
    return severity if outcome == Outcome.ILL.value else _MINDS.get(outcome, "")


def advanced(was: Standing, outcome: str, severity: str, now: float) -> Standing:
    """Return the standing after a run in which the check came to the outcome."""
    mind = mind_of(outcome, severity)
    since = was.outcome_since if was.outcome == outcome else now
    if not mind:
        return replace(was, outcome=outcome, outcome_since=since)
    cured = outcome == Outcome.FIXED.value
    same = was.mind and (was.mind == _WELL) == (mind == _WELL) and not cured
    seen = mind != _WELL or cured
    return Standing(
        outcome,
        since,
        mind,
        mind_since=was.mind_since if same else now,
        first_ill=was.first_ill or (now if seen else 0.0),
        last_ill=now if seen else was.last_ill,
        recent=(was.recent + ("w" if mind == _WELL else "i"))[-REMEMBERED:],
    )


def change(before: str, now: str) -> str:
    """Return the word for a change from one mind to another, as `Past.change` has it."""
    if not before or not now or before == now == _WELL:
        return ""
    if now == _WELL:
        return "fixed"
    if before == _WELL:
        return "new"
    return "worse" if now < before else "still"


def past_of(
    was: Standing | None,
    outcome: str,
    severity: str,
    now: float,
    *,
    flaps: Flaps,
    against: str | None = None,
) -> Past:
    """Return what the history says of a check that comes to an outcome now.

    Args:
        was: what is remembered of it, None when nothing is.
        outcome: what it comes to.
        severity: of its illness.
        now: the moment of the run.
        flaps: when it counts as flapping.
        against: the mind that a change is told against; None for the last one that is known.
    """
    stands = advanced(was or Standing(), outcome, severity, now)
    mind = mind_of(outcome, severity)
    since = stands.mind_since if mind else stands.outcome_since
    if was is None and mind in {"", _WELL}:
        since = 0.0  # no run tells since when
    before = (was or Standing()).mind if against is None else against
    return Past(
        change(before, mind),
        moment(since),
        moment(stands.first_ill),
        moment(stands.last_ill),
        flapping=flaps.hold(stands.recent),
    )


@lru_cache(1024)  # the moments of most checks are those of a few runs
def moment(seconds: float) -> str:
    """Return seconds since 1970 as an ISO moment of the local zone, "" for 0 or no moment."""
    try:
        when = datetime.fromtimestamp(seconds).astimezone() if seconds else None
    except (OverflowError, OSError, ValueError):
        return ""
    return when.isoformat(timespec="milliseconds") if when else ""


def states(findings: Iterable[Finding]) -> dict[str, str]:
    """Return the worst that is known of each system, as `RunBefore.states` has it."""
    worst: dict[str, tuple[str, str]] = {}
    ranks = {_WELL: (_LEAST, "healthy"), "": ("P3.5", "cannot_tell")}
    for one in findings:
        mind = mind_of(one.outcome.value, one.severity.value)
        rank = ranks.get(mind, (mind, mind))
        if one.outcome is Outcome.SILENCED:
            rank = ranks[_WELL]  # somebody accepted it
        if one.outcome is Outcome.ABSENT:
            rank = ("P5", "absent")
        worst[one.system] = min(worst.get(one.system, rank), rank)
    return {system: state for system, (_, state) in sorted(worst.items())}
