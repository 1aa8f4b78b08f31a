"""What runs measured, in the order of time; one run an hour is enough to see where it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

# Name of a measure -> (seconds since 1970, value), the oldest first.
Series = Mapping[str, tuple[tuple[float, float], ...]]
# Of the bare column SQLite takes the row that has the maximum.
_SELECT = """
SELECT max(runs.started), results.measures FROM runs JOIN results ON results.run = runs.number
WHERE runs.host = ? AND runs.started >= ? AND results.measures IS NOT NULL
  AND results."check" = (SELECT number FROM checks WHERE id = ?)
GROUP BY CAST(runs.started / 3600 AS INTEGER) ORDER BY 1
"""


def series(base: Connection, host: int, check: str, since: float) -> Series:
    """Return what a check measured on a host since a moment.

    Args:
        base: the open history.
        host: its number there.
        check: its id.
        since: seconds since 1970.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for at, measures in base.execute(_SELECT, (host, since, check)):
        for name, value, *_ in json.loads(measures):
            found.setdefault(str(name), []).append((float(at), float(value)))
    return {name: tuple(rows) for name, rows in found.items()}
