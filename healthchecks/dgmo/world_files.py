"""What stands around the store of a world: configuration, backups, temporary folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World


class Files:
    """What stands around the store of a world: configuration, backups, temporary folders."""

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make it as a healthy host has it."""

    def close(self) -> None:
        """End its processes."""
