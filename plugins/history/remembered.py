"""What a session remembers of earlier runs, and of what it concluded itself.

In a watch every conclusion is compared with the one before it. What changed is written once a
minute at most, and all of it once an hour: a watch of days does not fill the disk.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from json import dumps, loads
from typing import Any

import pytest

from plugins.finding import Finding
from plugins.history.file import NoHistory
from plugins.history.standing import Flaps, Standing, advanced, moment, past_of, states
from plugins.history.store import RUNS, Memory, Ran, Store
from plugins.history.subject import Subject, number
from plugins.past import Past, RunBefore
from plugins.report.account import Account, is_narrowed, opened
from plugins.report.conclusion import Conclusion
from plugins.report.document import worst_first
from plugins.run import RUN, Run, new_id
from plugins.text import printable

_CHANGES_EVERY_S = 60.0
_ALL_EVERY_S = 3600.0


@dataclass(frozen=True)
class Baseline:
    """The run that somebody wants changes told against: its id, and what it judged each check."""

    run: str
    minds: Mapping[str, str]

    def mind(self, names: Iterable[str]) -> str:
        """Return what it judged the first of these names that it knows; "" for nothing."""
        return next((self.minds[name] for name in names if name in self.minds), "")


@dataclass
class Remembered:
    """What this session remembers of earlier runs, and of what it concluded itself.

    Args:
        run: of the session.
        account: is told of the runs before.
        store: where runs are kept, None where none are.
        now: seconds since 1970, the moment that is judged.
        standings: of each check, by its id.
        formerly: id of a check -> ids that it had before.
        flaps: when a check counts as flapping.
        baseline: the run that changes are told against, None for the last one that judged.
        narrowed: some checks of its systems are left out, so it says nothing of their states.
    """

    run: Run
    account: Account
    store: Store | None
    now: float
    standings: dict[str, Standing] = field(default_factory=dict)
    formerly: dict[str, tuple[str, ...]] = field(default_factory=dict)
    flaps: Flaps = field(default_factory=Flaps)
    baseline: Baseline | None = None
    narrowed: bool = False
    _written: dict[str, tuple[str, str]] = field(default_factory=dict)
    _all_at: float = -_ALL_EVERY_S
    _at: float = -_CHANGES_EVERY_S
    _whole: int = 0
    _next: RunBefore | None = None

    @property
    def subject(self) -> Subject:
        """What the run looks at, by which runs are told apart."""
        return Subject.of(self.run)

    def recall(self) -> None:
        """Read what earlier runs came to."""
        memory = Memory()
        if self.store is not None:
            try:
                memory = self.store.recall(self.subject)
            except NoHistory as why:
                self.account.warnings.append(f"the history cannot be read: {printable(str(why))}")
        self.standings = dict(memory.standings)
        self.account.runs_before = memory.runs
        last = memory.runs[-1].id if memory.runs else ""
        self.account.compared_with = self.baseline.run if self.baseline else last

    def past(self, check: str, outcome: str, severity: str) -> Past:
        """Return what is known of a check that comes to an outcome now."""
        names = (check, *self.formerly.get(check, ()))
        was = next((self.standings[name] for name in names if name in self.standings), None)
        against = self.baseline.mind(names) if self.baseline else None
        return past_of(was, outcome, severity, self.now, flaps=self.flaps, against=against)

    def with_past(self, finding: Finding) -> Finding:
        """Return the finding with what is known of its check."""
        past = self.past(finding.id, finding.outcome.value, finding.severity.value)
        return finding if finding.past == past else replace(finding, past=past)

    def complete(self) -> None:
        """Give every finding of the account its past, also those that were never reported."""
        if self.run.watches:
            self.now = time.time()
        account = self.account
        if self._next is not None:
            account.runs_before = (*account.runs_before, self._next)[-RUNS:]
            account.compared_with = self.baseline.run if self.baseline else self._next.id
            self._next = None
        for node, finding in account.reported.items():
            account.reported[node] = self.with_past(finding)
        account.selected = [
            (node, row if node in account.reported else self.with_past(row))
            for node, row in account.selected
        ]

    def conclude(self, conclusion: Conclusion) -> None:
        """Keep what the run came to, and go on from it."""
        rows = {row.id: row for row in worst_first(conclusion.account.findings())[::-1]}
        altered = [row for row in rows.values() if self._written.get(row.id) != _essence(row)]
        for row in rows.values():
            was = self._standing(row.id)
            self.standings[row.id] = advanced(was, *_essence(row), self.now)
        clock = time.monotonic()
        since = clock - self._all_at
        late = bool(altered) or since >= _CHANGES_EVERY_S  # for when each was last seen ill
        whole = since >= _ALL_EVERY_S or (conclusion.final and late)
        if not whole and not (altered and clock - self._at >= _CHANGES_EVERY_S):
            return
        whole = whole or not self._whole  # there is none that it could add to
        kept = self._keep(conclusion, tuple(rows.values() if whole else altered), whole=whole)
        self._at = clock
        if whole:
            self._all_at, self._whole = clock, kept
        if self.store is not None and not kept:
            return  # what could not be kept is tried again with the next change
        self._written.update((row.id, _essence(row)) for row in rows.values())

    def _standing(self, check: str) -> Standing:
        for name in (check, *self.formerly.get(check, ())):
            if name in self.standings:
                return self.standings.pop(name)
        return Standing()

    def _keep(self, conclusion: Conclusion, rows: tuple[Finding, ...], *, whole: bool) -> int:
        first = not self._written
        ran = Ran(
            id=self.run.id if first else new_id(),
            started=self.now,
            seconds=conclusion.seconds if first else 0.0,
            status=conclusion.status,
            tally=_tally(conclusion.account.findings(), narrowed=self.narrowed),
            findings=rows,
            formerly=self.formerly,
            watch=self.run.watches,
            whole=0 if whole else self._whole,
        )
        try:
            kept = self.store.keep(self.subject, ran) if self.store else 0
        except NoHistory as why:
            warning = f"this run is not in the history: {printable(str(why))}"
            if warning not in conclusion.account.warnings:
                conclusion.account.warnings.append(warning)
            return 0
        told = ran.tally["states"]
        self._next = RunBefore(ran.id, moment(ran.started), ran.status, ran.seconds, told)
        return kept


def _essence(finding: Finding) -> tuple[str, str]:
    return finding.outcome.value, finding.severity.value


def _tally(findings: Iterable[Finding], *, narrowed: bool) -> Mapping[str, Any]:
    rows = tuple(findings)
    of_systems = {} if narrowed else states(rows)
    ill = Counter(row.severity.value for row in rows if row.outcome.value == "ill")
    changes = Counter(row.past.change for row in rows if row.past and row.past.change)
    outcomes = Counter(row.outcome.value for row in rows)
    return {"ill": ill, "outcomes": outcomes, "changes": changes, "states": of_systems}


class Reminder:
    """Gives each finding its past as it is reported, before anybody else sees it.

    Args:
        remembered: what is known.
    """

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Put the past on the finding that the report carries."""
        health = getattr(report, "health", None)
        if not health:
            return
        row = loads(health)
        former = getattr(report, "health_formerly", None)
        if former:
            self._remembered.formerly[row["id"]] = tuple(former)
        past = self._remembered.past(row["id"], row["outcome"], row["severity"])
        report.health = dumps({**row, "past": vars(past)})  # type: ignore[attr-defined]


def store_of(run: Run, tell: Callable[[str], None]) -> Store | None:
    """Return the history in force, None where none is kept."""
    days = number(run, "history_days", 0)
    return Store(run.state, days, tell) if days > 0 else None


def remembered(config: pytest.Config, baseline: Baseline | None) -> Remembered:
    """Return what a session remembers, before it recalled anything."""
    run, account = config.stash[RUN], opened(config)
    return Remembered(
        run,
        account,
        store_of(run, account.warnings.append),
        account.started.timestamp(),
        flaps=Flaps(number(run, "flapping_changes", 4), number(run, "flapping_runs", 10)),
        baseline=baseline,
        narrowed=is_narrowed(config),
    )
