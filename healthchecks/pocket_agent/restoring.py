"""What may stand in the place of project metadata that cannot be read, and who told it.

Nothing is invented: the whole comes from a backup, or the path from what the broken file still
says, or from the folder in which the CLI said that it worked. Where none tells, there is no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from plugins.eyes import metadata

# What the server keeps of a project; the first two must be there for it to be loaded.
FIELDS = ("id", "path", "created_at", "last_active", "session_id", "error_details")
_PAIR = re.compile(r'(?:^|[{,])\s*"(\w+)"\s*:\s*("(?:[^"\\\x00-\x1f]|\\.)*")', re.MULTILINE)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Restoration:
    """The content to write, and the words for where it comes from."""

    content: bytes = field(repr=False)
    origin: str


def from_backup(name: str, origin: str, text: str) -> Restoration | None:
    """Take a backup as it is, if the server can load it and it is this project's."""
    content = text.encode("utf-8", "surrogateescape")
    said = metadata.read(content, list(FIELDS))
    if isinstance(said, str) or said[0] != name or not str(said[1]).startswith("/"):
        return None
    return Restoration(content, origin)


def from_remains(name: str, text: str, oldest: float, newest: float) -> Restoration | None:
    """Build the least metadata from what the broken file still says, if it says its path.

    Args:
        name: the project's folder name, which is its id.
        text: the broken file's text; where it names another id, nothing of it is believed.
        oldest: seconds since 1970 of the oldest file of the project, for a lost created_at.
        newest: the same of the newest file, for a lost last_active.
    """
    told: dict[str, str] = {}
    for key, value in _PAIR.findall(text):
        if key in FIELDS and key not in told:
            told[key] = _unquoted(value)
    if told.get("id", name) != name or not told.get("path", "").startswith("/"):
        return None
    kept = {key: told[key] for key in ("created_at", "last_active") if moment(told.get(key))}
    if told.get("session_id"):
        kept["session_id"] = told["session_id"]  # without it the CLI begins a new conversation
    return _least(name, told["path"], oldest, newest, "what it still says", kept)


def from_work(name: str, texts: Iterable[str], oldest: float, newest: float) -> Restoration | None:
    """Build the least metadata with the folder that the message logs name, if they agree on one."""
    folders = {cwd for text in texts for cwd in map(_working_folder, text.splitlines()) if cwd}
    if len(folders) != 1:
        return None
    return _least(name, folders.pop(), oldest, newest, "the folder that its message log names")


def moment(text: str | None) -> float | None:
    """Give the seconds since 1970 of an RFC 3339 time with any number of digits, else None."""
    found = _TIME.fullmatch(text or "")
    if found is None:
        return None
    try:
        whole = datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
        return whole.timestamp() + float(found[2] or 0)
    except (ValueError, OverflowError):
        return None


def _least(
    name: str,
    path: str,
    oldest: float,
    newest: float,
    origin: str,
    kept: dict[str, str] | None = None,
) -> Restoration | None:
    if not _plain(path) or any(0xDC80 <= ord(letter) <= 0xDCFF for letter in name):
        return None  # a name that is not UTF-8 cannot stand in JSON, nor could the server read it
    said = {
        "id": name,
        "path": path,
        "created_at": _written(oldest),
        "last_active": _written(newest),
        **(kept or {}),
    }
    return Restoration(json.dumps(said, indent=2, ensure_ascii=False).encode(), origin)


def _plain(path: str) -> bool:
    # A torn file may end a name in the middle; such a path would be another folder's.
    return path.isprintable() and "\ufffd" not in path


def _written(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value))
    except ValueError:
        return ""


def _working_folder(line: str) -> str:
    """Give the folder that the CLI names as its own when it begins, in a message log's line."""
    if '"cwd"' not in line:
        return ""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    said = said.get("message") if isinstance(said, dict) else None
    while isinstance(said, dict):
        folder = said.get("cwd")
        if said.get("type") == "system" and isinstance(folder, str) and folder.startswith("/"):
            return folder
        said = said.get("content")
    return ""
