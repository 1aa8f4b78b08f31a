"""What a run has come to, written: the document, and the exit status that stands in it.

It is written at the end of a run, and in a watch whenever something changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from plugins.report.account import Account, opened
from plugins.report.conclusion import Conclusion, told
from plugins.report.delivery import WRITTEN
from plugins.report.document import document
from plugins.report.status import ILL, exit_status
from plugins.report.summary import summary
from plugins.report.terminal import Line, on_terminal

BEGAN = pytest.StashKey[float]()
QUIET = pytest.StashKey[bool]()
TOLD = pytest.StashKey[bool]()


def status_of(account: Account, own: int) -> int:
    """Return the exit status of what is known so far; `own` is pytest's."""
    return exit_status(
        account.findings(),
        fail_on=account.fail_on,
        required=account.required,
        pytest_status=own,
    )


def takers_of(config: pytest.Config, *modules: str) -> list[Any]:
    """Return the plugins that stand in these modules, such as the one that writes JUnit's file."""
    return [
        plugin
        for plugin in config.pluginmanager.get_plugins()
        if type(plugin).__module__.startswith(modules)
    ]


def tell_what_did_not_run(config: pytest.Config, account: Account) -> None:
    """Give JUnit a row for each check that never came to its turn."""
    takers = takers_of(config, "_pytest.junitxml")
    others = [each for each in config.pluginmanager.get_plugins() if each not in takers]
    hook = config.pluginmanager.subset_hook_caller("pytest_runtest_logreport", others)
    for nodeid, finding in account.unreported():
        path, _, name = nodeid.partition("::")
        where = (path, None, name)
        reason = (path, 0, f"not run: {finding.message}".rstrip(" :"))
        hook(
            report=pytest.TestReport(
                nodeid, where, {}, "skipped", reason, "setup", health=finding.to_json()
            )
        )
        hook(report=pytest.TestReport(nodeid, where, {}, "passed", None, "teardown"))


def so_far(config: pytest.Config) -> Iterator[str]:
    """Give the lines of the summary while the run goes on, and write the document."""
    config.stash[TOLD] = True
    account = opened(config)
    status = write_so_far(config)
    written = config.stash[WRITTEN]
    seconds = time.monotonic() - config.stash[BEGAN]
    on_one = on_terminal(config)
    width = config.get_terminal_writer().fullwidth if on_one else 0
    full = not on_one or not config.stash[QUIET]
    for line in summary(account, status, seconds, full=full, reports=", ".join(written)):
        for piece in line.wrapped(width):
            yield marked(config, Line(piece, style=line.style))


def marked(config: pytest.Config, line: Line) -> str:
    """Return a line's text with its colours, where a person sees them."""
    if not on_terminal(config):
        return line.text
    return config.get_terminal_writer().markup(line.text, **dict.fromkeys(line.style, True))


def write_so_far(config: pytest.Config) -> int:
    """Write the document of a run that goes on; return the status that it would end with."""
    config.hook.pytest_health_concluding(config=config)
    status = status_so_far(config)
    told(config, concluded(config, status, final=False))
    return status


def status_so_far(config: pytest.Config) -> int:
    """Return the status that a run which goes on would end with."""
    account = opened(config)
    return status_of(account, ILL if account.strangers else 0)


def concluded(config: pytest.Config, status: int, *, final: bool) -> Conclusion:
    """Return what the run has come to, with the status that it ends or would end with."""
    account = opened(config)
    body = document(account, status, datetime.now().astimezone())
    seconds = time.monotonic() - config.stash[BEGAN]
    return Conclusion(account, body, status, seconds, final)
