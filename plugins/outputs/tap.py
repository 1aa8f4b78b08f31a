"""TAP version 13: a test point a check, worst first, with what is known of it as a YAML block.

A harness comes to the verdict of the exit status: what does not fail the run is TODO or SKIP, what
could not be told is `not ok`, and a run that went wrong bails out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.finding import Finding, Outcome, Severity
from plugins.report.account import Account
from plugins.report.conclusion import Conclusion
from plugins.report.document import worst_first
from plugins.report.status import CRITICAL, HEALTHY, ILL, UNTOLD, meaning, unmet, untold
from plugins.text import printable

_EVIDENCE, _LINE = 20, 600
_WELL = {Outcome.HEALTHY, Outcome.FIXED}
_SKIPPED = {Outcome.ABSENT, Outcome.BLOCKED}
# With these the points themselves say it; with all others the run has no say.
_TOLD_BY_POINTS = {HEALTHY, ILL, CRITICAL, UNTOLD}


@dataclass(frozen=True)
class _Point:
    well: bool
    name: str
    directive: str = ""
    finding: Finding | None = None
    said: str = ""


def text(conclusion: Conclusion) -> str:
    """Return the document, with a line break at its end."""
    account, status = conclusion.account, conclusion.status
    points = list(_points(account))
    lines = ["TAP version 13", f"1..{len(points)}"]
    for number, point in enumerate(points, 1):
        directive = f" # {point.directive}" if point.directive else ""
        name = printable(point.name, _LINE).replace("#", "")
        lines.append(f"{'ok' if point.well else 'not ok'} {number} - {name}{directive}")
        lines.extend(_block(point))
    if status not in _TOLD_BY_POINTS:
        lines.append(f"Bail out! {meaning(status, account.fail_on)}")
    return "\n".join(lines) + "\n"


def _points(account: Account) -> Iterator[_Point]:
    rows = worst_first(account.findings())
    missing = unmet(rows, account.required)
    failing = {id(row) for row in untold(rows)}
    for row in rows:
        fails = id(row) in failing or row.id in missing
        yield _point(row, account.fail_on, fails=fails)
    known = {row.id for row in rows}
    for name in missing:
        if name not in known:
            yield _Point(False, name, said="required, and no check of this run has this id")
    for node, said in account.strangers:
        yield _Point(False, node, said=said.strip()[-_LINE:])  # the error is at its end


def _point(row: Finding, fail_on: Severity, *, fails: bool) -> _Point:
    said = printable(row.message, _LINE)
    if row.outcome is Outcome.SILENCED and row.silenced:
        waiver = row.silenced
        why = printable(f"{waiver.because} ({waiver.owner})", _LINE)
        return _Point(False, row.id, f"TODO silenced until {waiver.until}: {why}", row)
    if row.outcome is Outcome.ILL and row.severity < fail_on and row.severity is not Severity.P0:
        below = f"TODO {row.severity.value} is below --fail-on {fail_on.value}"
        return _Point(False, row.id, below, row)
    if row.outcome in _SKIPPED and not fails:
        return _Point(True, row.id, f"SKIP {row.outcome.value}: {said}")
    return _Point(row.outcome in _WELL, row.id, finding=row)


def _block(point: _Point) -> Iterator[str]:
    """Give the lines of the YAML block that says what a point that is not ok came to."""
    if point.well:
        return
    row = point.finding
    words = {"message": point.said}
    if row is not None:
        words = {"outcome": row.outcome.value, "severity": row.severity.value}
        words |= {"message": row.message, "should be": row.title, "hint": row.hint}
    yield "  ---"
    for name, value in words.items():
        if value:
            yield f"  {name}: {_quoted(value)}"
    if row is not None and row.evidence:
        yield "  evidence:"
        yield from (f"    - {_quoted(each)}" for each in row.evidence[:_EVIDENCE])
        if len(row.evidence) > _EVIDENCE:
            yield f"    - {_quoted(f'and {len(row.evidence) - _EVIDENCE} more')}"
    yield "  ..."


def _quoted(said: str) -> str:
    """Return a text as YAML's scalar: JSON's, with escapes of YAML's own beyond 16 bits."""
    text = json.dumps(printable(said, _LINE), ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in text)
