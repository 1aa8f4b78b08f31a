"""A world of Claude Code in Docker, and runs over it in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from healthchecks.claude_docker.world import World
from plugins.tests import boxes


class Box(boxes.Box[World]):
    """A world, and the state folder and systems file of the runs over it."""

    @property
    def kept(self) -> Path:
        """The folder that recoveries put archives into."""
        return self.world.folder / ".claude-recovery"


@contextmanager
def opened(folder: Path) -> Iterator[Box]:
    """Build a healthy world below the folder; end its processes afterwards."""
    world = World(folder / "world")
    try:
        yield Box(world, folder, "claude_docker")
    finally:
        world.close()
