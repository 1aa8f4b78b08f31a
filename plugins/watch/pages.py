"""JUnit's file of a watch: it takes each check once, as it was at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from plugins.finding import Finding
from plugins.judge import dress
from plugins.redaction import Redactor
from plugins.report.shown import REDACTOR, make_fit
from plugins.report.standing import takers_of


class HeldBack:
    """Keeps the reports of the first round from those who could not take them back.

    Args:
        config: of the session.
        takers: the plugins of JUnit, by name.
    """

    def __init__(self, config: pytest.Config, takers: Mapping[str, Any]) -> None:
        self._config = config
        self._takers = takers
        self._reports: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep it."""
        self._reports.append(report)

    def give(self, findings: Mapping[str, tuple[pytest.Item, Finding | None]]) -> None:
        """Let the takers have every report, with the last finding of each check."""
        for name, taker in self._takers.items():
            self._config.pluginmanager.register(taker, name)
        for report in self._reports:
            item, finding = findings.get(report.nodeid, (None, None))
            self._given(report, item, finding)
        self._reports.clear()

    def _given(
        self, report: pytest.TestReport, item: pytest.Item | None, finding: Finding | None
    ) -> None:
        health = getattr(report, "health", None)
        if item is not None and finding is not None and health not in {None, finding.to_json()}:
            report = _anew(self._config, report, item, finding)
        elif item is not None and report.when == "teardown":
            report.user_properties = list(item.user_properties)
        for taker in self._takers.values():
            take = getattr(taker, "pytest_runtest_logreport", None)
            if take is not None:
                take(report=report)


def _anew(
    config: pytest.Config, report: pytest.TestReport, item: pytest.Item, finding: Finding
) -> pytest.TestReport:
    made = pytest.TestReport(
        report.nodeid, report.location, {}, "passed", None, "call", duration=finding.duration_s
    )
    dress(made, finding, (str(item.path), item.location[1] or 0))
    item.user_properties.clear()  # they told the finding of the first round
    make_fit(item, made, config.stash.get(REDACTOR, None) or Redactor(), trace=False)
    return made


@contextlib.contextmanager
def held_back(session: pytest.Session) -> Iterator[HeldBack]:
    """Hold the reports back from JUnit, until they are given."""
    manager = session.config.pluginmanager
    found = takers_of(session.config, "_pytest.junitxml")
    takers = {manager.get_name(taker) or "": taker for taker in found}
    held = HeldBack(session.config, takers)
    for taker in takers.values():
        manager.unregister(taker)
    manager.register(held, "health-held-back")
    try:
        yield held
    finally:
        manager.unregister(held)
