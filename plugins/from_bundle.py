"""`--from-bundle FILE`: the same checks on what a bundle holds, on any machine.

No host is looked at: a bundle's facts take the place of every look. A check that the bundle cannot
answer, as it is of another version or as what it judges was masked, comes to "cannot tell".
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugins.catalog import check_of, checks_of
from plugins.configuration import Misconfigured
from plugins.finding import Finding, Outcome, Severity
from plugins.outcomes import CannotTell
from plugins.report.account import looks, on_worker, opened, refuse_beside
from plugins.report.delivery import placed
from plugins.report.document import tool
from plugins.run import RUN, Run
from plugins.text import printable

if TYPE_CHECKING:
    from plugins.bundle.opening import Opened

_OTHERS = (
    *("baseline", "bundle", "bundle_dry_run", "demo", "fix", "incident", "print_unit", "serve"),
    *("systems", "watch"),
)
_NOT_OURS = "the history is that of the machine that it came from"
_BECAUSE = {
    "baseline": _NOT_OURS,
    "incident": _NOT_OURS,
    "systems": "the bundle's own file is in force",
}


OPENED = pytest.StashKey["Opened"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--from-bundle", metavar="FILE", help="judge what a --bundle holds; looks at no host"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Refuse what makes no sense with it, before anything is printed or looked at."""
    if config.option.from_bundle is not None and not on_worker(config):
        listing = ("collectonly", "list_checks")
        refuse_beside(config, "--from-bundle", *_OTHERS, but=listing, because=_BECAUSE)
        listed = config.option.collectonly or config.option.list_checks
        if not listed and not looks(config):
            raise pytest.UsageError("--from-bundle judges by the checks: give it healthchecks/")
        vars(config.option).update(numprocesses=None, dist="no", tx=[])
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let the run judge the bundle."""
    said = config.option.from_bundle
    if said is None or config.option.collectonly or config.option.list_checks:
        return
    from plugins.bundle import opening, packing, recalled

    run, shown = config.stash[RUN], printable(str(said))
    try:
        members = packing.unpacked(packing.content_of(placed(config, said)))
        bundle = config.stash[OPENED] = opening.opened_bundle(members)
        past = recalled.recalled(members)
        run.configuration = opening.configuration(members, run.configuration, shown)
    except (packing.NoBundle, Misconfigured) as why:
        raise pytest.UsageError(f"--from-bundle {shown}: {printable(str(why), 600)}") from None
    _judge(run, bundle)
    account = opened(config)
    past.tell(account)
    config.pluginmanager.register(past, "health-past-of-the-bundle")
    account.required |= run.required
    made = bundle.moment.isoformat(timespec="seconds")
    account.host = f"bundle://{printable(Path(said).name)}"
    account.name = printable(f"{bundle.host}, from bundle {shown} made at {made}", 600)
    if bundle.version != tool()["version"]:
        account.warnings.append(
            f"the bundle was made by version {bundle.version} and is judged by {tool()['version']}"
        )


def _judge(run: Run, bundle: Opened) -> None:
    run.saved, run.moment = bundle.looks, bundle.moment
    run.only = run.only or tuple(name for name in bundle.only if name in run.configuration.tables)
    run.deep, run.deadline = bundle.deep, bundle.deadline
    run.required |= bundle.require


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave aside what was left aside, so that the same checks judge."""
    bundle = config.stash.get(OPENED, None)
    if bundle is None:
        return
    aside = [i for i, check in checks_of(items) if check.id in bundle.left_aside]
    if aside:
        config.hook.pytest_deselected(items=aside)
        items[:] = [item for item in items if item not in aside]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Give a row to each check of the bundle that is not known here."""
    bundle = session.config.stash.get(OPENED, None)
    if bundle is not None:
        _tell_of_strangers(session.config, bundle)


def _tell_of_strangers(config: pytest.Config, bundle: Opened) -> None:
    run, account = config.stash[RUN], opened(config)
    collected = {name.partition(".")[0] for name in run.known}
    for name, row in bundle.checks.items():
        away = run.only and row["system"] not in run.only
        partly = row["system"] in run.configuration.tables and row["system"] not in collected
        if name in run.known or away or partly:
            continue
        said = (
            f"version {bundle.version} judged it ({row['outcome']}), and no check here has its id"
        )
        finding = Finding(
            id=name,
            system=row["system"],
            severity=Severity(row["severity"]),
            outcome=Outcome.CANNOT_TELL,
            title=row["title"],
            message=said,
            hint=f"Judge the bundle by version {bundle.version}, which made it.",
        )
        account.selected.append((f"healthchecks/{row['system']}::{name}", finding))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let no check judge what the bundle does not hold for it."""
    bundle, check = item.config.stash.get(OPENED, None), check_of(item)
    if bundle is None or check is None:
        return
    names = (check.id, *check.formerly)
    why = next((bundle.unlike[name] for name in names if name in bundle.unlike), "")
    if why:
        raise CannotTell(f"the bundle cannot answer it: {why}")
    if not bundle.checks.keys() & set(names):
        raise CannotTell(
            f"the bundle cannot answer it: version {bundle.version}, which made it, did not"
            " judge this check"
        )
