"""`--bundle FILE.tar.zst`: after an ordinary look, a file for whoever is to help, without secrets.

It holds what every probe saw, so that `--from-bundle` can judge it anywhere, and what the systems
want in it beside. It is masked by the rules of `plugins.redaction`, judged once more from what is
masked, scanned as it was packed, and only then handed out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from plugins.report.account import looks, on_worker, refuse_beside
from plugins.report.conclusion import Conclusion
from plugins.report.delivery import STDOUT, no_place, placed
from plugins.report.terminal import Line, write
from plugins.text import printable

ENDING = ".tar.zst"
_ITEMS = pytest.StashKey[list[pytest.Item]]()
_TOLD = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    option = parser.getgroup("health").addoption
    option("--bundle", metavar="FILE.tar.zst", help="write what was seen, without secrets, to send")
    option("--bundle-dry-run", action="store_true", help="list what would be in; write nothing")
    option(
        "--bundle-mask",
        action="append",
        default=[],
        choices=["address", "home"],
        help="mask names of home folders, or IP addresses, in the bundle too",
    )


def _asked(config: pytest.Config) -> bool:
    return bool(config.option.bundle or config.option.bundle_dry_run)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Refuse what makes no sense with a bundle, and a place where one cannot be written."""
    if _asked(config) and not on_worker(config):
        refuse_beside(config, "--bundle", "fix", "from_bundle", "print_unit", "watch")
        if not looks(config):
            raise pytest.UsageError("--bundle looks at a host: give it healthchecks/ alone")
        if config.option.bundle:
            _refuse_place(config.option.bundle, placed(config, config.option.bundle))
        if config.option.bundle_dry_run:
            config.option.no_reports = True
        # One process: the facts are where the checks are judged.
        vars(config.option).update(numprocesses=None, dist="no", tx=[])
    return (yield)


def _refuse_place(said: str, path: Path) -> None:
    shown = printable(said)
    if not path.name.endswith(ENDING) or path.name == ENDING:
        raise pytest.UsageError(f"--bundle {shown}: the name must end in {ENDING}")
    if os.path.lexists(path):
        raise pytest.UsageError(f"--bundle {shown}: something stands there; name another file")
    if trouble := no_place(path):
        raise pytest.UsageError(f"--bundle {shown}: {trouble}")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the checks: what is masked is judged by them once more."""
    session.config.stash[_ITEMS] = list(session.items)


@pytest.hookimpl(trylast=True)
def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> str | None:
    """Make the bundle and write it, or list what would be in it."""
    if not _asked(config) or not conclusion.final:
        return None
    from plugins.bundle import making, packing

    try:
        made, content = making.made(config, conclusion, config.stash[_ITEMS])
        if config.option.bundle and not config.option.bundle_dry_run:
            making.hand_out(placed(config, config.option.bundle), content)
    except (making.NotHandedOut, packing.NoBundle, OSError) as why:
        said = why.strerror if isinstance(why, OSError) else str(why)
        trouble = f"no bundle was written: {said}"
        conclusion.account.warnings.append(trouble)
        sys.stderr.write(f"{trouble}\n")
        return trouble
    config.stash[_TOLD] = list(making.lines_of(config, made, len(content)))
    return None


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(config: pytest.Config) -> None:
    """Tell of the bundle, after all that was found."""
    for line in config.stash.get(_TOLD, ()):
        if STDOUT in config.stash:  # that is the document's alone
            sys.stderr.write(f"{printable(line, 2000)}\n")
        else:
            write(config, Line(printable(line, 2000)))
