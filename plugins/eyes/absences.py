"""What backups have of a tree of JSON files and the tree has not.

A backup may hold several trees, and a host may have several: what is one tree's is never given for
another's. A part of a backup is a copy of the tree whose path its own place in the backup ends
like, else of the one that it has most names in common with.

Standard library only and other eyes; a far host's python3 runs this source.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any

from plugins.eyes.holdings import LARGEST, Shape, Show, is_valid, through


class Part:
    """What one folder of a backup holds of a tree.

    Attributes:
        names: of the first parts of its files' places, without the ending: ids.
        rows: what the tree has not of it, as `missing` tells it; an empty hash is of no valid copy.
        met: whether it has anything that was asked for, there or not.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.rows: dict[str, list[Any]] = {}
        self.met = False


def missing(
    backups: list[list[Any]], trees: list[str], session: str, shapes: list[Shape], seconds: float
) -> dict[str, Any]:
    """Find what the newest whole backup that has anything of a tree has, and the tree has not.

    Args:
        backups: as `holdings.lacking` takes one, the newest first.
        trees: the tree, and all others on this host that a backup may hold too.
        session: the id of the only one that is asked for, "" for all.
        shapes: as `holdings.lacking` takes them.
        seconds: after which the reading is given up.

    Returns:
        found: for each file [kind of its backup, its path, the name in it, SHA-256, bytes]; late:
        whether the time was over before such a backup was met; unclear: backups that were passed
        over, as they may be of this tree or of another.
    """
    ends = time.monotonic() + seconds
    known = [_names(tree, shapes) for tree in trees]
    told: dict[str, Any] = {"found": {}, "late": False, "unclear": []}
    for backup in backups:
        parts: dict[str, Part] = {}
        show = _taker(backup, trees[0], session, shapes, parts)
        read = through(backup, shapes, ends - time.monotonic(), show)
        told["late"] = told["late"] or bool(read["late"])
        if read["fault"] or read["late"]:
            continue
        mine, unclear = _mine(parts, trees, known)
        if any(one.met for one in mine):
            for one in mine:
                told["found"] |= {key: row for key, row in one.rows.items() if row[3]}
            told["late"] = False
            break
        if any(one.met for one in unclear):
            told["unclear"].append(backup[1])
    return told


def _names(tree: str, shapes: list[Shape]) -> set[str]:
    """Return the ids of which a tree has anything."""
    names: set[str] = set()
    for folder, _, _ in shapes:
        try:
            names |= {one.removesuffix(".json") for one in os.listdir(os.path.join(tree, folder))}
        except OSError:
            continue
    return names


def _taker(
    backup: list[Any], tree: str, session: str, shapes: list[Shape], parts: dict[str, Part]
) -> Show:
    """Return what takes down the files of one backup by their parts; a name twice is none."""

    def show(key: str, shape: str, content: Callable[[], bytes], name: str, size: int) -> None:
        part = parts.setdefault(_place(name, key), Part())
        part.names.add(_owner(key, shapes))
        if session and session not in key.removesuffix(".json").split("/"):
            return
        part.met = True
        if not size or size > LARGEST or os.path.lexists(os.path.join(tree, key)):
            return
        known = part.rows.get(key)
        if known is not None and known[2] == name:
            known[3] = ""
        elif known is None:
            text = content()
            digest = hashlib.sha256(text).hexdigest() if is_valid(key, shape, text) else ""
            part.rows[key] = [backup[0], backup[1], name, digest, len(text)]

    return show


def _place(name: str, key: str) -> str:
    """Return where in a backup the tree stands that a file of it belongs to."""
    parts = [one for one in name.split("/") if one not in ("", ".")]
    return "/".join(parts[: len(parts) - _alike(parts, key.split("/"))])


def _owner(key: str, shapes: list[Shape]) -> str:
    """Return the id that a file's place begins with, below the folder of its shape."""
    folder = next(one[0] for one in shapes if key.startswith(f"{one[0]}/"))
    first: str = key[len(folder) + 1 :].partition("/")[0]
    return first.removesuffix(".json")


def _alike(one: list[str], other: list[str]) -> int:
    """Return in how many parts two paths end alike."""
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count


def _mine(
    parts: dict[str, Part], trees: list[str], known: list[set[str]]
) -> tuple[list[Part], list[Part]]:
    """Return the parts that are copies of the first tree, and those that may be or not."""
    mine: list[tuple[int, Part]] = []
    unclear: list[Part] = []
    for place, part in parts.items():
        likeness = [
            (_alike(place.split("/"), tree.split("/")), len(part.names & names))
            for tree, names in zip(trees, known, strict=True)
        ]
        best = max(likeness)
        if len(trees) == 1 or likeness.count(best) == 1:
            if likeness[0] == best:
                mine.append((best[0], part))
        elif likeness[0] == best:
            unclear.append(part)
    nearest = max((near for near, _ in mine), default=0)
    return [part for near, part in mine if near == nearest], unclear
