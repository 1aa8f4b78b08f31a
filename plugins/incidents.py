"""`--incident FILE.md`: the guide's incident report, beside what a run tells anyway."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugins.demo import folder_of
from plugins.remembering import REMEMBERED
from plugins.report import delivery
from plugins.report.account import looks, on_worker
from plugins.report.conclusion import Conclusion
from plugins.run import RUN

if TYPE_CHECKING:
    from plugins.history.judgements import Judged

_DAYS = 30  # of the history that an incident may have begun in


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--incident",
        metavar="FILE.md",
        help="write an incident report: what was ill, since when, what was done",
    )


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Refuse what cannot be written, before anything is looked at."""
    target = config.option.incident
    if target is None or on_worker(config):
        return
    if not looks(config):
        raise pytest.UsageError(
            "--incident tells of a look: give it healthchecks/ and no other use"
        )
    if target == "-":
        raise pytest.UsageError("--incident -: a person fills it in; name a file")
    path = delivery.placed(config, target)
    if os.path.lexists(path):
        # A person fills in what no check can know: that is not written over.
        raise pytest.UsageError(f"--incident {target}: it is there already; name another file")
    if trouble := delivery.no_place(path):
        raise pytest.UsageError(f"--incident {target}: {trouble}")


@pytest.hookimpl(trylast=True)
def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> str | None:
    """Write the report at the end, after the history."""
    target = config.getoption("incident", None)
    if target is None or not conclusion.final:
        return None
    path = delivery.placed(config, target)
    try:
        _write(config, conclusion, path)
    except OSError as error:
        return f"the incident report could not be written: {target}: {error.strerror}"
    config.stash[delivery.WRITTEN].append(delivery.named(config, path))
    return None


def _write(config: pytest.Config, conclusion: Conclusion, path: Path) -> None:
    from plugins.incident.episode import illnesses, incident, with_present
    from plugins.incident.gathering import steps
    from plugins.incident.writing import Scene, report
    from plugins.report.document import save, tool
    from plugins.report.shown import REDACTOR, lines_of

    account, run, now = conclusion.account, config.stash[RUN], datetime.now().astimezone()
    findings = account.findings()
    started = account.started.timestamp()
    rows = with_present(_judged(config, started), findings, started)
    found = illnesses(rows, {one.id: one for one in findings})
    taken = steps(run.state, account.host, folder_of(config), in_demo=bool(run.demo))
    told = incident(found, taken, now.timestamp())
    verdict = str(conclusion.document["summary"]["verdict"])
    scene = Scene(account.name, now, verdict, " ".join(tool().values()))
    save(path, lines_of(report(told, findings, scene), config.stash[REDACTOR]))


def _judged(config: pytest.Config, started: float) -> tuple[Judged, ...]:
    """Return what the history holds of the last weeks; one that cannot be read holds nothing."""
    from plugins.history.file import NoHistory

    remembered = config.stash.get(REMEMBERED, None)
    if remembered is None or remembered.store is None:
        return ()
    try:
        return remembered.store.judged(remembered.subject, started - _DAYS * 86_400.0)
    except NoHistory:
        return ()  # a warning says so already
