"""What is old leaves the history, a piece in each run: nobody waits for months to be dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.history.schema import NAMES

if TYPE_CHECKING:
    from sqlite3 import Connection

LARGEST = 128 << 20  # bytes in use: 90 days of all checks at every quarter of an hour
_PIECE = 20  # runs that leave at a time
_DAY_S = 86_400.0


def prune(base: Connection, newest: int, now: float, days: int) -> None:
    """Drop runs older than so many days, and the oldest ones where there are too many.

    Args:
        base: within a transaction.
        newest: the number of the run that stays whatever happens.
        now: seconds since 1970.
        days: for so many of them runs are kept.
    """
    # One run under a wrong clock must not make all others old.
    row = base.execute(
        "SELECT started FROM runs WHERE number < ? ORDER BY number DESC LIMIT 1", (newest,)
    ).fetchone()
    oldest = min(now, row[0] if row else now) - days * _DAY_S
    first = base.execute(
        "SELECT number, started FROM runs WHERE number < ? ORDER BY number LIMIT ?",
        (newest, _PIECE),
    ).fetchall()
    full = _in_use(base) > LARGEST and not _is_shared(base)
    gone = [number for number, started in first if full or started < oldest]
    for number in gone:
        base.execute("DELETE FROM results WHERE run = ?", (number,))
        base.execute("DELETE FROM runs WHERE number = ?", (number,))
    if gone:
        base.execute("DELETE FROM hosts WHERE number NOT IN (SELECT host FROM runs)")
        base.execute(
            "DELETE FROM standings WHERE told < ? OR host NOT IN (SELECT number FROM hosts)",
            (oldest,),
        )


def _is_shared(base: Connection) -> bool:
    """Tell whether a person keeps tables of their own there: their room is no fault of our runs."""
    names = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return any(name not in NAMES and not name.startswith("sqlite_") for (name,) in names)


def _in_use(base: Connection) -> int:
    pages, free, size = (
        int(base.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
