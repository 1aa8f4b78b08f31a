"""Checks judge: pytest's items, selected and ordered, and what each of them came to."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.answers import NotReached
from plugins.case import Case, Told
from plugins.catalog import Check, check_of, checks_of
from plugins.facts import probes_of
from plugins.finding import Finding, Fix, Outcome
from plugins.report.account import opened
from plugins.run import RUN, Run
from plugins.text import nearest
from plugins.verdicts import treated, verdict

FIX = pytest.StashKey[Fix | None]()
WAS = pytest.StashKey[Told]()
MARKS = ("P0", "P1", "P2", "P3", "safe", "unsafe", "manual", "slow")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks that checks carry, for `-m`."""
    run = config.stash[RUN]
    for name in (*MARKS, *run.configuration.tables):
        config.addinivalue_line("markers", f"{name}: health checks; put there by the plugin")
    # Known where pytest-xdist is not installed, too.
    config.addinivalue_line("markers", "xdist_group(name): one worker runs all of a group")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the folders alone of systems that `--system` does not name: to load them takes time.

    The suite's own checks know by name what the others are called, and need all of them.
    """
    run = config.stash[RUN]
    folder = collection_path.parent.name == "healthchecks" and collection_path.is_dir()
    if not folder or not run.only or {"suite", collection_path.name} & {*run.only}:
        return None
    return True if collection_path.name in run.configuration.tables else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each check with its severity, safety and system."""
    declared = check_of(item)
    if declared:
        item.config.stash[RUN].known.update((declared.id, *declared.formerly))
        names = [declared.severity.value, declared.safety.name.lower(), declared.system]
        for name in names + ["slow"] * declared.slow:
            item.add_marker(getattr(pytest.mark, name))


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
        late = time.monotonic() > run.until or run.ending
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
        was, fix, left = treated(case, facts, error)
        pyfuncitem.stash[WAS], pyfuncitem.stash[FIX] = was, fix
        if left is error:
            raise
        if left is not None:
            raise left from None
        return True  # pytest takes anything else for "not called yet"


def conclude(item: pytest.Item, check: Check, call: pytest.CallInfo[None]) -> Finding:
    """Return what the check came to, from how its phase ended."""
    return verdict(
        item.config.stash[RUN],
        check,
        call.excinfo.value if call.excinfo else None,
        names=getattr(item, "funcargs", {}),
        seconds=call.duration,
        was=item.stash.get(WAS, None),
        fix=item.stash.get(FIX, None),
    )


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
    dress(report, finding, (str(item.path), item.location[1] or 0))
    return report


def dress(report: pytest.TestReport, finding: Finding, place: tuple[str, int]) -> None:
    """Put a finding on a report, in words that pytest knows.

    Args:
        report: the one that decides.
        finding: what the check came to.
        place: the file and the line (from 0) of the check.
    """
    report.health = finding.to_json()  # type: ignore[attr-defined]
    where = (*place, f"{finding.outcome.value}: {finding.message}")
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
            report.outcome, report.longrepr = "failed", "\n".join(lines)
        case _:
            pass
