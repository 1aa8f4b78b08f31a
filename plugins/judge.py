"""Checks judge: pytest's items, selected and ordered, and what each of them came to."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from plugins import fixing
from plugins.case import Case, Told, told
from plugins.catalog import Check, check_of, checks_of
from plugins.configuration import nearest
from plugins.facts import NotReached, probes_of
from plugins.finding import Finding, Fix, Measure, Outcome
from plugins.outcomes import (
    Absent,
    Blocked,
    NoFact,
    NoPermission,
    ToolMissing,
    WrongKind,
)
from plugins.redaction import redact
from plugins.report.account import opened
from plugins.run import RUN, Run
from plugins.text import printable

FIX = pytest.StashKey[Fix | None]()
WAS = pytest.StashKey[Told]()
_NEXT: dict[type[NoFact], str] = {
    NoPermission: "Run the checks as the user who may look there, or as root.",
    ToolMissing: "Install the program that is named, then run the checks again.",
    WrongKind: "Look at what is there: `ls -ld <path>`, or `curl -ki <url>`; put it right.",
}
MARKS = ("P0", "P1", "P2", "P3", "safe", "unsafe", "manual", "slow")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks that checks carry, for `-m`."""
    run = config.stash[RUN]
    for name in (*MARKS, *run.configuration.tables):
        config.addinivalue_line("markers", f"{name}: health checks; put there by the plugin")
    if getattr(config.option, "dist", "no") != "no":
        # All checks of a run share one look, so they belong to one worker.
        config.option.dist = "loadgroup"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each check with its severity, safety and system."""
    declared = check_of(item)
    if declared:
        item.config.stash[RUN].known.update((declared.id, *declared.formerly))
        names = [declared.severity.value, declared.safety.name.lower(), declared.system]
        for name in names + ["slow"] * declared.slow:
            item.add_marker(getattr(pytest.mark, name))
        item.add_marker(pytest.mark.xdist_group("health"))


def _order(check: Check) -> tuple[bool, bool, int]:
    # Root causes come first: the host before its systems, the worst before the rest. The suite's
    # own checks come last, as they look at what became of the others.
    return (check.system != "host", check.system == "suite", int(check.severity.value[1]))


def _refuse_twins(items: Iterable[pytest.Item]) -> None:
    """Refuse two checks of one id: one would answer, be waived and be cured for the other."""
    seen: dict[str, Path] = {}
    for item, each in checks_of(list(items)):
        # Parameters of one function make several items of one check.
        if seen.setdefault(each.id, item.path) != item.path:
            raise pytest.UsageError(
                f"two checks are called {each.id}: {seen[each.id]}, {item.path}"
            )


def _refuse_strangers(run: Run) -> None:
    """Refuse a `--fix-only` that names no check: nothing would be cured, and nobody told why."""
    for name in run.fix_only:
        if name not in run.known:
            near = nearest(name, sorted(run.known))
            raise pytest.UsageError(f"--fix-only {name}: no check collected here has this id{near}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this run does not want, and put root causes first."""
    run = config.stash[RUN]
    declared = {id(item): check for item, check in checks_of(items)}
    unwanted = [i for i in items if id(i) in declared and not run.wants(declared[id(i)])]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        gone = {id(item) for item in unwanted}
        items[:] = [item for item in items if id(item) not in gone]
    # sort() is stable: what is no check, and checks of one rank, keep their order.
    _refuse_twins(items)
    _refuse_strangers(run)
    items.sort(key=lambda i: _order(declared[id(i)]) if id(i) in declared else (True, True, 9))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down every selected check, so that what never runs is shown too."""
    run = session.config.stash[RUN]
    left = "the run ended before its turn"
    opened(session.config).selected = [
        (item.nodeid, replace(run.not_run(check), message=left))
        for item, check in checks_of(session.items)
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Begin all looks of a check at once; do not begin past the run's deadline."""
    check = check_of(item)
    if check:
        run = item.config.stash[RUN]
        late = time.monotonic() > run.until
        for declared in probes_of(item):
            # What has been seen by then is still judged: that takes no time.
            if late and not run.round.seen(check.system, declared):
                raise NotReached("it was not reached")
            run.round.ask(check.system, declared)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Judge; with consent, cure what is ill and look again."""
    check = check_of(pyfuncitem)
    if check is None:
        return (yield)
    try:
        return (yield)
    except AssertionError as error:
        case = Case.of(pyfuncitem)
        facts = {probe.name: pyfuncitem.funcargs[probe.name] for probe in case.probes}
        pyfuncitem.stash[WAS] = was = told(error)
        pyfuncitem.stash[FIX] = fix = fixing.cure(case, facts, was)
        if fix is not None and fix.state == "partly":
            case.judge(case.look())  # what is left is what the finding tells of
        if fix is None or fix.state != "taken":
            raise
        return True  # pytest takes anything else for "not called yet"


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


def _unseen(finding: Finding, why: NoFact, deadline: float) -> Finding:
    """Return the finding of a check whose fact could not be had."""
    said = redact(printable(str(why), 600))
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


def conclude(item: pytest.Item, check: Check, call: pytest.CallInfo[None]) -> Finding:
    """Return what the check came to, from how its phase ended."""
    run = item.config.stash[RUN]
    names = getattr(item, "funcargs", {})
    fix = item.stash.get(FIX, None)
    finding = replace(
        run.not_run(check),
        duration_s=round(call.duration + run.round.seconds(check.system, names), 4),
        measures=tuple(m for fact in names.values() for m in measures_in(fact))[:50],
        fix=fix,
    )
    met = call.excinfo.value if call.excinfo else None
    if met is None:
        if fix is None:
            return replace(finding, outcome=Outcome.HEALTHY)
        return _as_told(finding, Outcome.FIXED, item.stash[WAS])
    if isinstance(met, NoFact):
        finding = _unseen(finding, met, run.deadline)
    elif isinstance(met, AssertionError):
        finding = _as_told(finding, Outcome.ILL, told(met))
    else:
        crash = printable(f"{type(met).__name__}: {met}")
        finding = _as_told(
            finding, Outcome.CANNOT_TELL, Told(redact(f"the check crashed: {crash}"))
        )
    return _silence(run, check, finding)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the finding on the one report that decides, in words that pytest knows."""
    check = check_of(item)
    if check and call.excinfo and isinstance(call.excinfo.value, Exception):
        # A sentence takes its place, and laying out the sources takes longer than to judge. The
        # exception keeps its own, for a debugger; a skip has a use for it.
        call.excinfo.traceback = call.excinfo.traceback[:0]
    report = yield
    decides = call.when == "call" or (call.when == "setup" and call.excinfo is not None)
    if check is None or not decides or report.skipped:
        return report
    finding = conclude(item, check, call)
    item.config.stash[RUN].verdicts[check.id] = finding
    report.health = finding.to_json()  # type: ignore[attr-defined]
    where = (str(item.path), item.location[1] or 0, f"{finding.outcome.value}: {finding.message}")
    match finding.outcome:
        case Outcome.ABSENT | Outcome.BLOCKED | Outcome.NOT_RUN:
            report.outcome, report.longrepr = "skipped", where
        case Outcome.SILENCED:
            report.outcome, report.wasxfail = "skipped", finding.message
            report.longrepr = where
        case Outcome.CANNOT_TELL:
            report.outcome, report.longrepr = "failed", f"cannot tell: {finding.message}"
        case Outcome.ILL:
            lines = [finding.message, *(f"- {item}" for item in finding.evidence)]
            report.longrepr = "\n".join(lines)
        case _:
            pass
    return report
