"""Collections, snapshots and the health of a Qdrant server in typed rows, as it tells of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from plugins.outcomes import WrongKind
from plugins.text import printable

# Qdrant's own default, in KiB of vectors of a segment.
_INDEXING_THRESHOLD = 20_000
_MOST = 1 << 63


@dataclass(frozen=True)
class Health:
    """Whether a server is well, as its own pages tell.

    Attributes:
        well: one of them says so.
        ready: False where it says that some of its shards are not.
        version: such as "1.12.4", "" where it does not tell.
        tried: what each page that was asked and did not say so came to, in words.
        answered: whether HTTP was answered at all.
        strange: whether one of them was answered, and otherwise than by Qdrant.
    """

    well: bool
    ready: bool
    version: str
    tried: tuple[str, ...]
    answered: bool = True
    strange: bool = False


@dataclass(frozen=True)
class Vector:
    """A dense vector of a collection; `name` is "" where it has none, `size` counts numbers.

    `several` tells that a point may have more than one of it.
    """

    name: str
    size: int
    distance: str
    several: bool = False

    def __str__(self) -> str:
        name = printable(self.name, 80) if self.name else "without a name"
        several = ", several a point" if self.several else ""
        return f"{name} ({self.size} numbers, {printable(self.distance, 20)}{several})"


@dataclass(frozen=True)
class CollectionInfo:
    """A collection as the server tells of it.

    Attributes:
        status: "green", "yellow", "grey" or "red".
        optimizer: its error, "" where it is well.
        points: about how many; None where it does not tell.
        indexed: vectors in an index, about; None where it does not tell.
        segments: how many.
        vectors: the dense ones, by name.
        sparse: names of the sparse ones.
        indexing_threshold: KiB of vectors from which a segment is indexed, 0 for never.
        configuration: the server's own JSON of all that it was made with.
        payload_schema: the server's own JSON of the indexes of payloads.
    """

    name: str
    status: str
    optimizer: str
    points: int | None
    indexed: int | None
    segments: int
    vectors: tuple[Vector, ...]
    sparse: tuple[str, ...]
    indexing_threshold: int
    configuration: str = field(default="", repr=False)
    payload_schema: str = field(default="{}", repr=False)

    def vector(self, name: str) -> Vector | None:
        """Return the dense vector of that name."""
        return next((one for one in self.vectors if one.name == name), None)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that the server holds.

    Attributes:
        size: bytes.
        created: seconds since 1970, None where the server does not tell.
        checksum: SHA-256 in hexadecimal, "" where the server does not tell.
    """

    name: str
    size: int
    created: float | None
    checksum: str


@dataclass(frozen=True)
class Hits:
    """What a query came to: ids of points, nearest first, and the seconds that it took."""

    ids: tuple[str, ...]
    seconds: float


def collection(name: str, told: Any) -> CollectionInfo:
    """Read what a server tells of a collection.

    Raises:
        WrongKind: it is of another shape.
    """
    try:
        config = told["config"]
        params = config["params"]
        optimizer = told.get("optimizer_status", "ok")
        error = optimizer.get("error", "") if isinstance(optimizer, dict) else ""
        return CollectionInfo(
            name=name,
            status=str(told["status"]).lower(),
            optimizer=str(error) or ("" if optimizer == "ok" else str(optimizer)),
            points=whole(told.get("points_count", told.get("vectors_count"))),
            indexed=whole(told.get("indexed_vectors_count")),
            segments=whole(told.get("segments_count")) or 0,
            vectors=tuple(_vectors(params.get("vectors") or {})),
            sparse=tuple(sorted(params.get("sparse_vectors") or {})),
            indexing_threshold=_threshold(config.get("optimizer_config") or {}),
            configuration=json.dumps(config),
            payload_schema=json.dumps(told.get("payload_schema") or {}),
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        raise WrongKind(f"what is told of collection {printable(name)} is of no known shape") from (
            None
        )


def snapshots(told: Any) -> tuple[Snapshot, ...]:
    """Read a list of snapshots, oldest first; those without a date come before all others.

    Raises:
        WrongKind: it is of another shape.
    """
    try:
        found = [_snapshot(row) for row in told]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise WrongKind("the list of snapshots is of no known shape") from None
    return tuple(sorted(found, key=lambda one: (one.created or 0.0, one.name)))


def snapshot(told: Any) -> Snapshot:
    """Read the description of one snapshot; raises `WrongKind` when it is of another shape."""
    return snapshots([told])[0]


def whole(value: Any) -> int | None:
    """Return a number of things, None where the value is none."""
    right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST
    return value if right else None


def _vectors(given: Mapping[str, Any]) -> list[Vector]:
    named = {"": given} if isinstance(given.get("size"), int) else given
    found = []
    for name, one in sorted(named.items()):
        size = whole(one["size"])
        if size is None:
            raise ValueError(name)
        several = bool(one.get("multivector_config"))
        found.append(Vector(str(name), size, str(one["distance"]), several))
    return found


def _threshold(optimizer: Mapping[str, Any]) -> int:
    told = optimizer.get("indexing_threshold")
    return _INDEXING_THRESHOLD if told is None else whole(told) or 0


def _snapshot(row: Mapping[str, Any]) -> Snapshot:
    size = whole(row["size"])
    if size is None:
        raise ValueError(row["name"])
    return Snapshot(
        name=str(row["name"]),
        size=size,
        created=_moment(row.get("creation_time")),
        checksum=str(row.get("checksum") or "").lower(),
    )


def _moment(text: Any) -> float | None:
    """Return seconds since 1970 of a time that the server writes without a zone, in UTC."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return moment if math.isfinite(moment) else None
