"""The HTML page, by pytest-html: its table gets our columns, our order and our words.

pytest-html takes every cell, and the details of a row, as raw HTML: all that comes from a host or a
test id is escaped here. Cells and header cells stand at the same index in every row, also in rows
that are no finding.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import pytest

from plugins.finding import Finding, Outcome
from plugins.report.account import Account, opened
from plugins.report.document import rank, tool, verdict, worst_first
from plugins.report.summary import UNDO, ability
from plugins.text import printable

STYLE = Path(__file__).with_name("health.css")

# pytest-html filters by its own seven words: they stay in the cells, and people read these.
_LABELS = {
    "failed": "ill, failed",
    "passed": "healthy, fixed",
    "skipped": "absent, blocked, not run",
    "xfailed": "silenced",
    "error": "cannot tell, errors",
}
_COLUMNS = (
    ("result", "Outcome"),
    ("severity", "Severity"),
    ("system", "System"),
    ("testId", "Check"),
    ("todo", "What to do"),
    ("fixed", "Fixed"),
    ("duration", "Duration"),
)


def _shown(text: str, limit: int = 2000) -> str:
    return escape(printable(text, limit))


def _typed(text: str) -> str:
    """Return the text with what stands between backticks as what a person types."""
    return re.sub(r"`([^`]+)`", r"<kbd>\1</kbd>", _shown(text))


def prepare(config: pytest.Config, path: Path) -> None:
    """Ask pytest-html for a self-contained page at the path, readable by its owner only.

    Raises:
        OSError: the page cannot be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    config.option.htmlpath = str(path)


def _fixed(finding: Finding) -> str:
    fix = finding.fix
    if finding.outcome is Outcome.FIXED:
        return "yes"
    if fix is not None:
        return _shown(fix.state.replace("_", " "))
    if finding.outcome is Outcome.ILL:
        return {"safe": "--fix can", "unsafe": "--fix=unsafe can", "manual": "by hand"}[
            finding.safety.name.lower()
        ]
    return ""


def cells_of(finding: Finding, result: str, duration: str) -> list[str]:
    """Return a row's cells.

    Args:
        finding: what the row is about.
        result: pytest-html's own word; its filter reads it.
        duration: pytest-html's own cell, kept where nothing was looked at.
    """
    outcome = finding.outcome.value
    place, severity, _ = rank(finding)
    # The comment is the sort key: it comes before the word, and nobody sees it.
    worth = f"<!--{place}{severity}--><b>{severity}</b>"
    head = f"<b>{_shown(finding.title or finding.id)}</b>"
    told = f"<span>{_shown(finding.message)}</span>" if finding.message else ""
    if finding.duration_s:
        duration = f'<td class="col-duration">{finding.duration_s * 1000:.0f} ms</td>'
    return [
        f'<td class="col-result" data-outcome="{outcome.replace("_", " ")}">{result}</td>',
        f'<td class="col-severity {outcome} {severity}">{worth}</td>',
        f'<td class="col-system">{_shown(finding.system)}</td>',
        f'<td class="col-testId"><code>{_shown(finding.id)}</code>{head}{told}</td>',
        f'<td class="col-todo">{_typed(finding.hint) if outcome != "healthy" else ""}</td>',
        f'<td class="col-fixed">{_fixed(finding)}</td>',
        duration,
    ]


def _listing(title: str, lines: Iterable[str], tag: str = "li") -> str:
    items = "".join(f"<{tag}>{_shown(line)}</{tag}>" for line in lines)
    return f"<h4>{title}</h4><ul>{items}</ul>" if items else ""


def _paragraph(title: str, text: str) -> str:
    return f"<h4>{title}</h4><p>{_typed(text)}</p>" if text else ""


