"""A session store as its files tell it: what is broken in itself, and what disagrees."""

from __future__ import annotations

import os
from typing import Any

from healthchecks.dgmo import relations
from healthchecks.dgmo.indexes import index_faults
from healthchecks.dgmo.relations import INDEXES, INFO, MESSAGES, RECORDS
from plugins.endpoints.json_folders import Folders, Wanted

FOLDERS = "sessions"  # the guide's layout: a folder a session
# Another one whenever `judged` judges otherwise than before: what was kept is then judged anew.
FORM = "3"
NEWEST = 200
_BIGGEST = 20
_LISTS = ("broken", "recoded", "unjudged", "left", "conflicts")

# The program writes a session, then its record, then its parent's index: looked at the other way
# round, each of them names only what was there already.
WANTED = (
    Wanted(INDEXES, False, "list", ("entries",)),
    Wanted(RECORDS, False, "object", relations.RECORD_FIELDS),
    Wanted(INFO, False, "object", relations.INFO_FIELDS),
    Wanted(FOLDERS, True, "any"),
    Wanted(MESSAGES, True, "object", ("id",), False),
    Wanted("storage/session/performance", False, "any"),
    Wanted("storage/session/share", False, "any"),
    Wanted("storage/prompting/sessions", False, "any"),
)


def judged(folders: Folders) -> dict[str, Any]:
    """Return what all files of a store come to, as plain JSON values.

    Paths are below the store's root. broken, recoded, unjudged, left, conflicts: rows of the eye,
    with the path in the place of the name; lacking, strangers: [path, what]; indexes: see
    `index_faults`; unfinished: [path, status, since in ms or None]; newest: [session, ms]; big:
    [path, bytes]; bytes: of all files; indexed: whether there is a folder of indexes. NAME_total
    tells how many there are, of which only so many have a row.
    """
    told: dict[str, Any] = {}
    for name in _LISTS:
        # A broken index is judged with the others.
        some = {f: one for f, one in folders.items() if f != INDEXES or name in _LISTS[2:]}
        told[name] = [
            [f"{folder}/{row[0]}", *row[1:]]
            for folder, one in some.items()
            for row in one.get(name, ())
        ]
        told[f"{name}_total"] = sum(one.get(f"{name}_total", 0) for one in some.values())
    big = [[f"{f}/{row[0]}", row[1]] for f, one in folders.items() for row in one.get("big", ())]
    told["big"] = sorted(big, key=lambda row: -row[1])[:_BIGGEST]
    told["bytes"] = sum(one["bytes"] for one in folders.values())
    told["newest"] = _newest(folders)
    told["indexed"] = INDEXES in folders
    told["sessions"] = sum(
        one["files"] if folder == INFO else folder.startswith(f"{FOLDERS}/")
        for folder, one in folders.items()
    )
    _add(told, "lacking", relations.lacking(folders))
    _add(told, "unfinished", relations.unfinished(folders.get(RECORDS, {})))
    # What is broken but not named, as there is too much of it, would seem not to be there.
    told["whole"] = all(told[f"{name}_total"] == len(told[name]) for name in _LISTS[:3])
    known = relations.Known.of(folders)
    _add(told, "strangers", list(relations.strangers(folders, known)) if told["whole"] else [])
    _add(told, "indexes", list(index_faults(folders, known)) if told["whole"] else [])
    return told


def _add(told: dict[str, Any], name: str, rows: list[list[Any]]) -> None:
    told[name], told[f"{name}_total"] = rows[:1000], len(rows)


def _newest(folders: Folders) -> list[list[Any]]:
    """Return the newest sessions, each with its last change in ms."""
    rows = folders.get(INFO, {}).get("rows", ())
    times = [[row[0], row[6]] for row in rows if isinstance(row[6], (int, float))]
    times += [
        [os.path.basename(folder), one["newest"] * 1000]
        for folder, one in folders.items()
        if folder.startswith(f"{FOLDERS}/")
    ]
    return sorted(times, key=lambda row: -row[1])[:NEWEST]
