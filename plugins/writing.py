"""`--prometheus`, `--tap`, `--nagios`, `--agent-report`: a run for other programs, any at once."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Generator

import pytest

from plugins.report.account import has_other_use, looks, on_worker
from plugins.report.conclusion import Conclusion
from plugins.report.delivery import deliver, target_of
from plugins.report.status import nagios_state

_PRIVATE, _PUBLIC = 0o600, 0o644
# Option -> what it is, and the mode of its file: node_exporter reads as another user.
_OUTPUTS = {
    "prometheus": ("the metrics", _PUBLIC),
    "tap": ("the TAP document", _PRIVATE),
    "agent_report": ("the report for agents", _PRIVATE),
    "nagios_line": ("the line for Nagios", _PRIVATE),
}
_NAGIOS = "one line with perfdata, alone on stdout, and Nagios's own exit status"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    option = parser.getgroup("health").addoption
    option(
        "--prometheus",
        metavar="PATH",
        help="write metrics for node_exporter's textfile collector; - for stdout alone",
    )
    option("--tap", metavar="PATH", help="write a TAP document; - for stdout alone")
    option(
        "--agent-report",
        metavar="PATH",
        help="write at most 200 lines of Markdown for a coding agent; - for stdout alone",
    )
    option(
        "--no-reports",
        action="store_true",
        help="write nothing into reports/; what is asked for by name is written",
    )
    with contextlib.suppress(ValueError):  # pytest-testinfra has the same option, and comes first
        option("--nagios", action="store_true", help=_NAGIOS)


def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> str | None:
    """Write every output that was asked for."""
    troubles = []
    for option, (what, mode) in _OUTPUTS.items():
        if target_of(config, option):
            maker = importlib.import_module(f"plugins.outputs.{option}")
            text = maker.text(conclusion)
            troubles.append(deliver(config, option, text, what, mode=mode))
    return "; ".join(filter(None, troubles)) or None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Take `--nagios` over; end a use that is wrong as Nagios expects it, with UNKNOWN."""
    if config.option.nagios and (looks(config) or has_other_use(config)):
        # pytest-testinfra would count pytest's own outcomes, and say OK of a file with an error.
        vars(config.option).update(nagios=False, nagios_line=True)
    try:
        return (yield)
    except pytest.UsageError as why:
        if not getattr(config.option, "nagios_line", False) or on_worker(config):
            raise
        word, status = nagios_state(pytest.ExitCode.USAGE_ERROR)
        print(f"AGENT HEALTH {word} - {' '.join(map(str, why.args))}")  # noqa: T201
        return status
