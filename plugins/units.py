"""`--print-unit KIND`: what runs the same command line by itself, on this machine or by a CI.

For this machine (systemd, launchd, cron) it is a script that installs it: it is read, and then
piped to sh. For a CI (github, gitlab) it is the file that the service reads.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from plugins import shortcuts
from plugins.alerts.settings import notify_of
from plugins.configuration import Configuration
from plugins.options import read_configuration, secrets_of
from plugins.redaction import Redactor
from plugins.report.account import looks, refuse_beside
from plugins.schedules.every import DAILY, Every
from plugins.schedules.job import NAME, Job
from plugins.serve import VARIABLE as SERVED_BY

_KINDS = ("systemd", "launchd", "cron", "github", "gitlab")
_IN_A_CHECKOUT = ("github", "gitlab")
# Where the engine, our state (with the lock of a watch) and Claude's configuration are.
_TOLD = ("DOCKER_HOST", "XDG_STATE_HOME", "CLAUDE_CONFIG_DIR")
_OURS = ("--print-unit", "--every")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("health")
    group.addoption(
        "--print-unit",
        choices=_KINDS,
        help="print what runs this same command line by itself; changes nothing",
    )
    group.addoption(
        "--every",
        metavar="INTERVAL",
        help="how often what --print-unit prints looks: 15m, 1h, 1d (the default)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print the unit where that is what was asked for."""
    kind = config.option.print_unit
    if kind is None:
        if config.option.every is not None:
            raise pytest.UsageError("--every belongs to --print-unit")
        return None
    shortcuts.resolve(config)
    refuse_beside(config, "--print-unit", "demo")
    try:
        print(_printed(kind, job_of(config, kind)), end="")  # noqa: T201 - what was asked for
    except ValueError as why:
        raise pytest.UsageError(f"--print-unit {kind}: {why}") from None
    return 0


def _printed(kind: str, job: Job) -> str:
    """Return the text; what makes those of other kinds is not loaded."""
    match kind:
        case "systemd":
            from plugins.schedules.systemd import systemd as made
        case "launchd":
            from plugins.schedules.launchd import launchd as made
        case "cron":
            from plugins.schedules.cron import cron as made
        case "github":
            from plugins.schedules.github import github as made
        case _:
            from plugins.schedules.gitlab import gitlab as made
    return made(job)


def job_of(config: pytest.Config, kind: str) -> Job:
    """Return what the command line asks for, without what asks for the unit.

    Raises:
        pytest.UsageError: it would not run, or not tell what it should.
        ValueError: it cannot be said to a program of this kind.
    """
    option = config.option
    configuration = read_configuration(config)
    _must_look(config, kind)
    folder = str(config.invocation_params.dir)
    told = tuple((name, os.environ[name]) for name in _TOLD if os.environ.get(name))
    words, path = _words(config), _path(os.environ.get("PATH", os.defpath))
    _must_be_printable((*words, folder, path, *(value for _, value in told)))
    _must_hold_no_secret(words, configuration)
    watch = getattr(option, "watch", None)
    every = _every(config)
    home = str(Path.home())
    return Job(
        program=(sys.executable, "-m", "pytest"),
        words=words,
        folder=folder,
        path=path,
        named="-".join((NAME, *option.system)),
        user=os.geteuid(),
        home=home,
        variables=f"{_configured(home)}/{NAME}/environment",
        secrets=(
            *_secrets(configuration),
            *([SERVED_BY] if getattr(option, "serve", None) else []),
        ),
        told=told,
        every=every,
        watch=watch,
        deadline=option.deadline,
        fixes=option.fix in {"safe", "unsafe"},
        junit=option.xmlpath or "",
        page=getattr(option, "htmlpath", None) or "reports/health.html",
        told_agents=(option.agent_report or "") if hasattr(option, "agent_report") else None,
    )


def _must_look(config: pytest.Config, kind: str) -> None:
    places = [Path(config.invocation_params.dir, word.split("::")[0]) for word in config.args]
    if not looks(config) or not all(place.exists() for place in places):
        raise pytest.UsageError("--print-unit: what is to look at a host needs healthchecks/")
    if kind in _IN_A_CHECKOUT and config.invocation_params.dir.resolve() != config.rootpath:
        raise pytest.UsageError(f"--print-unit {kind}: type it in {config.rootpath}")


def _every(config: pytest.Config) -> Every:
    option = config.option
    watch = getattr(option, "watch", None)
    if watch is not None and not 0 < watch < float("inf"):  # nan is no number of seconds either
        raise pytest.UsageError("--watch must be more than 0 seconds")
    if option.every is None:
        return DAILY
    if watch is not None:
        raise pytest.UsageError("--every does not go together with --watch, which says it itself")
    try:
        every = Every.read(option.every)
    except ValueError as why:
        raise pytest.UsageError(f"--every: {why}") from None
    if every.seconds <= option.deadline:
        raise pytest.UsageError(
            f"--every {every.short} is no longer than --deadline, {option.deadline:g} s"
        )
    return every


def _words(config: pytest.Config) -> tuple[str, ...]:
    kept: list[str] = []
    words = iter(str(word) for word in config.invocation_params.args)
    for word in words:
        if word in _OURS:
            next(words, None)
        elif not word.startswith(tuple(f"{option}=" for option in _OURS)):
            kept.append(word)
    return tuple(kept)


def _must_be_printable(words: tuple[str, ...]) -> None:
    for word in words:
        if not word.isprintable():
            raise pytest.UsageError(f"--print-unit: {word!r} cannot stand in a unit")


def _must_hold_no_secret(words: tuple[str, ...], configuration: Configuration) -> None:
    redactor = Redactor(secrets_of(configuration))
    for word in words:
        if redactor(word) != word:
            raise pytest.UsageError(
                f"--print-unit: {redactor(word)} holds a secret, which others could read in the "
                "unit: let the systems file name a variable that holds it"
            )


def _path(text: str) -> str:
    """Return PATH without what is named twice or is not there: cron takes no long line."""
    folders = [folder for folder in text.split(os.pathsep) if os.path.isdir(folder)]
    return os.pathsep.join(dict.fromkeys(folders)) or os.defpath


def _configured(home: str) -> str:
    return "/etc" if os.geteuid() == 0 else os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"


def _secrets(configuration: Configuration) -> tuple[str, ...]:
    """Return the names of the variables that hold secrets: those set now, and those of the user."""
    names = [
        str(setting.value)
        for table in configuration.tables.values()
        for key, setting in table.items()
        if key.endswith("_env")
        and (os.environ.get(str(setting.value)) or setting.origin == configuration.origin)
    ]
    names += notify_of(configuration.notified).variables
    return tuple(dict.fromkeys(n for n in names if re.fullmatch(r"[A-Za-z_]\w*", n, re.ASCII)))
