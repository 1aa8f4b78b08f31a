"""Folders that are not there yet."""

from __future__ import annotations

import os

from plugins.endpoints.filesystem import Filesystem


def missing_above(filesystem: Filesystem, path: str) -> tuple[str, ...]:
    """Return the folders that must be made before something stands at a path, outermost first."""
    missing: list[str] = []
    above = os.path.dirname(path)
    while above not in ("", "/") and not filesystem.exists(above):
        missing.insert(0, above)
        above = os.path.dirname(above)
    return tuple(missing)
