"""How far long work is: a bar before a person, now and then a plain line elsewhere.

Drawn by hand: `rich.progress` takes 0.10 s of CPU to be imported, and what is drawn is one line.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

ERASED = "\r\x1b[2K"  # of a terminal's line, whatever stands on it
_CELLS = 24
EVERY_S = 10.0  # between two plain lines


def bar(done: int, total: int, label: str, width: int) -> str:
    """Return a bar of at most `width` columns; "" when all is done, or nothing is to be done.

    Args:
        done: of the total.
        total: of the same unit.
        label: what is being done; it is cut where there is no room.
        width: of the terminal, in columns.
    """
    if done >= total:
        return ""
    count = f" {done}/{total} "
    cells = min(_CELLS, width // 4)
    full = cells * done // total
    return f"[{'#' * full}{'.' * (cells - full)}]{count}{label}"[: max(width - 2, 1)]


def line(done: int, total: int, label: str) -> str:
    """Return how far it is for where no bar can be drawn."""
    return f"{label}: {done} of {total}"


@dataclass
class Pace:
    """Lets something through once in a while.

    Args:
        every: seconds between two, and before the first one of each work.
    """

    every: float
    _work: str = ""
    _at: float = 0.0

    def due(self, work: str) -> bool:
        """Tell whether it is time again to speak of this work."""
        now = time.monotonic()
        if work != self._work:
            self._work, self._at = work, now
            return self.every == 0
        if now - self._at < self.every:
            return False
        self._at = now
        return True
