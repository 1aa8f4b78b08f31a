"""A world of Portagent whose containers are real, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from healthchecks.portagent.world import World
from healthchecks.portagent.world_containers import NEEDS
from plugins.outcomes import ToolMissing
from plugins.proofs import lacking


@contextmanager
def with_containers(folder: Path, *more: str) -> Iterator[World]:
    """Build a world below the folder, or skip where this machine lacks what it needs."""
    if missing := lacking((*NEEDS, *more)):
        pytest.skip(f"needs {missing}")
    (folder / "world").mkdir()
    made = World(folder / "world")
    try:
        yield made
    except ToolMissing as why:
        pytest.skip(f"needs {why}")
    finally:
        made.close()
