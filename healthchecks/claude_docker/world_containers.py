"""The Docker engine of a world and its containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.claude_docker.world import World


class Containers:
    """The Docker engine of a world and its containers.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make the healthy state."""

    def close(self) -> None:
        """End what runs."""
