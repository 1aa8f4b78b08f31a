"""The logs of a world."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.portagent.world import World


class Log:
    """The logs of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make it as a healthy host has it."""

    def close(self) -> None:
        """End its processes."""

    def line(self, line: bytes) -> None:
        """Add a line to the newest log."""
        raise NotImplementedError
