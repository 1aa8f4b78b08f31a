"""Runs whose findings are given: pytester folders in which a test is told what it came to.

The engine is left out on purpose: the reports depend on `report.health` and the account alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugins.finding import Finding, Outcome, Safety, Severity
from plugins.report import document
from plugins.report.account import Account
from plugins.report.conclusion import Conclusion
from plugins.report.standing import status_of

ROOT = Path(__file__).parents[2]

_CONFTEST = """
import json
import pytest
from plugins.finding import Finding, Outcome
from plugins.report.account import opened, on_worker

ROWS = json.loads({rows!r})

def pytest_addoption(parser):
    for name in ("--fail-on", "--show", "--health-json"):
        parser.addoption(name)
    parser.addoption("--require", action="append", default=[])
    parser.addoption("--scenarios", action="store_true")

def pytest_collection_finish(session):
    account = opened(session.config)
    for item in session.items:
        if "row" in getattr(item, "fixturenames", ()):
            row = dict(ROWS[item.callspec.params["row"]], outcome="not_run")
            finding = Finding.from_json(json.dumps(row))
            account.selected.append((item.nodeid, finding))
    account.absences.append(("dgmo", "not installed (looked in ~/.dgmo)"))

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if "row" not in item.fixturenames:
        return report
    finding = Finding.from_json(json.dumps(ROWS[item.callspec.params["row"]]))
    skipped = finding.outcome in (Outcome.ABSENT, Outcome.BLOCKED, Outcome.SILENCED)
    early = skipped or finding.outcome is Outcome.CANNOT_TELL
    if report.when != ("setup" if early else "call"):
        return report
    report.health = finding.to_json()
    if skipped:
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, finding.message)
    elif finding.outcome is Outcome.CANNOT_TELL:
        report.outcome = "failed"
    return report
"""

_TESTS = """
import pytest

def pytest_generate_tests(metafunc):
    from conftest import ROWS
    if "row" in metafunc.fixturenames:
        metafunc.parametrize("row", range(len(ROWS)), ids=[row["id"] for row in ROWS])

def test_check(row):
    from conftest import ROWS
    secret = ROWS[row]["message"]
    assert ROWS[row]["outcome"] != "ill", secret
"""


def finding(name: str, outcome: Outcome = Outcome.ILL, **more: Any) -> Finding:
    """Return a finding that says something in every field."""
    words: dict[str, Any] = {
        "system": "box",
        "severity": Severity.P1,
        "title": "The server answers.",
        "message": "" if outcome is Outcome.HEALTHY else "it answered with 500",
        "hint": "Run `systemctl restart it`.",
        "why": "Nobody can work without it.",
        "safety": Safety.MANUAL,
        "guide": ("PA01",),
        "duration_s": 0.25,
    }
    return Finding(id=f"box.{name}", outcome=outcome, **{**words, **more})


def came_to(*rows: Finding, own: int = 0, **account: Any) -> Conclusion:
    """Return the conclusion of a run that came to these findings.

    Args:
        rows: what was found.
        own: pytest's own exit status.
        account: further arguments of the account.
    """
    gathered = Account(selected=[(str(at), row) for at, row in enumerate(rows)], **account)
    status = status_of(gathered, own)
    finished = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    return Conclusion(gathered, document(gathered, status, finished), status, 1.5)


def lay_out(
    pytester: pytest.Pytester,
    findings: Sequence[Finding],
    more: str = "",
    plugins: tuple[str, ...] = ("plugins.report.plugin",),
) -> None:
    """Make a folder of checks that come to these findings.

    Args:
        pytester: where.
        findings: one for each check.
        more: further tests of the same file, which are no checks.
        plugins: of ours, that are loaded.
    """
    rows = json.dumps([each.to_row() for each in findings])
    pytester.makeini(f"[pytest]\npythonpath = {ROOT}\naddopts = -p no:hypothesispytest\n")
    pytester.makeconftest(f"pytest_plugins = {list(plugins)}")
    folder = pytester.mkdir("healthchecks")
    folder.joinpath("conftest.py").write_text(_CONFTEST.format(rows=rows))
    folder.joinpath("test_box.py").write_text(_TESTS + more)


def run(
    pytester: pytest.Pytester, *arguments: str, place: str = "healthchecks"
) -> pytest.RunResult:
    """Run the folder in a process of its own, with the report plugin and no other of ours."""
    return pytester.runpytest_subprocess(place, *arguments)


def document_of(pytester: pytest.Pytester) -> dict[str, Any]:
    """Return the document that a run left at its ordinary place."""
    body: dict[str, Any] = json.loads((pytester.path / "reports" / "health.json").read_text())
    return body
