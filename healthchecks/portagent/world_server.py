"""The server of a world: real HTTP and WebSocket in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.portagent.world import World


class Server:
    """The server of a world: real HTTP and WebSocket in a process of its own."""

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make it as a healthy host has it."""

    def close(self) -> None:
        """End its processes."""
