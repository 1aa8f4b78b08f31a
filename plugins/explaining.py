"""`--explain ID`: a check's page in the terminal; looks at nothing and imports no report."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.catalog import Check, check_of
from plugins.finding import Safety, Severity
from plugins.report.account import FOLDER, on_worker
from plugins.report.terminal import Line, pour
from plugins.run import RUN
from plugins.text import nearest, printable

_COLLECTED = pytest.StashKey[dict[str, tuple[Check, Path]]]()
_RUN = f"pytest {FOLDER}/"
_BADNESS = {
    Severity.P0: "data is being lost or exposed now, or the system is down",
    Severity.P1: "it will be at the next crash, restart or full disk",
    Severity.P2: "degraded",
    Severity.P3: "untidy",
}
_CURE = {
    Safety.SAFE: "`--fix` can do this. It loses nothing and interrupts nothing, and `--undo` takes"
    " it back.",
    Safety.UNSAFE: "`--fix=unsafe` can do this. It may interrupt or lose something: what to do says"
    " what.",
    Safety.MANUAL: "Only a person can do this.",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--explain", metavar="ID", help="print a check's page; looks at nothing"
    )


def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let only the folder be loaded that the check stands in."""
    name = config.option.explain
    if name is None or on_worker(config):
        return
    vars(config.option).update(numprocesses=None, dist="no", tx=[])  # one process prints
    config.args[:] = [str(config.rootpath / FOLDER)]
    config.stash[_COLLECTED] = {}
    run = config.stash[RUN]
    system = name.partition(".")[0]
    run.only = (system,) if system in run.configuration.tables else ()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Take down every check, whatever is selected afterwards."""
    collected = item.config.stash.get(_COLLECTED, None)
    check = check_of(item) if collected is not None else None
    if collected is not None and check is not None:
        for name in (*check.formerly, check.id):
            collected[name] = (check, item.path)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print the page.

    Raises:
        pytest.UsageError: no check has this id.
    """
    config = session.config
    collected = config.stash.get(_COLLECTED, None)
    if collected is None:
        return
    session.items.clear()
    wanted = str(config.option.explain)
    # The part behind the system is enough where one check alone is called so.
    ends = [name for name in collected if name.endswith(f".{wanted}")]
    found = collected.get(wanted) or (collected[ends[0]] if len(ends) == 1 else None)
    if found is None:
        near = nearest(wanted, sorted(collected))
        raise pytest.UsageError(f"--explain {printable(wanted)}: no check has this id{near}")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    lines = page(found[0], found[1].relative_to(config.rootpath))
    pour(piece for line in lines for piece in line.wrapped(width))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End well where the page was printed."""
    explained = _COLLECTED in session.config.stash
    if explained and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


def page(check: Check, source: Path) -> Iterator[Line]:
    """Give the lines of a check's page.

    Args:
        check: what is declared of it.
        source: the file that it stands in, as it is shown.
    """
    cure = _CURE[check.safety]
    yield Line(check.id)
    yield Line()
    yield Line(f"Should be:  {check.title}.")
    yield Line(f"Severity:   {check.severity.value}, {_BADNESS[check.severity]}")
    yield Line()
    yield from _part("Why it matters", check.why)
    yield from _part("What to do", check.hint)
    yield from _part("Cure", cure)
    if check.safety is not Safety.MANUAL:
        yield Line(f"The steps, with nothing taken: {_RUN} --fix=plan --fix-only {check.id}", 2)
        yield Line()
    if check.slow:
        yield Line("Runs:       with --deep only")
    if check.guide:
        yield Line(f"Guide:      {', '.join(check.guide)}")
    for reference in check.refs:
        yield Line(f"Upstream:   {reference}", whole=True)
    if check.formerly:
        yield Line(f"Formerly:   {', '.join(check.formerly)}")
    yield Line(f"All checks: docs/checks/{check.system}.md", whole=True)
    yield Line(f"Source:     {source}", whole=True)


def _part(title: str, text: str) -> Iterator[Line]:
    yield Line(f"{title}:")
    yield Line(text, 2)
    yield Line()
