"""Indexes of sub-sessions: what is wrong with them, and what they should be by the records."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from typing import Any

from healthchecks.dgmo.relations import INDEXES, RECORDS, Known, is_id
from plugins.endpoints.json_folders import Folders

_MODE = stat.S_IFREG | 0o600
Children = Mapping[str, Mapping[str, float]]


def index_faults(folders: Folders, known: Known) -> Iterator[list[Any]]:
    """Yield each index that is wrong, with what it should hold.

    Returns:
        [path, identity, mode, why it is no list of ids, ids missing, ids dangling, ids rebuilt]; an
        index that is not there has the identity "".
    """
    folder = folders.get(INDEXES, {})
    children = _children(folders, known)
    seen = set()
    for stem, entries, identity, mode in folder.get("rows", ()):
        seen.add(stem)
        mine = children.get(stem, {})
        why = _no_list(entries)
        named = dict.fromkeys(one for one in entries if isinstance(one, str))
        missing = [one for one in mine if one not in named]
        dangling = [one for one in named if one not in known.records]
        if why or missing or dangling:
            kept = [one for one in named if one in known.records]
            rebuilt = _ordered(kept, missing, mine)
            yield [_path(stem), identity, mode, why, missing, dangling, rebuilt]
    for kind in ("broken", "recoded"):
        for name, why, identity, mode, *_ in folder.get(kind, ()):
            seen.add(name[:-5])
            rebuilt = _ordered([], list(children.get(name[:-5], ())), children.get(name[:-5], {}))
            yield [_path(name[:-5]), identity, mode, why, [], [], rebuilt]
    seen |= {row[0][:-5] for row in folder.get("unjudged", ())}
    for parent, mine in children.items():
        if parent not in seen and (parent in known.sessions or not known.judges):
            yield [_path(parent), "", _MODE, "", list(mine), [], _ordered([], list(mine), mine)]


def _path(stem: str) -> str:
    return f"{INDEXES}/{stem}.json"


def _children(folders: Folders, known: Known) -> Children:
    """Return by parent the ids of its sub-sessions, each with the time of its creation."""
    found: dict[str, dict[str, float]] = {}
    for stem, _, parent, _, created, _ in folders.get(RECORDS, {}).get("rows", ()):
        # A record's word becomes a file's name: only an id may.
        if is_id(parent) and is_id(stem):
            made = created if isinstance(created, (int, float)) else 0.0
            found.setdefault(parent, {})[stem] = made
    return found


def _no_list(entries: list[Any]) -> str:
    """Return what keeps a list from being one of ids, "" for nothing."""
    texts = [one for one in entries if isinstance(one, str)]
    if len(texts) < len(entries):
        return f"{len(entries) - len(texts)} of its entries are no ids"
    doubled = len(texts) - len(set(texts))
    return f"{doubled} of its entries stand there twice" if doubled else ""


def _ordered(kept: list[str], missing: list[str], created: Mapping[str, float]) -> list[str]:
    """Return the ids in the order of their creation; another order that was there stays."""
    times = [created.get(one, 0.0) for one in kept]
    if times == sorted(times):
        return sorted([*kept, *missing], key=lambda one: created.get(one, 0.0))
    return [*kept, *sorted(missing, key=lambda one: created.get(one, 0.0))]
