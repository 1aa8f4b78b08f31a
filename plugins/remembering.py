"""The history of runs: read before anything is told, and written when it came to an end."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from plugins.report.account import looks, on_worker
from plugins.report.conclusion import Conclusion
from plugins.run import RUN

if TYPE_CHECKING:  # what looks at nothing imports nothing of it
    from plugins.history.remembered import Baseline, Remembered

REMEMBERED: pytest.StashKey[Remembered] = pytest.StashKey()
BASELINE: pytest.StashKey[Baseline] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a report say what its check was called before; the controller of workers has no items."""
    report = yield
    declared = getattr(getattr(item, "obj", None), "__check__", None)
    if declared is not None and declared.formerly and not hasattr(item, "callspec"):
        report.health_formerly = list(declared.formerly)  # type: ignore[attr-defined]
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Read the history before the first check is judged."""
    config = session.config
    # What a bundle comes to is another machine's past.
    if looks(config) and not on_worker(config) and config.stash[RUN].saved is None:
        from plugins.history.remembered import Reminder, remembered

        known = config.stash[REMEMBERED] = remembered(config, config.stash.get(BASELINE, None))
        known.recall()
        config.pluginmanager.register(Reminder(known), "health-reminder")
    return (yield)


def pytest_health_concluding(config: pytest.Config) -> None:
    """Complete the findings."""
    if REMEMBERED in config.stash:
        config.stash[REMEMBERED].complete()


def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> None:
    """Keep the run, where it judged anything."""
    if REMEMBERED in config.stash and conclusion.account.reported:
        config.stash[REMEMBERED].conclude(conclusion)
