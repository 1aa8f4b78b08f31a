"""An incident: what was ill and since when, and which of it belongs together.

It is told by what the last run that hurt had worst. Runs that had something as bad, one after the
other, are one incident; all that was ill meanwhile belongs to it. A check that was untidy for weeks
does not make one incident of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from plugins.finding import Finding, Outcome, Severity
from plugins.history.judgements import Judged

HURTS = Severity.P2  # what is untidy is no incident
_WELL = frozenset({Outcome.HEALTHY, Outcome.FIXED})


@dataclass(frozen=True)
class Taken:
    """A step that a fix took.

    Args:
        at: seconds since 1970 at which its run, or that part of a watch, began.
        run: the id of that run, which `--undo` takes.
        check: the id of the check that it cured.
        step: the shell line.
        state: "taken", "taken back", or "intended" where nobody knows whether it was taken.
    """

    at: float
    run: str
    check: str
    step: str
    state: str


@dataclass(frozen=True)
class Illness:
    """One illness of one check.

    Args:
        check: its id.
        severity: the worst that it had.
        began: seconds since 1970 at which it was first seen.
        ended: the same, at which it was seen well again; None while nobody has.
        finding: what the present run knows of the check, None where it did not ask.
    """

    check: str
    severity: Severity
    began: float
    ended: float | None = None
    finding: Finding | None = None

    @property
    def system(self) -> str:
        """The system of the check."""
        return self.check.partition(".")[0]

    def overlaps(self, began: float, ended: float) -> bool:
        """Tell whether there was a moment of it between two moments."""
        return self.began <= ended and (self.ended is None or self.ended >= began)


@dataclass(frozen=True)
class Incident:
    """What belongs together.

    Args:
        illnesses: the worst first.
        began: seconds since 1970.
        ended: the same, None while it goes on.
        steps: what fixes did meanwhile, the oldest first.
    """

    illnesses: tuple[Illness, ...]
    began: float
    ended: float | None
    steps: tuple[Taken, ...] = ()

    @property
    def severity(self) -> Severity:
        """The worst that there was."""
        return max(one.severity for one in self.illnesses)

    @property
    def open(self) -> tuple[Illness, ...]:
        """What nobody has seen well again."""
        return tuple(one for one in self.illnesses if one.ended is None)

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that it touched, sorted."""
        return tuple(sorted({one.system for one in self.illnesses}))


def with_present(
    before: Iterable[Judged], findings: Iterable[Finding], now: float
) -> tuple[Judged, ...]:
    """Return what was judged, the present run's own at the end.

    What a run came to may stand in the history already, and is not told twice.

    Args:
        before: from the history, in the order of time.
        findings: of the present run.
        now: its moment.
    """
    rows = list(before)
    last = {one.check: (one.outcome, one.severity) for one in rows}
    rows += [
        Judged(now, one.id, one.outcome, one.severity)
        for one in findings
        if one.outcome in {*_WELL, Outcome.ILL} and last.get(one.id) != (one.outcome, one.severity)
    ]
    return tuple(rows)


def illnesses(judged: Iterable[Judged], known: Mapping[str, Finding]) -> tuple[Illness, ...]:
    """Return every illness that hurt, the oldest first.

    Args:
        judged: in the order of time.
        known: what the present run knows, by the id of the check.
    """
    going: dict[str, Illness] = {}
    over: list[Illness] = []
    for one in judged:
        before = going.get(one.check)
        if one.outcome is Outcome.FIXED and before is None:  # seen and cured in the same run
            before = Illness(one.check, one.severity, one.at)
        if one.outcome in _WELL:
            if before is not None:
                over.append(replace(before, ended=one.at))
                going.pop(one.check, None)
        elif before is None:
            going[one.check] = Illness(one.check, one.severity, one.at)
        else:
            going[one.check] = replace(before, severity=max(before.severity, one.severity))
    every = (replace(one, finding=known.get(one.check)) for one in (*over, *going.values()))
    hurting = (one for one in every if one.severity >= HURTS)
    return tuple(sorted(hurting, key=lambda one: (one.began, one.check)))


def incident(found: Iterable[Illness], steps: Iterable[Taken], now: float) -> Incident | None:
    """Return the last incident, None where nothing hurt.

    Args:
        found: every illness that hurt.
        steps: all that fixes did.
        now: the moment of the present run.
    """
    every = tuple(found)
    if not every:
        return None
    last = max(one.ended if one.ended is not None else now for one in every)
    at_last = [one for one in every if one.overlaps(last, now)]
    line = max(one.severity for one in at_last)
    began = ended = last
    core = [one for one in every if one.severity >= line]
    while touching := [one for one in core if one.began < began and one.overlaps(began, ended)]:
        began = min(one.began for one in touching)
    mine = [one for one in every if one.overlaps(began, ended)]
    mine.sort(key=lambda one: (one.ended is not None, one.severity.value, one.began, one.check))
    goes_on = any(one.ended is None for one in mine)
    meanwhile = sorted((s for s in steps if began <= s.at <= now), key=lambda step: step.at)
    return Incident(tuple(mine), began, None if goes_on else ended, tuple(meanwhile))
