"""The memory of a world: Qdrant's REST interface over its own engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World


class Memory:
    """The memory of a world: Qdrant's REST interface over its own engine."""

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make it as a healthy host has it."""

    def close(self) -> None:
        """End its processes."""
