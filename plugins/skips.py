"""Skips of the project's own tests: named loudly, and failures where CI says so."""

from __future__ import annotations

import os

import pytest

SKIPPED = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin with an empty list."""
    config.stash[SKIPPED] = []


def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> None:
    """Remember each skip that is no outcome of a health check."""
    if report.skipped and not hasattr(report, "health") and not hasattr(report, "wasxfail"):
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        row = (report.nodeid, said)
        if row not in config.stash[SKIPPED]:
            config.stash[SKIPPED].append(row)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name what this machine could not have, and how many tests that took away."""
    skipped = config.stash[SKIPPED]
    if skipped:
        terminalreporter.section("NOT TESTED HERE", red=True, bold=True)
        for reason in dict.fromkeys(reason for _, reason in skipped):
            count = sum(other == reason for _, other in skipped)
            terminalreporter.write_line(f"{count} tests: {reason}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that must not skip anything."""
    if os.environ.get("HEALTHCHECKS_NO_SKIPS") and session.config.stash[SKIPPED]:
        session.exitstatus = max(int(session.exitstatus), 1)
