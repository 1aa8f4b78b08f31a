"""What a step does to JSON documents whose values nobody may see.

Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any

from plugins.hands.content import write
from plugins.hands.tree import READING, Done, at

_LARGEST = 64 << 20


def take_over(path: str, source: str, keys: list[str], roots: list[str]) -> Done:
    """Give the object in one file the values that some keys have in the object of another.

    Every other key stays, in its order; a key that the other lacks stays as it is.

    Args:
        path: the file that is written anew, with its mode.
        source: the file that the values come from.
        keys: of the object itself, not of what is in it.
        roots: folders below which both files must lie.
    """
    ours, mode = _object(path, roots)
    theirs, _ = _object(source, roots)
    if ours is None or theirs is None:
        return {"refused": f"{path if ours is None else source} holds no JSON object"}
    ours.update({key: theirs[key] for key in keys if key in theirs})
    text = json.dumps(ours, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
    return write(path, roots, text.decode("latin-1"), mode & 0o700 | 0o600)


def _object(path: str, roots: list[str]) -> tuple[dict[str, Any] | None, int]:
    with at(path, roots) as (folder, name):
        descriptor = os.open(name, READING, dir_fd=folder)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return None, 0
        # The error would hold the whole text, which is a secret: it ends here.
        try:
            said = json.loads(file.read(_LARGEST))
        except (ValueError, RecursionError):
            return None, 0
    return (said if isinstance(said, dict) else None), stat.S_IMODE(status.st_mode)
