"""What was seen of hosts and is kept somewhere: it is judged as if it had been seen just now."""

from __future__ import annotations

from typing import Any, Protocol

from plugins.systems import Found


class Saved(Protocol):
    """What takes the place of looks."""

    def system(self, name: str) -> Found:
        """Return what was found of a system; raises kinds of `NoFact`."""

    def fact(self, system: str, probe: str) -> Any:
        """Return what a probe saw; raises kinds of `NoFact`, also where nothing of it is kept."""

    def seconds(self, system: str, probe: str) -> float:
        """Return how long the probe looked, 0 where that is not kept."""
