"""The command line, and what it means; kept stable from the first release on."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from plugins import configuration as files
from plugins import shortcuts
from plugins.alerts.settings import notify_of
from plugins.alerts.urls import secrets_of as url_secrets_of
from plugins.configuration import Configuration, Misconfigured
from plugins.finding import Severity
from plugins.redaction import Redactor, redact
from plugins.report.account import opened
from plugins.report.shown import REDACTOR
from plugins.report.terminal import progress, say
from plugins.run import RUN, Run
from plugins.serve import VARIABLE
from plugins.text import nearest, printable

SEVERITIES = [severity.value for severity in Severity]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("health", "health checks of this machine")
    option = group.addoption
    option("--systems", metavar="FILE", help="TOML file to lay over the shipped systems.toml")
    option("--system", metavar="NAME", action="append", default=[], help="only this system")
    option(
        "--demo",
        nargs="?",
        const="broken",
        choices=["broken", "healthy"],
        help="look at an embedded demo host instead of this machine",
    )
    _declare_fixing(option)
    shortcuts.declare(group)
    option("--fail-on", choices=SEVERITIES, default="P2", help="what fails the run (P2)")
    option("--show", choices=SEVERITIES, default="P3", help="what is shown (P3)")
    option("--require", metavar="ID", action="append", default=[], help="this check must have run")
    option("--deep", action="store_true", help="also the checks that are slow")
    option(
        "--deadline",
        type=float,
        metavar="S",
        help="seconds for all (60; 600 with --deep)",
    )
    option("--health-json", metavar="PATH", help="write the result document; - for stdout alone")
    option("--list-checks", action="store_true", help="the checks as JSON lines; touches nothing")
    option("--print-systems", action="store_true", help="the systems file in force")
    option(
        "--scenarios",
        action="store_true",
        help="prove every check on small worlds instead of looking at this machine",
    )


def _declare_fixing(option: Callable[..., None]) -> None:
    option(
        "--fix",
        nargs="?",
        const="safe",
        choices=["plan", "safe", "unsafe"],
        help="cure what can be cured: show the plan, take SAFE steps (default), or all but MANUAL",
    )
    option("--fix-only", metavar="ID", action="append", default=[], help="cure this check only")
    option("--undo", nargs="?", const="", metavar="RUN", help="take a run's fixes back (the last)")
    option("--recover", metavar="SYSTEM.PROCEDURE", help="run a named recovery procedure")
    option(
        "--with",
        dest="told",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an argument of the --recover procedure; may be given more than once",
    )
    option("--yes", action="store_true", help="go on with --recover without being asked")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Read the systems files; print them where that is all that was asked."""
    if config.option.list_checks:
        vars(config.option).update(numprocesses=None, dist="no", tx=[])  # one process prints
    shortcuts.resolve(config)
    config.stash[RUN] = run = Run.of(config, read_configuration(config))
    run.tell = lambda line: say(config, f"    {redact(printable(line, 600))}")
    run.progress = partial(progress, config)
    config.stash[REDACTOR] = Redactor(secrets_of(run.configuration))
    account = opened(config)
    account.required = run.required
    if config.option.print_systems:
        print(config.stash[REDACTOR](files.printed(run.configuration)), end="")  # noqa: T201 - the document asked for
        return 0
    return None


def secrets_of(configuration: Configuration) -> tuple[str, ...]:
    """Return the values of settings *_api_key, and of the variables that settings *_env name.

    The URLs by which people are told are secrets, too, and so is the token of `--serve`.
    """
    settings = [pair for table in configuration.tables.values() for pair in table.items()]
    names = (str(setting.value) for key, setting in settings if key.endswith("_env"))
    keys = (str(setting.value) for key, setting in settings if key.endswith("_api_key"))
    told = (os.environ[name] for name in (*names, VARIABLE) if os.environ.get(name))
    urls = url_secrets_of(notify_of(configuration.notified).variables)
    return (*told, *(key for key in keys if key), *urls)


def read_configuration(config: pytest.Config) -> Configuration:
    """Return the shipped defaults with the user's file over them.

    Raises:
        pytest.UsageError: a file or an option cannot be used.
    """
    try:
        read = files.shipped(config.rootpath / "healthchecks" / "systems.toml")
        if config.option.systems:
            read = files.with_file(read, Path(config.option.systems).expanduser())
    except Misconfigured as why:
        raise pytest.UsageError(printable(redact(str(why)), 2000)) from None
    for name in config.option.system:
        if name not in read.tables:
            hint = nearest(name, list(read.tables))
            raise pytest.UsageError(f"--system {name}: there is no such system{hint}")
    if config.option.fix_only and config.option.fix is None:
        raise pytest.UsageError("--fix-only narrows a --fix: give that too")
    if config.option.deadline is None:
        config.option.deadline = 600.0 if config.option.deep else 60.0
    if not config.option.deadline > 0:  # nan is no number of seconds either
        raise pytest.UsageError("--deadline must be more than 0 seconds")
    return read
