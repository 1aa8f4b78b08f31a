"""The sessions of a world: real JSON trees in one of the four layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World


class Sessions:
    """The sessions of a world: real JSON trees in one of the four layouts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self) -> None:
        """Make it as a healthy host has it."""

    def close(self) -> None:
        """End its processes."""
