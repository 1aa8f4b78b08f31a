"""A world of Portagent for a test, ended whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from healthchecks.portagent.world import World


@contextlib.contextmanager
def opened(tmp_path: Path, **settings: object) -> Iterator[World]:
    """Yield a world in a folder of its own; settings are laid over those that it is found by."""
    folder = tmp_path / "world"
    folder.mkdir()
    with contextlib.closing(World(folder)) as made:
        made.change(**settings)
        yield made
