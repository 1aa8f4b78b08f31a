"""What backups hold of a tree of JSON files: what they lack of it, and valid copies of its files.

A backup is a folder or a tar.gz, of any layout: a file in it is known by the last folder of its
place in the tree, wherever that folder stands. A stranger may have made it: nothing of it is
written, no link is followed, and what names a place outside of it is passed over.

Standard library only and other eyes; a far host's python3 runs this source.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from plugins.eyes.json_values import judged
from plugins.eyes.tarballs import Member, read

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
LARGEST = 64 << 20
_DEEPEST = 12
_MOST = 2_000_000
_SHOWN = 20
Shape = list[Any]
# Shown are: the place in the tree, what its JSON is, what reads it, its name in the backup, bytes.
Show = Callable[[str, str, Callable[[], bytes], str, int], None]


class Late(Exception):  # noqa: N818 - the backup may be all right
    """The time for a backup was over."""


def lacking(
    backup: list[Any], roots: list[str], shapes: list[Shape], seconds: float
) -> dict[str, Any]:
    """Tell what a backup lacks of what stood in some trees when it was made, and still stands so.

    What has another size in it is lacking too: a cut copy restores nothing.

    Args:
        backup: ["archive" or "folder", path, when it was made in seconds since 1970].
        roots: the trees.
        shapes: of the files: [folder in the tree, parts of a file's place in it, what its JSON is].
        seconds: after which the reading is given up.

    Returns:
        fault, late: as `tarballs.read` tells them; denied: whether we may not read all of it; held:
        how many files of these shapes it has; wanted: how many of the trees it should have; total:
        how many of them it lacks; lacks: the paths of the first 20.
    """
    wanted: dict[str, dict[str, int]] = {}
    for root in roots:
        for key, path, size in _standing(root, shapes, float(backup[2])):
            if size:
                wanted.setdefault(key, {})[path] = size
    told = {"wanted": sum(map(len, wanted.values())), "held": 0, "denied": False}

    def show(key: str, shape: str, content: Callable[[], bytes], name: str, size: int) -> None:
        del shape, content, name
        if size:
            told["held"] += 1
            left = wanted.get(key, {})
            for path in [path for path, whole in left.items() if whole == size]:
                del left[path]

    told |= through(backup, shapes, seconds, show)
    lacks = sorted(path for paths in wanted.values() for path in paths)
    return {**told, "total": len(lacks), "lacks": lacks[:_SHOWN]}


def copies(
    backups: list[list[Any]],
    wanted: list[str],
    shapes: list[Shape],
    near: str,
    seconds: float,
) -> dict[str, Any]:
    """Find the newest valid copy of each of some files of a tree.

    A copy is valid when its JSON is what its shape says, and its id is its name. What is read of an
    archive that turns out to be broken counts only where no whole backup has a valid copy.

    Args:
        backups: as `lacking` takes one, the newest first.
        wanted: places in the tree.
        shapes: as `lacking` takes them.
        near: a part of the tree's own path: where a backup has several copies, that one counts.
        seconds: after which the reading is given up.

    Returns:
        found: for each file [kind of its backup, its path, the name in it, SHA-256, bytes];
        late: whether the time was over before all had been looked through.
    """
    ends = time.monotonic() + seconds
    left = set(wanted)
    found: dict[str, list[Any]] = {}
    doubtful: dict[str, list[Any]] = {}
    late = False
    for backup in backups:
        if not left:
            break
        here: dict[str, list[Any]] = {}
        show = _taker(backup, left, near, here)
        told = through(backup, shapes, ends - time.monotonic(), show)
        late = late or bool(told["late"])
        some = {key: row for key, row in here.items() if row[3]}
        if told["fault"] or told["late"]:
            doubtful = {**some, **doubtful}
            continue
        found |= some
        left -= some.keys()
    return {
        "found": {**{k: row for k, row in doubtful.items() if k in left}, **found},
        "late": late,
    }


def _taker(backup: list[Any], left: set[str], near: str, here: dict[str, list[Any]]) -> Show:
    """Return what takes down the valid copies of one backup; a name that stands twice is none."""

    def show(key: str, shape: str, content: Callable[[], bytes], name: str, size: int) -> None:
        if key not in left or not size or size > LARGEST:
            return
        known = here.get(key)
        if known is not None and known[2] == name:
            known[3] = ""
            return
        if known is not None and known[3] and near not in name:
            return
        text = content()
        if is_valid(key, shape, text):
            here[key] = [backup[0], backup[1], name, hashlib.sha256(text).hexdigest(), len(text)]

    return show


def is_valid(key: str, shape: str, text: bytes) -> bool:
    """Tell whether it is what its shape says; an object's id must be its name."""
    value, why, _ = judged(text, shape)
    if why:
        return False
    if shape == "list":
        return all(value.__class__ is str and value for value in value)
    return shape != "object" or value.get("id") == os.path.basename(key)[:-5]


def through(backup: list[Any], shapes: list[Shape], seconds: float, show: Show) -> dict[str, Any]:
    """Show every file of these shapes that a backup holds.

    Returns:
        fault, late and, where we may not read all of it, denied.
    """
    kind, path = backup[0], backup[1]
    if seconds <= 0:
        return {"fault": "", "late": True}
    if kind == "archive":

        def visit(member: Member) -> None:
            if member.regular and not member.astray:
                key, shape = _key(member.parts, shapes)
                if key:
                    show(key, shape, member.read, member.name, member.size)

        try:
            return read(path, seconds, visit)
        except OSError as error:
            denied = isinstance(error, PermissionError)
            fault = f"it cannot be read: {error.strerror}"
            return {"fault": fault, "late": False, "denied": denied}
    denied_folders: list[str] = []
    try:
        for name, size in _below(path, time.monotonic() + seconds, denied=denied_folders):
            key, shape = _key(name.split("/"), shapes)
            if key:
                show(key, shape, partial(_content, os.path.join(path, name)), name, size)
    except Late:
        return {"fault": "", "late": True}
    return {"fault": "", "late": False, "denied": bool(denied_folders)}


def _key(parts: list[str], shapes: list[Shape]) -> tuple[str, str]:
    """Return the place in the tree of a file in a backup and what its JSON is; "" for neither."""
    if parts and parts[-1].endswith(".json"):
        for folder, depth, shape in shapes:
            at = len(parts) - 1 - depth
            if at >= 0 and parts[at] == folder.rpartition("/")[2]:
                return "/".join([folder, *parts[at + 1 :]]), shape
    return "", ""


def has_any(root: str, shapes: list[Shape]) -> bool:
    """Tell whether there is a file of these shapes in a tree."""
    return next(_standing(root, shapes, float("inf")), None) is not None


def _standing(root: str, shapes: list[Shape], moment: float) -> Iterator[tuple[str, str, int]]:
    """Yield (place in the tree, path, bytes) of each file that was not written since."""
    for folder, depth, _ in shapes:
        for name, size in _below(os.path.join(root, folder), float("inf"), depth, moment):
            if name.count("/") == depth - 1 and name.endswith(".json"):
                yield f"{folder}/{name}", os.path.join(root, folder, name), size


def _below(
    top: str,
    ends: float,
    deepest: int = _DEEPEST,
    moment: float = float("inf"),
    denied: list[str] | None = None,
) -> Iterator[tuple[str, int]]:
    """Yield (name below a folder, bytes) of each regular file, no link followed.

    Folders that we may not look into are passed over, and added to `denied`.
    """
    waiting = [("", 1)]
    seen = 0
    while waiting:
        below, level = waiting.pop()
        try:
            with os.scandir(os.path.join(top, below)) as entries:
                rows = sorted((one.name, one) for one in entries)
        except OSError as error:
            if denied is not None and isinstance(error, PermissionError):
                denied.append(below)
            continue
        for name, entry in rows:
            seen += 1
            if seen > _MOST or time.monotonic() > ends:
                raise Late
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            inner = os.path.join(below, name)
            if stat.S_ISDIR(status.st_mode) and level < deepest:
                waiting.append((inner, level + 1))
            elif stat.S_ISREG(status.st_mode) and status.st_mtime <= moment:
                yield inner, status.st_size


def _content(path: str) -> bytes:
    """Return the content of a regular file; b"", which is no JSON, where it cannot be read."""
    try:
        descriptor = os.open(path, _FLAGS)
        with open(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return file.read(LARGEST + 1) if regular else b""
    except OSError:
        return b""
