"""The logs of a world."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.claude_docker.world import World


class Journals:
    """The logs of a world.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make the healthy state."""

    def line(self, line: bytes) -> None:
        """Add a line to the log in which known issues show."""
