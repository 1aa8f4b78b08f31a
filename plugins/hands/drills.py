"""A restore drill: a backup is restored into a new, private folder, looked through, and cleared up.

Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import json
import os
import stat
import tarfile
import tempfile
from typing import Any

from plugins.hands.archives import UNREADABLE, Unfit
from plugins.hands.tree import CHUNK, reach
from plugins.hands.trees import Unsteady, pour
from plugins.hands.unpacking import extract, looked_through

_LARGEST_DOCUMENT = 64 << 20
_LONGEST_LINE = 64 << 20
_FAULTS = 20


def rehearse(backup: str, inner: str, place: str) -> dict[str, Any]:
    """Restore a backup for a trial.

    Args:
        backup: a folder, or a tar.gz where `inner` is given.
        inner: the folder in the archive.
        place: the folder in which the scratch folder is made; "" for that of temporary files.

    Returns:
        room: why the drill was not held for want of room, else ""; faults: what is wrong with what
        was restored, 20 at most; files, conversations: how many; folders: the names of the folders
        at its top; documents: for each .json file at its top and one level below, "" or why it is
        no JSON object.
    """
    told: dict[str, Any] = {
        "room": "",
        "faults": [],
        "files": 0,
        "conversations": 0,
        "folders": [],
        "documents": {},
    }
    with tempfile.TemporaryDirectory(prefix="restore-drill-", dir=place or None) as scratch:
        target = reach(scratch)
        try:
            room = os.fstatvfs(target)
            needed = looked_through(backup, inner) if inner else _size(backup)
            if needed > room.f_bavail * room.f_frsize // 10 * 9:
                told["room"] = f"{scratch} has too little room for {needed} bytes"
                return told
            _restore(backup, inner, target)
            _look_through(scratch, told)
        except (Unsteady, Unfit, *UNREADABLE, tarfile.TarError) as why:
            told["faults"].append(f"it does not restore: {why}")
        finally:
            os.close(target)
    return told


def _restore(backup: str, inner: str, target: int) -> None:
    if inner:
        extract(backup, inner, target, astray=True)
        return
    source = reach(backup)
    try:
        pour(source, target)
    finally:
        os.close(source)


def _size(folder: str) -> int:
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            try:
                seen = os.lstat(os.path.join(top, name))
            except OSError:
                continue
            total += seen.st_size if stat.S_ISREG(seen.st_mode) else 0
    return total


def _look_through(scratch: str, told: dict[str, Any]) -> None:
    for top, folders, names in os.walk(scratch):
        below = os.path.relpath(top, scratch)
        level = 0 if below == "." else below.count("/") + 1
        if level == 0:
            told["folders"] = sorted(folders)
        for name in names:
            path = os.path.join(top, name)
            if os.path.islink(path):
                continue
            told["files"] += 1
            short = os.path.relpath(path, scratch)
            if name.endswith(".json") and level < 2:
                told["documents"][short] = _document(path)
            if name.endswith(".jsonl") and "/projects/" in f"/{short}":
                told["conversations"] += 1
                fault = _conversation(path)
                if fault and len(told["faults"]) < _FAULTS:
                    told["faults"].append(f"{short}: {fault}")


def _document(path: str) -> str:
    if os.path.getsize(path) > _LARGEST_DOCUMENT:
        return "it is too large"
    # The error would hold the whole text, which is a secret: it ends here.
    try:
        with open(path, "rb") as file:
            said = json.load(file)
    except (ValueError, RecursionError):
        return "it is no JSON"
    return "" if isinstance(said, dict) else "it is no JSON object"


def _conversation(path: str) -> str:
    """Return why a conversation holds nothing, "" when a line of it can be read or it is empty.

    Its last line may be cut, as it was copied while it was written.
    """
    with open(path, "rb") as file:
        first = file.readline(_LONGEST_LINE)
        if not first:
            return ""
        try:
            json.loads(first)
        except (ValueError, RecursionError):
            if first.endswith(b"\n") or b"\0" in first[:64]:
                return "its first line is no JSON"
        while file.read(CHUNK):
            pass
    return ""
