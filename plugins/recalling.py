"""`--history` prints the last runs; `--baseline RUN` has a run compared with one of them."""

from __future__ import annotations

import pytest

from plugins.report.account import on_worker


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("health")
    group.addoption("--history", action="store_true", help="print the last runs; looks at nothing")
    group.addoption(
        "--baseline",
        metavar="RUN",
        help="tell changes against this run of --history: its id, a date, or first",
    )


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print the history where that was asked for; find the run to compare with."""
    option = config.option
    if on_worker(config) or not (option.history or option.baseline is not None):
        return None
    from plugins.history.asked import recalled

    return recalled(config)
