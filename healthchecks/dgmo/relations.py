"""Whether sessions, their sub-sessions' records and indexes say the same of each other."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from plugins.endpoints.json_folders import Folders

INFO_FIELDS = ("id", "parentID", "?title", "?version", "time.created", "time.updated")
RECORD_FIELDS = ("id", "parentSessionId", "status", "createdAt", "startedAt")
# The folders of the program's layout, below a store.
INFO = "storage/session/info"
MESSAGES = "storage/session/message"
RECORDS = "storage/session/sub-sessions"
INDEXES = "storage/session/sub-session-index"
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_KEPT = ("rows", "broken", "recoded", "unjudged")


def is_id(value: object) -> bool:
    """Tell whether it can be the id of a session: a name that leads nowhere else."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


@dataclass(frozen=True)
class Known:
    """Which names there are, their files broken or not.

    Args:
        sessions: ids of sessions.
        records: ids of sub-sessions that have a record.
        judges: whether the store has its sessions where they can be seen at all.
        children: whether it has those of sub-sessions there too; the guide does not say.
    """

    sessions: frozenset[str]
    records: frozenset[str]
    judges: bool
    children: bool

    @classmethod
    def of(cls, folders: Folders) -> Known:
        """Return what the folders have."""
        infos = _stems(folders.get(INFO, {}))
        own = {os.path.basename(name) for name in folders if name.startswith("sessions/")}
        records = _stems(folders.get(RECORDS, {}))
        real = INFO in folders
        return cls(
            sessions=frozenset(infos | own),
            records=frozenset(records),
            judges=real or bool(own),
            children=real or bool(own & records),
        )


def _stems(folder: dict[str, Any]) -> set[str]:
    """Return the names of the JSON files in a folder, without their ending."""
    stems = {row[0] for row in folder.get("rows", ())}
    return stems | {row[0][:-5] for name in _KEPT[1:] for row in folder.get(name, ())}


def lacking(folders: Folders) -> list[list[Any]]:
    """Return [path, what it lacks] of sessions, and of files whose id is not their name."""
    found: list[list[Any]] = []
    for stem, own, _, title, version, created, updated in _rows(folders, INFO):
        has = {"id": own, "title": title == ["text"], "version": version == ["text"]}
        has["time.created"] = isinstance(created, (int, float))
        has["time.updated"] = isinstance(updated, (int, float))
        lacks = ", ".join(name for name, there in has.items() if not there)
        said = [f"its id is {_said(own)}"] if own and own != stem else []
        said += [f"it has no {lacks}"] if lacks else []
        if said:
            found.append([f"{INFO}/{stem}.json", "; ".join(said)])
    misnamed = [[f"{RECORDS}/{row[0]}", row[1]] for row in _rows(folders, RECORDS)]
    for folder, one in folders.items():
        if folder.startswith(f"{MESSAGES}/"):
            misnamed += [[f"{folder}/{row[0]}", row[1]] for row in one.get("rows", ())]
    for path, own in misnamed:
        if own != os.path.basename(path):
            words = "it has no id" if own is None else f"its id is {_said(own)}"
            found.append([f"{path}.json", words])
    return found


def unfinished(records: dict[str, Any]) -> list[list[Any]]:
    """Return [path, status, since in ms or None] of the sub-sessions that run or wait."""
    found = []
    for stem, _, _, status, created, started in records.get("rows", ()):
        if status in {"running", "pending"}:
            times = [one for one in (started, created) if isinstance(one, (int, float))]
            path = f"{RECORDS}/{stem}.json"
            found.append([path, status, times[0] if times else None])
    return sorted(found, key=lambda row: row[2] or 0)


def strangers(folders: Folders, known: Known) -> Iterator[list[Any]]:
    """Yield [path, what] of what names a parent or child that does not know it."""
    records = {row[0]: row[2] for row in _rows(folders, RECORDS)}
    yield from _strange_records(records, known)
    yield from _strange_indexes(_rows(folders, INDEXES), records, known)
    for stem, _, parent, *_ in _rows(folders, INFO):
        path = f"{INFO}/{stem}.json"
        if parent is not None and stem not in known.records:
            yield [path, f"a child session of {_said(parent)} without a record in sub-sessions"]
        elif parent is not None and parent not in known.sessions:
            yield [path, f"its parent {_said(parent)} is not there"]
    for folder, one in folders.items():
        stem = os.path.basename(folder)
        mine = folder.startswith(f"{MESSAGES}/") and one["files"] and known.judges
        if mine and stem not in known.sessions:
            yield [folder, f"{one['files']} messages of a session that is not there"]


def _strange_records(records: dict[str, Any], known: Known) -> Iterator[list[Any]]:
    for stem, parent in records.items():
        path = f"{RECORDS}/{stem}.json"
        if not is_id(parent):
            yield [path, "it names no parent" if parent is None else "its parent is no id"]
        elif known.judges and parent not in known.sessions:
            yield [path, f"its parent {parent} is not there"]
        if known.children and stem not in known.sessions:
            yield [path, "its session is not there"]


def _strange_indexes(
    indexes: list[list[Any]], records: dict[str, Any], known: Known
) -> Iterator[list[Any]]:
    for stem, entries, *_ in indexes:
        path = f"{INDEXES}/{stem}.json"
        if known.judges and stem not in known.sessions:
            yield [path, "the session that it is the index of is not there"]
        for name in entries:
            if isinstance(name, str) and is_id(records.get(name)) and records[name] != stem:
                yield [path, f"{name} in it says that its parent is {records[name]}"]


def _rows(folders: Folders, folder: str) -> list[list[Any]]:
    rows: list[list[Any]] = folders.get(folder, {}).get("rows", [])
    return rows


def _said(value: object) -> str:
    """Return an id as a file tells it, or what it is instead of a text."""
    return value if isinstance(value, str) else "no text"