def details_of(finding: Finding) -> str:
    """Return what opens under a row, from the evidence to the plan, as one line of HTML."""
    fix = finding.fix
    parts = [
        _listing("Evidence", finding.evidence),
        _listing(
            "Measures",
            (f"{each.name}: {each}" for each in finding.measures),
        ),
        _paragraph("Blocked by", finding.blocked_by or ""),
        _paragraph("Why it matters", finding.why),
        # Where there is room the row itself says it.
        f'<div class="todo">{_paragraph("What to do", finding.hint)}</div>',
    ]
    if finding.outcome is Outcome.ILL and fix is None:
        parts.append(_paragraph("Cure", ability(finding)))
    if finding.silenced:
        waiver = finding.silenced
        text = f"until {waiver.until}, because {waiver.because} ({waiver.owner})"
        parts.append(_paragraph("Silenced", text))
    if fix is not None:
        parts.append(_paragraph(f"Fix {_shown(fix.state.replace('_', ' '))}", fix.message))
        parts.append(_listing("Plan", fix.plan, "code"))
        parts.append(_listing("Changes", fix.diff, "code"))
        if fix.run and fix.state == "taken":
            parts.append(_paragraph("Undo", f"{UNDO} {fix.run}"))
    parts.append(_listing("See", (*finding.guide, *finding.refs)))
    return f'<div class="health-details">{"".join(parts)}</div>'


def _summary(account: Account) -> str:
    rows = worst_first(account.findings())
    notes = [f"{system} is absent: {looked}" for system, looked in account.absences]
    notes += account.warnings
    lines = "".join(f"<li>{_shown(note)}</li>" for note in notes)
    ill = "".join(
        f"<li><b>{row.severity.value} {_shown(row.id)}</b> {_shown(row.message)}. "
        f"{_shown(row.hint)}</li>"
        for row in rows
        if row.outcome is Outcome.ILL
    )
    sick = any(row.outcome is Outcome.ILL for row in rows)
    return (
        f'<p class="verdict {"sick" if sick else "well"}">{_shown(verdict(rows))}</p>'
        + (f'<ul class="notes">{lines}</ul>' if lines else "")
        + f"<noscript><p>The table needs scripts; this is what is ill:</p><ul>{ill}</ul></noscript>"
    )


class Page:
    """The hooks by which pytest-html asks for the words of the page.

    Args:
        config: the configuration of the session, whose account is shown.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._report: Any = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Name the page, open it worst first, and give the filters words of ours."""
        self._report = report
        report.title = f"Health of {printable(opened(self._config).name)}"
        report.set_data("initialSort", "severity")
        report.set_data("renderCollapsed", ["passed", "skipped", "xfailed", "error"])
        for word, label in _LABELS.items():
            report.outcomes[word]["label"] = label
        # Values of this table are raw HTML too; by default it lists every plugin and package.
        account = opened(self._config)
        facts = {
            "Host": f"{account.name} ({account.host})",
            "Started": account.started.isoformat(" ", timespec="seconds"),
            "Made by": " ".join(tool().values()),
        }
        report.set_data("environment", {name: _shown(text) for name, text in facts.items()})

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Put our columns in place of pytest-html's."""
        cells[:] = [
            f'<th class="sortable" data-column-type="{name}">{title}</th>'
            for name, title in _COLUMNS
        ]

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_html_results_table_row(self, report: Any, cells: list[str]) -> None:
        """Put our cells in place of pytest-html's, as many as the header has."""
        result = cells[0].split(">", 1)[1].removesuffix("</td>")
        duration = cells[2]
        health = getattr(report, "health", None)
        if health:
            cells[:] = cells_of(Finding.from_json(health), result, duration)
            return
        blank = [f'<td class="col-{name}"></td>' for name, _ in _COLUMNS]
        blank[0] = f'<td class="col-result" data-outcome="{result.lower()}">{result}</td>'
        blank[1] = '<td class="col-severity"><!--0!--></td>'
        blank[3] = f'<td class="col-testId"><code>{_shown(report.nodeid)}</code></td>'
        blank[6] = duration
        cells[:] = blank

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_html_results_table_html(self, report: Any, data: list[str]) -> None:
        """Put the finding's details in place of the traceback."""
        health = getattr(report, "health", None)
        if health:
            data[:] = [details_of(Finding.from_json(health))]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Say on top how the host is."""
        account = opened(self._config)
        self._report.title = f"Health of {printable(account.name)}"
        prefix.append(_summary(account))
