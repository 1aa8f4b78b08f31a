"""What runs judged of the checks that were ill lately, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugins.finding import Outcome, Severity

if TYPE_CHECKING:
    from sqlite3 import Connection

_SELECT = """
SELECT runs.started, checks.id, results.outcome, results.severity FROM results
JOIN checks ON checks.number = results."check" JOIN runs ON runs.number = results.run
WHERE runs.host = :host AND runs.started >= :since
  AND results.outcome IN ('ill', 'fixed', 'healthy') AND results."check" IN (
    SELECT "check" FROM results JOIN runs ON runs.number = results.run
    WHERE runs.host = :host AND runs.started >= :since AND outcome IN ('ill', 'fixed'))
ORDER BY runs.number
"""


@dataclass(frozen=True)
class Judged:
    """What a check came to in a run: well, ill, or cured in it.

    `at` is in seconds since 1970.
    """

    at: float
    check: str
    outcome: Outcome
    severity: Severity


def judged(base: Connection, host: int, since: float) -> Iterator[Judged]:
    """Yield what the runs over a host judged of every check that was ill since a moment.

    Args:
        base: the open history.
        host: its number there.
        since: seconds since 1970.
    """
    for at, check, outcome, severity in base.execute(_SELECT, {"host": host, "since": since}):
        yield Judged(float(at), str(check), Outcome(outcome), Severity(severity))
