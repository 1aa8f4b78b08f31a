"""Copying points from one Qdrant collection to another, each read back and compared.

Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from typing import Any

from plugins.hands.qdrant_wire import No, place_of, told

_PAGE = 100
_LARGEST = 16 << 20  # bytes of one request; Qdrant takes 32 MiB unless it is told otherwise
# How far the squares of what was lost by rounding may be of the squares of a vector: an element of
# 16 bits is off by 2^-11 at most.
_ROUNDING = 1e-6
Point = dict[str, Any]


def copy_some(
    server: list[str],
    source: str,
    target: str,
    moved: list[str],
    lacking: bool,
    offset: Any,
    seconds: float,
) -> dict[str, Any]:
    """Copy pages of points, as many as are begun within the time.

    Ids, payloads and vectors stay as they are, but for the one that is `moved`. Each point is read
    back from the target and compared.

    Args:
        server: [URL, variable that holds the key].
        source, target: collections.
        moved: [name of a vector in the source, "" for that without one, its name in the target], or
            [] where they have the same names.
        lacking: copy only what the target has not got.
        offset: the id to begin at, None for the first.
        seconds: after which no further page is begun.

    Returns:
        next: the id to go on at, None at the end; copied: points that are in the target now; left:
        points that were left out as they have no such vector.
    """
    ends = time.monotonic() + seconds
    copied = left = 0
    cosine = _cosine(server, target)
    while True:
        rows, offset = _page(server, source, offset)
        fit = [row for row in (_moved(row, moved) for row in rows) if row]
        left += len(rows) - len(fit)
        known = _ids(server, target, fit) if lacking else frozenset()
        for portion in _portions([row for row in fit if _key(row) not in known]):
            _put(server, target, portion, cosine)
        copied += len(fit)
        if offset is None or time.monotonic() > ends:
            return {"next": offset, "copied": copied, "left": left}


def contained(
    server: list[str], collection: str, other: str, offset: Any, seconds: float
) -> dict[str, Any]:
    """Look whether another collection holds every point of one, with the same payload.

    Returns:
        next: the id to go on at, None at the end; seen: how many were looked at; lost: the first
        point that the other one has not got, "" when it has all.
    """
    ends = time.monotonic() + seconds
    seen = 0
    while True:
        rows, offset = _page(server, collection, offset, vectors=False)
        there = _retrieved(server, other, rows, vectors=False)
        for row in rows:
            if _key(row) not in there or not _alike(row, there[_key(row)]):
                return {"next": None, "seen": seen, "lost": _key(row)}
        seen += len(rows)
        if offset is None or time.monotonic() > ends:
            return {"next": offset, "seen": seen, "lost": ""}


def _page(
    server: list[str], collection: str, offset: Any, vectors: bool = True
) -> tuple[list[Point], Any]:
    question: dict[str, Any] = {"limit": _PAGE, "with_payload": True, "with_vector": vectors}
    if offset is not None:
        question["offset"] = offset
    said = told(server, "POST", f"{place_of(collection)}/points/scroll", question)
    rows = said.get("points") if isinstance(said, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise No(f"{collection}: its points cannot be read")
    following = said.get("next_page_offset")
    if following is not None and (not rows or following == offset):
        raise No(f"{collection}: it gives the same page of points again and again")
    return rows, following


def _key(row: Point) -> str:
    return str(row["id"])


def _moved(row: Point, moved: list[str]) -> Point | None:
    """Return a point as the target takes it, None where it has not got the vector."""
    vector = row.get("vector")
    if moved:
        old, new = moved
        named = vector if isinstance(vector, dict) else {"": vector}
        if not isinstance(named.get(old), list) or not named[old]:
            return None
        vector = {name: value for name, value in named.items() if name not in (old, new)}
        vector[new] = named[old]
    point = {"id": row["id"], "vector": {} if vector is None else vector}
    return point if row.get("payload") is None else {**point, "payload": row["payload"]}


def _portions(rows: list[Point]) -> Iterator[list[Point]]:
    portion: list[Point] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row))
        if portion and size + length > _LARGEST:
            yield portion
            portion, size = [], 0
        portion.append(row)
        size += length
    if portion:
        yield portion


def _put(server: list[str], target: str, rows: list[Point], cosine: frozenset[str]) -> None:
    """Write points, read them back, and compare."""
    path = f"{place_of(target)}/points"
    told(server, "PUT", f"{path}?wait=true", {"points": rows})
    there = _retrieved(server, target, rows)
    for row in rows:
        back = there.get(_key(row))
        if back is None:
            raise No(f"{target}: point {_key(row)} was written, and is not there")
        if not (_alike(row, back) and _same(row.get("vector"), back.get("vector"), cosine)):
            raise No(f"{target}: point {_key(row)} is not there as it was written")


def _retrieved(
    server: list[str], collection: str, rows: list[Point], vectors: bool = True
) -> dict[str, Point]:
    if not rows:
        return {}
    question = {"ids": [row["id"] for row in rows], "with_payload": True, "with_vector": vectors}
    said = told(server, "POST", f"{place_of(collection)}/points", question)
    if not isinstance(said, list) or not all(isinstance(row, dict) and "id" in row for row in said):
        raise No(f"{collection}: its points cannot be read")
    return {_key(row): row for row in said}


def _ids(server: list[str], collection: str, rows: list[Point]) -> frozenset[str]:
    return frozenset(_retrieved(server, collection, rows, vectors=False))


def _alike(one: Point, other: Point) -> bool:
    return (one.get("payload") or {}) == (other.get("payload") or {})


def _cosine(server: list[str], collection: str) -> frozenset[str]:
    """Return the names of the vectors that the server brings to length 1 when it takes them."""
    said = told(server, "GET", place_of(collection))
    try:
        vectors = said["config"]["params"].get("vectors") or {}
        named = {"": vectors} if "size" in vectors else vectors
        return frozenset(name for name, one in named.items() if one["distance"] == "Cosine")
    except (KeyError, TypeError, AttributeError):
        raise No(f"{collection}: its configuration cannot be read") from None


def _same(wrote: Any, found: Any, cosine: frozenset[str]) -> bool:
    ours = wrote if isinstance(wrote, dict) else {"": wrote}
    theirs = found if isinstance(found, dict) else {"": found}
    if found in (None, {}, []):
        return not [value for value in ours.values() if value]
    return ours.keys() == theirs.keys() and all(
        _near(value, theirs[name], name in cosine) for name, value in ours.items()
    )


def _near(one: Any, other: Any, cosine: bool) -> bool:
    """Tell whether two vectors are the same but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = (dict(zip(v["indices"], v["values"], strict=True)) for v in (one, other))
        return left.keys() == right.keys() and _near(
            list(left.values()), [right[place] for place in left], False
        )
    if not (isinstance(one, list) and isinstance(other, list) and len(one) == len(other)):
        return False
    if one and isinstance(one[0], list):
        return all(_near(a, b, cosine) for a, b in zip(one, other, strict=True))
    length = math.sqrt(math.fsum(value * value for value in one)) if cosine else 1.0
    scaled = [value / length for value in one] if length else one
    return any(_close(each, other) for each in (scaled, one))


def _close(one: list[float], other: list[float]) -> bool:
    off = math.fsum((a - b) ** 2 for a, b in zip(one, other, strict=True))
    return off <= _ROUNDING * math.fsum(value * value for value in one) + 1e-30
