"""Which of the two generations of Portagent stands here, as its files and variables tell."""

from __future__ import annotations

import os

from healthchecks.portagent.system import Portagent
from plugins.endpoints.filesystem import Filesystem


def is_second(system: Portagent, filesystem: Filesystem) -> bool:
    """Whether what stands here is of the second generation."""
    folder = os.path.join(system.data_dir or "/nonexistent", "data")
    there, here = (filesystem.exists(f"{folder}/{name}") for name in ("app.db", "portagent.db"))
    return system.variable("WS_PORT") is not None or (there and not here)
