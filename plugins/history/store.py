"""What stands in the history: read before a run tells anything, written when it has come to an end.

Runs are told apart by what they looked at: a demo or not, the host, and the systems file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugins.finding import Finding
from plugins.history import schema
from plugins.history.file import Damaged, used
from plugins.history.judgements import Judged, judged
from plugins.history.measured import Series, series
from plugins.history.pruning import prune
from plugins.history.standing import Standing, advanced, mind_of, moment
from plugins.history.subject import Subject
from plugins.past import RunBefore
from plugins.text import printable

if TYPE_CHECKING:
    from sqlite3 import Connection

RUNS = 30  # of the earlier runs, so many are recalled
_LONGEST_NAME = 200  # of a measure: it may hold a path of the host
_HOST = "SELECT number FROM hosts WHERE demo = ? AND spec = ? AND name = ? AND systems = ?"
_LAST = (
    "SELECT number, id, started, status, seconds, tally, watch, whole FROM runs WHERE host = ? "
    "ORDER BY number DESC LIMIT ?"
)
# A record of a watch holds what changed since the whole one before it.
_MINDS = (
    "SELECT id, outcome, severity FROM results "
    'JOIN checks ON checks.number = results."check" WHERE run IN (SELECT number FROM runs '
    "WHERE number IN (?1, ?2) OR (whole = ?2 AND whole > 0 AND number < ?1)) ORDER BY run"
)
_IS_WHOLE = "SELECT 1 FROM runs WHERE number = ? AND host = ? AND watch AND NOT whole"
_RUN = (
    "INSERT INTO runs (id, host, started, seconds, status, whole, watch, tally) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_STANDINGS = (
    "SELECT id, outcome, outcome_since, mind, mind_since, first_ill, last_ill, recent "
    'FROM standings JOIN checks ON number = "check" WHERE host = ?'
)
_ADVANCE = (
    'INSERT OR REPLACE INTO standings (host, "check", outcome, outcome_since, mind, mind_since, '
    "first_ill, last_ill, recent, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_RESULT = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Memory:
    """What is known of a subject: the standing of each check, and its last runs, oldest first."""

    standings: Mapping[str, Standing] = field(default_factory=dict)
    runs: tuple[RunBefore, ...] = ()


@dataclass(frozen=True)
class Kept:
    """A run that stands in the history.

    Args:
        number: of its record.
        before: what is told of it elsewhere.
        tally: counts of its findings: `ill` by severity, `outcomes`, and `changes` as told then.
        watch: whether it is a moment of a watch.
        whole: the number of the whole record that it adds to; 0 where it is one itself.
    """

    number: int
    before: RunBefore
    tally: Mapping[str, Any]
    watch: bool
    whole: int


@dataclass(frozen=True)
class Ran:
    """A run that is to be kept.

    Args:
        id: as the journal has it.
        started: seconds since 1970.
        seconds: how long it took.
        status: its exit status.
        tally: counts and states, in plain JSON types.
        findings: one for each check that was selected, or in a watch that changed.
        formerly: id of a check -> ids that it had before.
        watch: whether it is a moment of a watch.
        whole: the number of the whole record that this one adds to; 0 where it is one itself.
    """

    id: str
    started: float
    seconds: float
    status: int
    tally: Mapping[str, Any]
    findings: tuple[Finding, ...]
    formerly: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    watch: bool = False
    whole: int = 0


class Store:
    """The history of a state folder.

    Args:
        folder: the state folder.
        days: for so many days runs are kept.
        tell: takes a sentence where a damaged file was set aside; None leaves it where it is.
    """

    def __init__(self, folder: Path, days: int, tell: Callable[[str], None] | None) -> None:
        self._folder = folder
        self._days = days
        self._tell = tell

    def recall(self, subject: Subject) -> Memory:
        """Return what is known of a subject; raises `NoHistory`."""
        told = used(self._folder, lambda base: _recalled(base, subject), self._tell, write=False)
        return told or Memory()

    def judged(self, subject: Subject, since: float) -> tuple[Judged, ...]:
        """Return what was judged since a moment of all that was ill then; raises `NoHistory`."""

        def work(base: Connection) -> tuple[Judged, ...]:
            return tuple(judged(base, _host(base, subject), since))

        return used(self._folder, work, self._tell, write=False) or ()

    def measured(self, subject: Subject, check: str, since: float) -> Series:
        """Return what a check measured since a moment, by the measure; raises `NoHistory`."""

        def work(base: Connection) -> Series:
            return series(base, _host(base, subject), check, since)

        return used(self._folder, work, self._tell, write=False) or {}

    def keep(self, subject: Subject, ran: Ran) -> int:
        """Keep a run and return the number of its record; raises `NoHistory`, and keeps nothing."""

        def work(base: Connection) -> int:
            base.execute("BEGIN IMMEDIATE")
            if schema.due(base, ran.started) and (trouble := schema.damage(base)):
                raise Damaged(trouble)
            number = _kept(base, subject, ran)
            prune(base, number, ran.started, self._days)
            base.execute("COMMIT")
            return number

        return used(self._folder, work, self._tell, write=True) or 0

    def runs(self, subject: Subject) -> tuple[Kept, ...]:
        """Return every run over a subject, the oldest first; raises `NoHistory`."""
        told = used(self._folder, lambda base: _runs(base, subject), self._tell, write=False)
        return told or ()

    def minds(self, run: Kept) -> dict[str, str]:
        """Return what a run judged each check to be, by its id; raises `NoHistory`."""
        told = used(self._folder, lambda base: _minds(base, run), self._tell, write=False)
        return told or {}


def _host(base: Connection, subject: Subject) -> int:
    row = base.execute(_HOST, _words(subject)).fetchone()
    return int(row[0]) if row else 0


def _words(subject: Subject) -> tuple[int, str, str, str]:
    # A systems file may have a name that is no UTF-8, which SQLite does not take as text.
    spec, name, systems = (
        word.encode("utf-8", "backslashreplace").decode()
        for word in (subject.spec, subject.name, subject.systems)
    )
    return int(subject.demo), spec, name, systems


def _recalled(base: Connection, subject: Subject) -> Memory:
    host = _host(base, subject)
    return Memory(_standings(base, host), tuple(one.before for one in _last(base, host, RUNS)))


def _runs(base: Connection, subject: Subject) -> tuple[Kept, ...]:
    return _last(base, _host(base, subject), -1)


def _last(base: Connection, host: int, most: int) -> tuple[Kept, ...]:
    """Return the last runs of a host, the oldest first; all of them for -1."""
    return tuple(map(_row, base.execute(_LAST, (host, most))))[::-1]


def _row(row: tuple[Any, ...]) -> Kept:
    number, identity, started, status, seconds, tally, watch, whole = row
    told = json.loads(tally)
    states = {str(system): str(state) for system, state in told["states"].items()}
    when = moment(float(started))
    before = RunBefore(printable(str(identity), 60), when, int(status), float(seconds), states)
    return Kept(int(number), before, told, bool(watch), int(whole))


def _minds(base: Connection, run: Kept) -> dict[str, str]:
    rows = base.execute(_MINDS, (run.number, run.whole))
    return {str(name): mind_of(str(outcome), str(severity)) for name, outcome, severity in rows}


def _standings(base: Connection, host: int) -> dict[str, Standing]:
    return {str(name): _standing(row) for name, *row in base.execute(_STANDINGS, (host,))}


def _standing(row: list[Any]) -> Standing:
    outcome, outcome_since, mind, mind_since, first, last, recent = row
    moments = (float(outcome_since), float(mind_since), float(first), float(last))
    since, judged, first, last = moments
    return Standing(str(outcome), since, str(mind), judged, first, last, str(recent))


def _kept(base: Connection, subject: Subject, ran: Ran) -> int:
    host = _host(base, subject)
    if not host:
        words = "INSERT INTO hosts (demo, spec, name, systems) VALUES (?, ?, ?, ?)"
        host = int(base.execute(words, _words(subject)).lastrowid or 0)
    tally = json.dumps(ran.tally, separators=(",", ":"))
    when = (ran.started, round(ran.seconds, 3))
    # What it adds to may have been set aside with a damaged file.
    whole = ran.whole if base.execute(_IS_WHOLE, (ran.whole, host)).fetchone() else 0
    row = (ran.id, host, *when, ran.status, whole, int(ran.watch), tally)
    number = int(base.execute(_RUN, row).lastrowid or 0)
    numbers = _numbers(base, ran)
    base.executemany(_RESULT, (_result(number, numbers[f.id], f) for f in ran.findings))
    _advance(base, host, numbers, ran)
    return number


def _numbers(base: Connection, ran: Ran) -> dict[str, int]:
    """Return the number of each check; a renamed one takes over that of its former name."""
    known: dict[str, int] = {
        str(name): n for name, n in base.execute("SELECT id, number FROM checks")
    }
    for one in ran.findings:
        if one.id in known:
            continue
        former = next((name for name in ran.formerly.get(one.id, ()) if name in known), None)
        if former is None:
            made = base.execute("INSERT INTO checks (id) VALUES (?)", (one.id,))
            known[one.id] = int(made.lastrowid or 0)
        else:
            known[one.id] = known.pop(former)
            base.execute("UPDATE checks SET id = ? WHERE number = ?", (one.id, known[one.id]))
    return known


def _result(run: int, check: int, finding: Finding) -> tuple[Any, ...]:
    measures = [
        [one.name[:_LONGEST_NAME], one.value, one.unit, _finite(one.limit)]
        for one in finding.measures
        if _finite(one.value) is not None
    ]
    told = json.dumps(measures, separators=(",", ":")) if measures else None
    milliseconds = round(finding.duration_s * 1000)
    return run, check, finding.outcome.value, finding.severity.value, milliseconds, told


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _advance(base: Connection, host: int, numbers: Mapping[str, int], ran: Ran) -> None:
    """Bring the standings forward; another run may have brought them forward since we read."""
    before = _standings(base, host)
    rows: Iterable[tuple[Any, ...]] = (
        (host, numbers[one.id], *vars(_next(before, one, ran.started)).values(), ran.started)
        for one in ran.findings
    )
    base.executemany(_ADVANCE, rows)


def _next(before: Mapping[str, Standing], one: Finding, now: float) -> Standing:
    was = before.get(one.id, Standing())
    return advanced(was, one.outcome.value, one.severity.value, now)
