"""`[notify]`: alerts on what changes, and pings that say that the checks themselves live.

Neither makes a run fail, or wait longer than the deadline of that table; what could not be sent is
said. `--notify-test` sends one of each now.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from plugins.alerts.settings import notify_of
from plugins.redaction import Redactor
from plugins.report.account import looks, on_worker, opened, scope
from plugins.report.conclusion import Conclusion
from plugins.report.shown import REDACTOR
from plugins.report.status import HEALTHY, ILL
from plugins.report.stdout import is_left
from plugins.report.terminal import Line, write
from plugins.run import RUN

if TYPE_CHECKING:
    # Most runs tell nobody, and load none of it.
    from plugins.alerts.session import Alerts

    ALERTS: pytest.StashKey[Alerts]

ALERTS = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--notify-test",
        action="store_true",
        help="send a test message and a heartbeat to all that [notify] names; looks at nothing",
    )


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Send the test messages where that is all that was asked."""
    if not config.option.notify_test or on_worker(config) or config.option.print_systems:
        return None
    notify = notify_of(config.stash[RUN].configuration.notified)
    if not notify.variables:
        raise pytest.UsageError(
            "--notify-test: no systems file names anybody in [notify]; see docs/alerts.md"
        )
    from plugins.alerts.session import tried

    outcome = tried(notify, opened(config).name, config.stash[REDACTOR])
    for name, why in outcome.items():
        print(f"{name}: {f'NOT SENT: {why}' if why else 'sent'}")  # noqa: T201 - what was asked for
    return ILL if any(outcome.values()) else HEALTHY


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say that the run begins; tell what nobody can be told by."""
    config = session.config
    run = config.stash.get(RUN, None)
    if run is None or run.demo or on_worker(config) or not looks(config):
        return
    notify = notify_of(run.configuration.notified)
    if not notify.variables:
        return
    from plugins.alerts.session import begun

    mask = config.stash.get(REDACTOR, None) or Redactor()
    # That a narrow run went well must not be taken for the end of what broke a wider one.
    config.stash[ALERTS] = begun(notify, run, opened(config), mask, scope(config))


@pytest.hookimpl(wrapper=True)
def pytest_health_concluded(
    config: pytest.Config, conclusion: Conclusion
) -> Generator[None, list[object], list[object]]:
    """Begin to send when all is written; what has come of it is waited for when all is shown."""
    troubles = yield
    if ALERTS in config.stash:
        conclusion.account.unwritten = any(troubles)
        config.stash[ALERTS].concluded(conclusion)
    return troubles


def pytest_health_round(config: pytest.Config) -> list[str] | None:
    """Go on sending in a watch."""
    if ALERTS not in config.stash:
        return None
    return config.stash[ALERTS].round(opened(config))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(config: pytest.Config) -> None:
    """Wait for what is on its way, and say what could not be sent."""
    _finish(config)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Do so where there is no terminal."""
    _finish(config)


def _finish(config: pytest.Config) -> None:
    alerts = config.stash.get(ALERTS, None)
    if alerts is None:
        return
    try:
        lines = alerts.finish(opened(config))
    except KeyboardInterrupt:
        lines = ["interrupted: what was not yet sent is sent by the next run"]
    mute = is_left(config) or not config.pluginmanager.hasplugin("terminalreporter")
    for line in lines:
        if mute and not line.startswith("told by"):
            sys.stderr.write(f"{line}\n")
        elif not mute:
            write(config, Line(line, style=() if line.startswith("told by") else ("yellow",)))
