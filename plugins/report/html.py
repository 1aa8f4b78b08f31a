"""The HTML page: pytest-html makes the file and calls its hooks, the page in it is ours.

pytest-html's own page draws every row at once, and much of it cannot be reached by keyboard; so its
maker gets our template (see `page.py`), and is told to write when the run is concluded.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pytest_html.report_data import ReportData  # type: ignore[import-untyped]
from pytest_html.selfcontained_report import SelfContainedReport  # type: ignore[import-untyped]

from plugins.report.account import opened
from plugins.report.conclusion import Conclusion
from plugins.report.delivery import WRITTEN, named
from plugins.report.document import save
from plugins.report.page import page_of
from plugins.text import printable

MAKER = pytest.StashKey["Maker"]()


def prepare(path: Path) -> None:
    """Make the file, readable by its owner only, so that a bad path is told before the run.

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


class Maker(SelfContainedReport):  # type: ignore[misc]
    """pytest-html's maker of a self-contained file, and the template that it fills.

    Args:
        config: of the session, whose account is shown.
        path: of the file.
        asked: somebody named the path: the run fails where it cannot be written.
    """

    def __init__(self, config: pytest.Config, path: Path, *, asked: bool) -> None:
        styles = "".join(_read(name) for name in config.option.css)
        super().__init__(str(path), config, ReportData(config), self, styles)
        self._health_config = config
        self._health_path = path
        self._asked = asked
        self._session: pytest.Session | None = None
        self._conclusion: Conclusion | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the session; pytest-html's own hooks want it."""
        self._session = session
        super().pytest_sessionstart(session)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take nothing: the account has the findings."""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take nothing: the account has the errors."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write nothing: where a host was looked at, it is written by now."""

    def pytest_terminal_summary(self) -> None:
        """Say nothing: the summary names the reports."""

    def conclude(self, conclusion: Conclusion) -> str:
        """Write the page; return the sentence of what kept it from where it was asked for."""
        self._conclusion = conclusion
        try:
            if conclusion.final and self._session is not None:
                super().pytest_sessionfinish(self._session)
            else:
                self._generate_report()
        except OSError as error:
            trouble = f"the HTML page could not be written: {error.strerror}"
            known = conclusion.account.warnings
            if trouble not in known:
                known.append(trouble)
            return trouble if self._asked else ""
        written = self._health_config.stash[WRITTEN]
        name = named(self._health_config, self._health_path)
        if name not in written:
            written.insert(0, name)  # it is what people look at
        return ""

    def render(self, **words: Any) -> str:
        """Return the page; pytest-html asks its template for it."""
        if self._conclusion is None:
            return ""
        guests = [part for parts in words["additional_summary"].values() for part in parts]
        return page_of(
            self._conclusion.account,
            self._conclusion.document,
            styles=words["styles"],
            guests="".join(map(str, guests)),
        )

    def _write_report(self, rendered_report: str) -> None:
        """Write whole or not at all: on a full disk the page of the run before stays."""
        save(self._health_path, rendered_report)


def _read(name: str) -> str:
    text = Path(os.path.expandvars(name)).expanduser().read_text("utf-8", "replace")
    return text.replace("</", "<\\/")  # the same to CSS, and it does not end the element


def put_up(config: pytest.Config, path: Path, *, asked: bool) -> None:
    """Let there be a page at the path, in place of the one that pytest-html would make.

    Args:
        config: of the session.
        path: of the file.
        asked: somebody named it.

    Raises:
        OSError: the page cannot be written there, or a file of `--css` cannot be read.
    """
    prepare(path)
    maker = Maker(config, path, asked=asked)
    maker._report.title = f"Health of {printable(opened(config).name)}"
    config.option.htmlpath = None  # or pytest-html would put up its own
    config.stash[MAKER] = maker
    config.pluginmanager.register(maker, "health-page")


def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> str | None:
    """Write the page."""
    maker = config.stash.get(MAKER, None)
    return (maker.conclude(conclusion) or None) if maker else None
