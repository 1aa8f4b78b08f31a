"""Pytest's own reports, made fit to be shown: no secret, no control character, no traceback.

All that a report carries afterwards is plain text, so that it passes through pytest-xdist.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from plugins.finding import Finding, Outcome
from plugins.redaction import Redactor
from plugins.text import EVIDENCE_MARK, printable

REDACTOR = pytest.StashKey[Redactor]()

_LONGEST = 20_000
# These say what a finding is about, in our own words: no stranger wrote them.
_OWN = frozenset(
    {"id", "system", "severity", "outcome", "safety", "blocked_by", "state", "run", "past"}
)
_FAILURES = frozenset({Outcome.ILL, Outcome.CANNOT_TELL})


def lines_of(text: str, redactor: Callable[[str], str]) -> str:
    """Return text of many lines without secrets; its line breaks stay, other controls do not."""
    shown = redactor(text)
    return "\n".join(printable(line, _LONGEST) for line in shown.split("\n"))


def _cleaned(value: Any, redactor: Callable[[str], str], own: bool = False) -> Any:
    if isinstance(value, str):
        return value if own else printable(redactor(value), _LONGEST)
    if isinstance(value, dict):
        return {name: _cleaned(part, redactor, own or name in _OWN) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cleaned(part, redactor, own) for part in value)
    return value


def cleaned(finding: Finding, redactor: Callable[[str], str]) -> Finding:
    """Return the finding with every text that a host had a part in made fit to be shown."""
    return Finding.from_json(json.dumps(_cleaned(finding.to_row(), redactor)))


def sentence(finding: Finding) -> str:
    """Return what stands where pytest would show a traceback."""
    head = f"{finding.severity.value} {finding.id}: {finding.message or finding.title}"
    tail = f"\nWhat to do: {finding.hint}" if finding.hint else ""
    return EVIDENCE_MARK.join((head, *finding.evidence)) + tail


def _clean_longrepr(report: pytest.TestReport, redactor: Callable[[str], str]) -> None:
    longrepr = report.longrepr
    if isinstance(longrepr, tuple):
        path, number, reason = longrepr
        report.longrepr = (path, number, lines_of(reason, redactor))
    elif longrepr is not None:
        before = report.longreprtext
        after = lines_of(before, redactor)
        if after != before:
            report.longrepr = after


def make_fit(
    item: pytest.Item, report: pytest.TestReport, redactor: Callable[[str], str], *, trace: bool
) -> None:
    """Make the report fit to be shown, and give it the properties that JUnit takes up.

    Args:
        item: the check; pytest copies its properties to its later reports.
        report: what is changed.
        redactor: masks secrets.
        trace: leave the traceback in, as somebody asked for one.
    """
    _clean_longrepr(report, redactor)
    report.sections = [(name, lines_of(text, redactor)) for name, text in report.sections]
    if hasattr(report, "wasxfail"):
        report.wasxfail = lines_of(str(report.wasxfail), redactor)
    health = getattr(report, "health", None)
    if health:
        finding = cleaned(Finding.from_json(health), redactor)
        report.health = finding.to_json()  # type: ignore[attr-defined]
        if report.failed and finding.outcome in _FAILURES and not trace:
            report.longrepr = sentence(finding)
        # JUnit takes the properties of the teardown's report, which come from the item.
        item.user_properties += [
            ("id", finding.id),
            ("severity", finding.severity.value),
            ("outcome", finding.outcome.value),
            ("hint", finding.hint),
        ]
    report.user_properties = [
        (name, printable(redactor(str(value)), _LONGEST)) for name, value in item.user_properties
    ]
