"""Probes of the run itself: its waivers, what it requires, what it expects."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from healthchecks.suite.system import Suite
from plugins import Absent, probe
from plugins.configuration import Configuration
from plugins.outcomes import NoFact
from plugins.run import Run
from plugins.text import nearest


@dataclass(frozen=True)
class NamedWaiver:
    """A waiver and the check that it names; prints as one piece of evidence."""

    check: str
    until: datetime.date
    owner: str
    because: str

    def __str__(self) -> str:
        return f"{self.check} until {self.until} ({self.owner}: {self.because})"


def _waivers(configuration: Configuration) -> tuple[NamedWaiver, ...]:
    if not configuration.waivers:
        raise Absent(f"no waiver stands in {configuration.origin or 'any systems file'}")
    return tuple(
        NamedWaiver(name, datetime.date.fromisoformat(w.until), w.owner, w.because)
        for name, w in configuration.waivers.items()
    )


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).astimezone().date()


@probe
def expired_waivers(configuration: Configuration) -> tuple[NamedWaiver, ...]:
    """Waivers whose last day is over."""
    return tuple(w for w in _waivers(configuration) if w.until < _today())


@probe
def ending_waivers(system: Suite, configuration: Configuration) -> tuple[NamedWaiver, ...]:
    """Waivers that are still in force and end soon."""
    soon = _today() + datetime.timedelta(days=system.settings.waiver_warn_days)
    return tuple(w for w in _waivers(configuration) if _today() <= w.until <= soon)


@probe(late=True)
def unused_waivers(configuration: Configuration, run: Run) -> tuple[NamedWaiver, ...]:
    """Waivers of checks that ran in this run and had nothing to be silenced."""
    return tuple(
        waiver
        for waiver in _waivers(configuration)
        if waiver.check in run.verdicts
        and run.verdicts[waiver.check].outcome.value in {"healthy", "fixed"}
    )


@probe
def misspelt_ids(configuration: Configuration, run: Run) -> tuple[str, ...]:
    """Ids in waivers, --require and --fix-only that no check has, with the nearest one."""
    known = sorted(run.known)
    named = [*configuration.waivers, *run.required, *run.fix_only]
    unknown = dict.fromkeys(name for name in named if name not in run.known)
    return tuple(f"{name}{nearest(name, known)}" for name in unknown)


@probe
def missing_systems(configuration: Configuration, run: Run) -> tuple[str, ...]:
    """Systems that the systems file expects (enabled = true) and that are not found."""
    expected = [name for name, table in configuration.tables.items() if _expected(table)]
    if not expected:
        raise Absent("no system is expected (no table says `enabled = true`)")
    missing = []
    for name in expected:
        try:
            run.round.system(name)
        except NoFact as why:
            missing.append(f"{name}: {why}")
    return tuple(missing)


def _expected(table: object) -> bool:
    return isinstance(table, dict) and table["enabled"].value == "yes"
