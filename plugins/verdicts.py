"""From facts to a finding: how a check is judged, whoever asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from plugins import fixing
from plugins.answers import NotReached
from plugins.case import Case, Told, told
from plugins.catalog import Check
from plugins.crashes import guarded
from plugins.finding import Finding, Fix, Measure, Outcome
from plugins.outcomes import Absent, Blocked, NoFact, NoPermission, ToolMissing, WrongKind
from plugins.queried import Answers
from plugins.redaction import redact
from plugins.run import Run
from plugins.text import printable

_NEXT: dict[type[NoFact], str] = {
    NoPermission: "Run the checks as the user who may look there, or as root.",
    ToolMissing: "Install the program that is named, then run the checks again.",
    WrongKind: "Look at what is there: `ls -ld <path>`, or `curl -ki <url>`; put it right.",
}


def measures_in(fact: Any) -> tuple[Measure, ...]:
    """Return the measures that stand in a fact: itself, in a tuple, or as fields."""
    if isinstance(fact, Measure):
        return (fact,)
    if isinstance(fact, tuple):
        return tuple(m for item in fact[:1000] for m in measures_in(item))
    if is_dataclass(fact):
        values = [getattr(fact, item.name) for item in fields(fact)]
        return tuple(m for v in values if isinstance(v, (Measure, tuple)) for m in measures_in(v))
    return ()


def _measured(fact: Any, names: Mapping[str, Any]) -> tuple[Measure, ...]:
    """Return the measures of a fact; of the answers to many queries, those of the check's own."""
    if isinstance(fact, Answers):
        return fact.measures(names["query"])
    return measures_in(fact)


def _unseen(finding: Finding, why: NoFact, deadline: float, *, ended: bool) -> Finding:
    """Return the finding of a check whose fact could not be had."""
    said = redact(printable(str(why), 600))
    if isinstance(why, NotReached) and ended:
        return replace(finding, outcome=Outcome.NOT_RUN, message="the watch was ended before")
    if isinstance(why, NotReached):
        limit = f"the run's deadline of {deadline:g} s passed (--deadline sets another)"
        return replace(finding, outcome=Outcome.NOT_RUN, message=f"{limit}: {said}")
    if isinstance(why, Absent):
        return replace(finding, outcome=Outcome.ABSENT, message=said)
    if isinstance(why, Blocked):
        return replace(finding, outcome=Outcome.BLOCKED, message=said, blocked_by=why.by)
    # The check's own hint cures what it looks for, and that is not what was met here.
    hint = next((words for kind, words in _NEXT.items() if isinstance(why, kind)), finding.hint)
    return replace(finding, outcome=Outcome.CANNOT_TELL, message=said, hint=hint)


def _as_told(finding: Finding, outcome: Outcome, said: Told) -> Finding:
    return replace(finding, outcome=outcome, message=said.sentence, evidence=said.evidence)


def _silence(run: Run, check: Check, finding: Finding) -> Finding:
    """Return the finding as silenced where a waiver that is still in force names the check."""
    if finding.outcome not in {Outcome.ILL, Outcome.CANNOT_TELL}:
        return finding
    waiver = fixing.waiver_for(run, check)
    return replace(finding, outcome=Outcome.SILENCED, silenced=waiver) if waiver else finding


def verdict(
    run: Run,
    check: Check,
    met: BaseException | None,
    *,
    names: Mapping[str, Any],
    seconds: float,
    was: Told | None = None,
    fix: Fix | None = None,
) -> Finding:
    """Return what a check came to.

    Args:
        run: whose round and waivers hold.
        check: what is declared.
        met: what its function raised in the end, None when it passed.
        names: its arguments, as far as they could be had.
        seconds: that it took, without the looks.
        was: what it said before a cure.
        fix: what became of its remedy.
    """
    finding = replace(
        run.not_run(check),
        duration_s=round(seconds + run.round.seconds(check.system, names), 4),
        measures=tuple(m for fact in names.values() for m in _measured(fact, names))[:50],
        fix=fix,
    )
    if met is None:
        healthy = fix is None or was is None
        return _as_told(finding, Outcome.HEALTHY if healthy else Outcome.FIXED, was or Told(""))
    if isinstance(met, NoFact):
        finding = _unseen(finding, met, run.deadline, ended=run.ending)
    elif isinstance(met, AssertionError):
        finding = _as_told(finding, Outcome.ILL, told(met))
    else:
        crash = printable(f"{type(met).__name__}: {met}")
        finding = _as_told(
            finding, Outcome.CANNOT_TELL, Told(redact(f"the check crashed: {crash}"))
        )
    return _silence(run, check, finding)


def treated(
    case: Case, facts: Mapping[str, Any], error: AssertionError
) -> tuple[Told, Fix | None, BaseException | None]:
    """Cure an ill check as far as the consent given allows.

    Returns:
        What it said, what became of its remedy, and what it is still ill of; None when cured.
    """
    was = told(error)
    fix = fixing.cure(case, facts, was)
    if fix is not None and fix.state == "taken":
        return was, fix, None
    if fix is not None and fix.state == "partly":
        try:
            case.judge(case.look())  # what is left is what the finding tells of
        except (AssertionError, NoFact) as left:
            return was, fix, left
    return was, fix, error


def judged(case: Case, may_treat: Callable[[Told], bool], former: Fix | None) -> Finding:
    """Judge a check outside of pytest's own protocol, in the present round.

    Args:
        case: the check and its run.
        may_treat: tells, for what it says, whether it is to be cured now.
        former: what became of its remedy the last time, told again where it is not tried now.
    """
    began = time.monotonic()
    facts: dict[str, Any] = {}
    was: Told | None = None
    fix: Fix | None = None
    met: BaseException | None = None
    try:
        facts = case.look()
        began = time.monotonic()
        guarded("the check", lambda: case.judge(facts), AssertionError)
    except NoFact as why:
        met = why
    except AssertionError as error:
        met, fix = error, former
        if may_treat(told(error)):
            was, fix, met = treated(case, facts, error)
    names = {**case.given, **facts}
    seconds = time.monotonic() - began
    return verdict(case.run, case.check, met, names=names, seconds=seconds, was=was, fix=fix)
