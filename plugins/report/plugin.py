"""The pytest plugin that shows what a run came to: terminal, HTML, JSON, JUnit, exit status.

Where a session looks at a host, pytest's own output keeps quiet unless `-v` was given.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from plugins.finding import Finding
from plugins.redaction import Redactor
from plugins.report import shown, stdout
from plugins.report.account import Account, has_other_use, looks, on_worker, opened
from plugins.report.conclusion import Conclusion, Hooks, told
from plugins.report.delivery import (
    WRITTEN,
    deliver,
    on_stdout,
    placed,
    put,
    refuse_bad_targets,
    target_of,
)
from plugins.report.document import as_text
from plugins.report.shown import REDACTOR
from plugins.report.standing import (
    BEGAN,
    QUIET,
    TOLD,
    concluded,
    status_of,
    tell_what_did_not_run,
)
from plugins.report.status import ILL, process_status
from plugins.report.summary import last_line, summary
from plugins.report.terminal import on_terminal, progress, write

HTML = "reports/health.html"
JSON = "reports/health.json"

_LOOKS = pytest.StashKey[bool]()
_TRACE = pytest.StashKey[bool]()
_STATUS = pytest.StashKey[int]()


class Listener:
    """Keeps each finding as it is reported, and each failure that is none.

    Args:
        config: the configuration of the session, whose account is kept.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._account = opened(config)
        self._stdout_is_kept_clean = stdout.is_left(config)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down what the report says of a check."""
        health = getattr(report, "health", None)
        if health:
            self._account.reported[report.nodeid] = Finding.from_json(health)
            if self._config.stash[QUIET]:
                done, total = len(self._account.reported), len(self._account.selected)
                progress(self._config, done, total, "judging")
        elif report.failed:
            self._account.strangers.append((report.nodeid, report.longreprtext))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Write down a file that could not be collected."""
        if report.failed:
            self._account.strangers.append((report.nodeid, report.longreprtext))
            if self._stdout_is_kept_clean:
                said = f"{report.nodeid} cannot be collected: {report.longreprtext}\n"
                sys.stderr.write(shown.lines_of(said, Redactor()))

    def pytest_internalerror(self, excrepr: object) -> None:
        """Say it where it can be read, when pytest's own terminal writes to nowhere."""
        if self._stdout_is_kept_clean:
            sys.stderr.write(shown.lines_of(f"{excrepr}\n", Redactor()))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Quiet pytest and ask for the reports, before any other plugin reads its options."""
    config.stash[BEGAN] = time.monotonic()
    config.stash[QUIET] = False
    # With `-p no:terminal` nobody declares these two.
    verbose = config.getoption("verbose", 0)
    config.stash[_TRACE] = verbose > 1 or config.getoption("tbstyle", "auto") != "auto"
    config.stash[WRITTEN] = []
    asked = config.getoption("list_checks", False) or config.getoption("explain", None)
    if asked and not on_worker(config):
        _leave_stdout(config, stdout.silence)
    config.stash[_LOOKS] = looks(config)  # asked of every report, and it resolves paths
    if config.stash[_LOOKS]:
        config.option.showlocals = False
        if verbose <= 0:
            _quiet(config)
        if not on_worker(config):
            _ask_for_reports(config)
    if not on_worker(config):
        config.pluginmanager.register(Listener(config), "health-listener")


def _ask_for_reports(config: pytest.Config) -> None:
    refuse_bad_targets(config)
    if on_stdout(config):
        _leave_stdout(config, stdout.claim)
    _ask_for_html(config)


def _quiet(config: pytest.Config) -> None:
    config.stash[QUIET] = True
    config.option.verbose = -2
    config.option.no_header = True
    config.option.no_summary = True


def _leave_stdout(config: pytest.Config, leave: Callable[[pytest.Config], None]) -> None:
    leave(config)
    _quiet(config)


def _ask_for_html(config: pytest.Config) -> None:
    if not hasattr(config.option, "htmlpath"):
        return  # no pytest-html
    asked = config.option.htmlpath
    if not asked and config.getoption("no_reports", False):
        return
    from plugins.report import html  # it brings pytest-html, which is not always there

    path = placed(config, os.path.expandvars(asked)) if asked else config.rootpath / HTML
    try:
        html.put_up(config, path, asked=bool(asked))
    except OSError as error:
        config.option.htmlpath = None
        if asked:
            raise pytest.UsageError(f"--html {asked}: {error}") from None
        opened(config).warnings.append(f"no HTML page could be written: {error}")
        return
    config.pluginmanager.register(html, "health-page-hooks")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let others print again."""
    stdout.speak(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> Generator[None, tuple[str, str, Any], tuple[str, str, Any]]:
    """Let pytest count as ever, and write no letter for what we shall write a sentence."""
    category, letter, word = yield
    return (category, "", "") if config.stash[QUIET] else (category, letter, word)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let nothing out of a check's report that should not be seen."""
    report = yield
    config = item.config
    if hasattr(report, "health") or config.stash[_LOOKS]:
        redactor = config.stash.get(REDACTOR, None) or Redactor()
        shown.make_fit(item, report, redactor, trace=config.stash[_TRACE])
    return report


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Set the exit status, write the document and the page; JUnit is written after that."""
    config = session.config
    if on_worker(config) or has_other_use(config):
        return (yield)
    account = opened(config)
    if session.exitstatus == pytest.ExitCode.USAGE_ERROR and not account.reported:
        # Nothing was looked at: the reports of the last look are worth more than empty ones.
        return (yield)
    if looks(config) or account.findings():
        _conclude(session, account)
    return (yield)


def _conclude(session: pytest.Session, account: Account) -> None:
    config = session.config
    redactor = config.stash.get(REDACTOR, None) or Redactor()
    account.strangers[:] = [(n, shown.lines_of(t, redactor)) for n, t in account.strangers]
    reporter = config.pluginmanager.getplugin("terminalreporter")
    for warning in reporter.stats.get("warnings", ()) if reporter else ():
        warning.message = shown.lines_of(warning.message, redactor)
    config.hook.pytest_health_concluding(config=config)
    tell_what_did_not_run(config, account)
    own = int(session.exitstatus)
    if own in {0, ILL}:
        own = ILL if account.strangers else 0
    status = status_of(account, own)
    # The document says what the checks came to; what could not be written is no matter of theirs.
    if told(config, concluded(config, status, final=True)):
        status = status_of(account, own or ILL)
    config.stash[_STATUS] = status
    session.exitstatus = process_status(status, nagios=bool(target_of(config, "nagios_line")))


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make the hooks of this project known."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> str | None:
    """Write the result document."""
    text, what = as_text(conclusion.document), "the result document"
    if target_of(config, "health_json"):
        return deliver(config, "health_json", text, what) or None
    if not config.getoption("no_reports", False):
        put(config, config.rootpath / JSON, text, what)
    return None


def pytest_terminal_summary(config: pytest.Config) -> None:
    """Write what was found."""
    status = config.stash.get(_STATUS, None)
    if status is None:
        return
    seconds = time.monotonic() - config.stash[BEGAN]
    if config.stash.get(TOLD, False):
        write(config, last_line(opened(config), status, seconds))
        return  # all the rest was told when it came
    full = not on_terminal(config) or not config.stash[QUIET]
    written = config.stash[WRITTEN]
    for line in summary(opened(config), status, seconds, full=full, reports=", ".join(written)):
        write(config, line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of what was opened."""
    stdout.release(config)
