"""Where a program is found, as a shell would find it.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import os


def why_not(command: str, path: str | None, folder: str) -> str:
    """Tell in a few words why a command cannot be started; "" where it can be.

    Args:
        command: a name to look for, or a path.
        path: folders to look in, with colons between; None for those of our own PATH.
        folder: what relative paths are relative to.
    """
    if "/" in command:
        return _trouble(os.path.join(folder, command))
    searched = os.environ.get("PATH", os.defpath) if path is None else path
    troubles = []
    for each in searched.split(":"):
        trouble = _trouble(os.path.join(folder, each or ".", command))
        if not trouble:
            return ""
        troubles.append(trouble)
    seen = [trouble for trouble in troubles if trouble != "is not there"]
    return f"{seen[0]}, and PATH has no other" if seen else f"is not found on PATH ({searched})"


def _trouble(path: str) -> str:
    if os.path.isfile(path):
        return "" if os.access(path, os.X_OK) else "may not be executed by us"
    return "is not a file" if os.path.lexists(path) else "is not there"
