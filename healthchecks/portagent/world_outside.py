"""What stands around the server of a world: the proxy in front, the page, the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.portagent.world import World


class Outside:
    """What stands around the server of a world: the proxy in front, the page, the provider."""

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make it as a healthy host has it."""

    def close(self) -> None:
        """End its processes."""
