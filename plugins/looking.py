"""The look before the first check, and the sessions that look at nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable
from typing import Any

import pytest

from plugins.answers import Answer
from plugins.catalog import Check, check_of, checks_of
from plugins.facts import probes_of
from plugins.finding import Finding
from plugins.outcomes import Absent, Blocked, NoFact
from plugins.report.account import on_worker, opened
from plugins.report.terminal import pour, progress, say
from plugins.run import RUN, Run

TOLD = "health_account"
_LOOKED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Ask all probes at once and wait for them, each until its own deadline; then judge."""
    config = session.config
    only_listed = config.option.collectonly or config.option.list_checks
    if not only_listed and not on_worker(config) and _look(session):
        _roots_first(session)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """On a worker of pytest-xdist, look before its first check: most workers get none.

    It must keep to the common order, which root causes would change."""
    if on_worker(item.config) and not item.config.stash.get(_LOOKED, False) and check_of(item):
        _look(item.session)
    return (yield)


def _look(session: pytest.Session) -> bool:
    """Ask all probes and wait for them; tell whether there was one."""
    session.config.stash[_LOOKED] = True
    asked = _ask(session)
    if asked:
        _wait(session.config, asked)
    return bool(asked)


def _ask(session: pytest.Session) -> dict[str, list[Answer]]:
    run = session.config.stash[RUN]
    asked: dict[str, list[Answer]] = {}
    for item, check in checks_of(session.items):
        answers = asked.setdefault(check.system, [])
        probes = [declared for declared in probes_of(item) if not declared.late]
        answers.extend(run.round.ask(check.system, declared) for declared in probes)
    return asked


def _wait(config: pytest.Config, asked: dict[str, list[Answer]]) -> None:
    run = config.stash[RUN]
    waiting = dict(asked)
    total = sum(map(len, asked.values()))
    while waiting and time.monotonic() < run.until and not run.ending:
        for system in [s for s, answers in waiting.items() if all(a.done() for a in answers)]:
            del waiting[system]
            _tell(config, run, system)
        left = sum(not answer.done() for answers in waiting.values() for answer in answers)
        progress(config, total - left, total, f"looking at {', '.join(waiting)}")
        if waiting:
            time.sleep(0.01)


def _roots_first(session: pytest.Session) -> None:
    """Judge what is blocked after what may be its root cause, so that a cure of it counts here."""
    run = session.config.stash[RUN]

    def waits(item: pytest.Item, check: Check) -> tuple[bool, bool]:
        probes = probes_of(item)
        seen = [run.round.ask(check.system, one) for one in probes if not one.late]
        return len(seen) < len(probes), any(map(_is_blocked, seen))

    ranks = {id(item): waits(item, check) for item, check in checks_of(session.items)}
    session.items.sort(key=lambda item: ranks.get(id(item), (True, True)))


def _is_blocked(answer: Answer) -> bool:
    if answer.done():
        try:
            answer.get(0.0)
        except Blocked:
            return True
        except NoFact:
            return False
    return False


def _tell(config: pytest.Config, run: Run, system: str) -> None:
    """Write the line of a system, or that it is not here and where was looked."""
    try:
        run.round.system(system)
    except Absent as why:
        opened(config).absences.append((system, str(why)))
        return
    except NoFact as why:
        say(config, f"{system}: cannot tell whether it is here: {why}")
        return
    if not on_worker(config):
        seconds = time.monotonic() - run.began
        say(config, f"{system}: looked at in {seconds:.1f} s")


def absences(run: Run, systems: Iterable[str]) -> list[tuple[str, str]]:
    """Return the systems that are not here, each with where was looked."""
    found = []
    for system in systems:
        try:
            run.round.system(system)
        except Absent as why:
            found.append((system, str(why)))
        except NoFact:
            continue
    return found


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print the catalog where that is what was asked for."""
    if session.config.option.list_checks and not on_worker(session.config):
        pour(map(json.dumps, listing(session)))
        session.items.clear()


def listing(session: pytest.Session) -> list[dict[str, Any]]:
    """Return one row for each selected check, in the order of the catalog."""
    return [
        {
            "id": check.id,
            "system": check.system,
            "severity": check.severity.value,
            "safety": check.safety.name.lower(),
            "guide": list(check.guide),
            "title": check.title,
            "why": check.why,
            "hint": check.hint,
        }
        for _, check in checks_of(session.items)
    ]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End well where the catalog was all that was asked for.

    On a worker of pytest-xdist: tell the controller what was selected and what is absent."""
    config: Any = session.config
    listed = config.option.list_checks and opened(config).selected
    if listed and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK
    if on_worker(config):
        account = opened(config)
        rows = [(node, finding.to_json()) for node, finding in account.selected]
        told = {"rows": rows, "absences": account.absences, "warnings": account.warnings}
        config.workeroutput[TOLD] = json.dumps(told)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """On the controller: take over what a worker told; every worker selects the same checks."""
    said = json.loads(getattr(node, "workeroutput", {}).get(TOLD, "null"))
    if said:
        account = opened(node.config)
        account.selected = [(name, Finding.from_json(row)) for name, row in said["rows"]]
        absent = [(system, sentence) for system, sentence in said["absences"]]
        account.absences.extend(row for row in absent if row not in account.absences)
        account.warnings.extend(w for w in said["warnings"] if w not in account.warnings)
