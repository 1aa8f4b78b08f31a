"""Making Qdrant collections, and dropping those of which nothing can be lost.

A hand answers `{}` when it is done and `{"refused": sentence}` when it did nothing.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from plugins.hands.qdrant_wire import No, counted, place_of, told

Done = dict[str, Any]


def create(server: list[str], name: str, body: str, indexes: list[list[str]]) -> Done:
    """Make an empty collection.

    Args:
        server: [URL, variable that holds the key].
        name: it must not be there yet.
        body: of the request, JSON.
        indexes: [field of the payload, its schema as JSON].
    """
    if counted(server, name) >= 0:
        return {"refused": f"the collection {name} is there already"}
    made = False
    try:
        told(server, "PUT", place_of(name), json.loads(body))
        made = True
        for field, schema in indexes:
            question = {"field_name": field, "field_schema": json.loads(schema)}
            told(server, "PUT", f"{place_of(name)}/index?wait=true", question)
        if counted(server, name) == 0:
            return {}
    except No as why:
        # The answer may be lost, and the collection be there all the same. Where making it was
        # refused, as when somebody was faster, what is there is not ours.
        if made or not (why.own and 400 <= why.status < 500):
            with contextlib.suppress(No):
                drop(server, name, 0)
        raise
    return {"refused": f"{name} was made, and is not there, or not empty"}


def numbers(server: list[str], names: list[str]) -> Done:
    """Return the exact number of points of each collection, -1 where there is none."""
    return {"numbers": [counted(server, name) for name in names]}


def drop(server: list[str], name: str, expected: int) -> Done:
    """Drop a collection that holds as many points as whoever decided it has counted."""
    there = counted(server, name)
    if there != expected:
        return {"refused": f"{name} holds {there} points by now, and not {expected}: left as it is"}
    try:
        told(server, "DELETE", place_of(name))
    except No as why:
        # The answer may be lost, and the collection be gone all the same.
        if counted(server, name) >= 0:
            raise why from None
        return {}
    return {} if _gone(server, name) else {"refused": f"{name} was dropped, and is still there"}


def _gone(server: list[str], name: str) -> bool:
    try:
        return counted(server, name) < 0
    except No:
        return counted(server, name) < 0


def drop_unfinished(server: list[str], name: str) -> Done:
    """Drop what this very step made and could not finish; one that is gone is done."""
    try:
        told(server, "DELETE", place_of(name))
    except No as why:
        if why.status != 404:
            raise
    return {} if counted(server, name) < 0 else {"refused": f"{name} is still there"}
