"""The monitor of a world: what it leaves on disk, and a process that is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.crash_protection.world import World


class Monitor:
    """The monitor of a world.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make the healthy state."""

    def line(self, line: bytes) -> None:
        """Add a line to the monitor's log."""

    def close(self) -> None:
        """End what runs."""
