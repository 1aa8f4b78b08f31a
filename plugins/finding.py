"""A finding: what is known of one check after a run, in plain data.

Findings travel as JSON text on pytest's reports, so that they survive pytest-xdist, and are the
rows of the result document.
"""

from __future__ import annotations

import enum
import functools
import json
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from plugins.past import Past

_PID = re.compile(r"\s*\(\d+\)")


@functools.total_ordering
class Severity(enum.Enum):
    """How bad a finding is; P0 is the worst and compares as the greatest.

    P0 data is being lost or exposed now, or the system is down. P1 it will be at the next crash,
    restart or full disk. P2 degraded. P3 untidy.
    """

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    def __lt__(self, other: Severity) -> bool:
        return self.value > other.value


class Safety(enum.IntEnum):
    """How far a remedy may be trusted; it is taken when its safety >= the consent given.

    SAFE loses nothing that a person wrote, interrupts nothing that runs and can be undone. UNSAFE
    may interrupt or lose, and its hint says what. MANUAL is shown only.
    """

    MANUAL = 0
    UNSAFE = 1
    SAFE = 2


class Outcome(enum.Enum):
    """What a check came to."""

    HEALTHY = "healthy"
    ILL = "ill"
    FIXED = "fixed"
    ABSENT = "absent"
    CANNOT_TELL = "cannot_tell"
    BLOCKED = "blocked"
    SILENCED = "silenced"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class Measure:
    """A number that a check looked at.

    Args:
        name: what was measured, such as "used on /var".
        value: the number itself.
        unit: its unit, such as "%" or "s".
        limit: the line that it must keep, None where there is none.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def series(self) -> str:
        """The name without numbers of processes: each start of one would begin a new series."""
        return _PID.sub("", self.name)

    def __str__(self) -> str:
        """The number with its unit and its limit, such as "5 % (limit 10 %)"."""
        shown = f"{self.value:g} {self.unit}".rstrip()
        return (
            shown
            if self.limit is None
            else f"{shown} (limit {self.limit:g} {self.unit}".rstrip() + ")"
        )


@dataclass(frozen=True)
class Waiver:
    """A known state that somebody accepted: until when (ISO date), why, and who answers for it."""

    until: str
    because: str
    owner: str


@dataclass(frozen=True)
class Fix:
    """What became of a remedy.

    Args:
        state: planned, taken, partly (the rest needs a person), refused, rolled_back, spent (tried
            too often) or failed.
        plan: the shell lines that a person would type.
        diff: unified diff lines of what files would change or have changed, secrets masked.
        run: the id that `--undo` takes, empty where nothing was done.
        message: one sentence for people.
    """

    state: str
    plan: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
    run: str = ""
    message: str = ""


@dataclass(frozen=True)
class Finding:
    """One row of the result document; see report/schema.json for the shape."""

    id: str
    system: str
    severity: Severity
    outcome: Outcome
    title: str
    message: str = ""
    evidence: tuple[str, ...] = ()
    hint: str = ""
    why: str = ""
    safety: Safety = Safety.MANUAL
    guide: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    blocked_by: str | None = None
    silenced: Waiver | None = None
    measures: tuple[Measure, ...] = field(default=())
    duration_s: float = 0.0
    fix: Fix | None = None
    past: Past | None = None

    def to_row(self) -> dict[str, Any]:
        """Return the row as plain JSON types."""
        # `asdict` of all of it would copy each text and list of them, for some 1,600 rows a run.
        row = {item.name: getattr(self, item.name) for item in fields(self)}
        row["measures"] = tuple(map(asdict, self.measures))
        for name in ("silenced", "fix", "past"):
            row[name] = asdict(row[name]) if row[name] else None
        row["severity"] = self.severity.value
        row["outcome"] = self.outcome.value
        row["safety"] = self.safety.name.lower()
        return row

    def to_json(self) -> str:
        """Return the row as one line of JSON."""
        return json.dumps(self.to_row())

    @classmethod
    def from_json(cls, text: str) -> Finding:
        """Return the finding that `to_json` wrote."""
        row = json.loads(text)
        row["severity"] = Severity(row["severity"])
        row["outcome"] = Outcome(row["outcome"])
        row["safety"] = Safety[row["safety"].upper()]
        row["measures"] = tuple(Measure(**measure) for measure in row["measures"])
        for name in ("evidence", "guide", "refs"):
            row[name] = tuple(row[name])
        if row["silenced"]:
            row["silenced"] = Waiver(**row["silenced"])
        if row["fix"]:
            fix = row["fix"]
            row["fix"] = Fix(**{**fix, "plan": tuple(fix["plan"]), "diff": tuple(fix["diff"])})
        if row.get("past"):
            row["past"] = Past(**row["past"])
        return cls(**{item.name: row[item.name] for item in fields(cls)})
