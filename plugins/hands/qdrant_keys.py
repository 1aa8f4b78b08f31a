"""Where an API key stands, and the key: what is handed on and written down names the place alone.

A place is the name of a variable, or the path of a JSON or TOML file, "#" and a JSON pointer into
it, such as /home/me/.config/dgmo/config.json#/mcp/memory/environment/QDRANT_API_KEY.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import Any

_LARGEST = 64 << 20


def pointer(path: str, *keys: str) -> str:
    """Return the place below some keys of a file."""
    told = (key.replace("~", "~0").replace("/", "~1") for key in keys)
    return f"{path}#/{'/'.join(told)}"


def parts(place: str) -> tuple[str, list[str]]:
    """Return the path of the file of a place and the keys in it, ("", []) where it is none."""
    path, mark, keys = place.rpartition("#/")
    if not mark or not path.startswith("/"):
        return "", []
    return path, [key.replace("~1", "/").replace("~0", "~") for key in keys.split("/")]


def is_place(place: str) -> bool:
    """Tell whether it names a variable, or a file and keys in it."""
    return place.isidentifier() or bool(parts(place)[0])


def key_at(place: str) -> str:
    """Return the key; "" where the variable is not set, or no place is named.

    Raises:
        OSError: the file cannot be read, or holds none; nothing of it is told.
    """
    path, keys = parts(place)
    if not path:
        return os.environ.get(place, "") if place else ""
    try:
        value = _document(path)
        for key in keys:
            value = value[key]
    except (ValueError, KeyError, TypeError, RecursionError, ImportError):
        value = None
    if not isinstance(value, str):
        raise OSError(errno.ENOENT, f"{path}: the API key is not in it any more")
    return value


def _document(path: str) -> Any:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(path)
        text = file.read(_LARGEST).decode("utf-8-sig")
    if path.endswith(".toml"):
        import tomllib

        return tomllib.loads(text)
    return json.loads(text)
