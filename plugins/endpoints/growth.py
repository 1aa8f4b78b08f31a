"""Whether the memory of something grew from look to look, as looks are kept between runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from plugins.endpoints import history
from plugins.finding import Measure

LOOKS = 5  # so many looks in a row must each have found more memory than the one before


@dataclass(frozen=True)
class Growth:
    """The memory of something at the last looks at the same life of it, in MiB, the present last.

    `grown` is what it grew by over them where it grew from each to the next, else 0.
    """

    looks: tuple[float, ...]
    grown: Measure

    @property
    def excessive(self) -> bool:
        """Whether it grew by more than it may."""
        return self.grown.value > (self.grown.limit or 0.0)

    def lines(self) -> tuple[str, ...]:
        """The looks in words, the oldest first."""
        return tuple(f"{mib:.1f} MiB" for mib in self.looks)


def grown(
    folder: str,
    question: tuple[str, ...],
    life: list[object],
    now: float,
    memory: float,
    *,
    name: str,
    apart: float,
    limit: float,
) -> Growth:
    """Return how memory grew over the kept looks, and keep the present one.

    Args:
        folder: where looks are kept.
        question: what is asked, and of what.
        life: what tells one life of it from the next, such as its process and its start.
        now: seconds since 1970.
        memory: MiB.
        name: of the measure.
        apart: looks within so many seconds are one: what grows in a moment may well shrink again.
        limit: MiB that it may grow by.
    """
    before = history.recall(folder, question)
    rows = before.get("looks", []) if before.get("process") == life else []
    again = bool(rows) and 0 <= now - rows[-1][0] < apart
    if not again:
        told = {"process": life, "looks": [*rows, [now, memory]][-LOOKS:]}
        history.keep(folder, question, told)
    earlier = rows[:-1] if again else rows
    looks = (*(float(row[1]) for row in earlier[1 - LOOKS :]), memory)
    rises = len(looks) == LOOKS and all(a < b for a, b in pairwise(looks))
    by = round(looks[-1] - looks[0], 1) if rises else 0.0
    return Growth(looks, Measure(name, by, "MiB", limit))
