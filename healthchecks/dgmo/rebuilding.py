"""How a collection of memories gets the vectors that the memory server asks for, and loses none.

A snapshot is taken and verified, the points are copied into a collection beside, the old one is
dropped, made anew, and filled from there. Whoever is killed in the middle leaves that copy behind:
its name tells how many points it is to hold, and the next look goes on from it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from plugins import printable
from plugins.endpoints.qdrant import CollectionInfo, Vector
from plugins.steps import (
    CopyCollection,
    CreateCollection,
    DropCopy,
    DropOriginal,
    Mkdir,
    Step,
    TakeSnapshot,
)

NOTHING_FITS = "none of its vectors fits: the memories must be embedded anew"
_MARK = "-rebuilding-"
# Distances of vectors that Qdrant keeps as they are given.
_AS_GIVEN = frozenset({"Dot", "Euclid", "Manhattan"})
_KEPT = (
    "shard_number",
    "replication_factor",
    "write_consistency_factor",
    "on_disk_payload",
    "payload",
)
_CONFIGURED = {
    "hnsw_config": "hnsw_config",
    "optimizer_config": "optimizers_config",
    "wal_config": "wal_config",
    "quantization_config": "quantization_config",
    "strict_mode_config": "strict_mode_config",
}


@dataclass(frozen=True)
class Leftover:
    """A copy that a rebuilding which was cut short has left.

    Args:
        name: of the collection.
        meant: how many points it is to hold.
        points: how many it holds.
        body, indexes: by which it can be made.
    """

    name: str
    meant: int
    points: int
    body: str = field(repr=False)
    indexes: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        name = printable(self.name, 100)
        return f"{name}, left by a rebuilding that was cut short: {self.points} of {self.meant}"


@dataclass(frozen=True)
class Shelf:
    """Where snapshots are kept.

    Args:
        folder: of the host, "" for none.
        lacking: folders that must be made first, the outermost first.
        stamp: the host's time, as names of snapshots bear it.
    """

    folder: str
    lacking: tuple[str, ...]
    stamp: str

    def made(self) -> Iterator[Mkdir]:
        """Yield the steps that make it."""
        yield from (Mkdir(path) for path in self.lacking)

    def path(self, collection: str) -> str:
        """Return the path of a snapshot that is taken now."""
        return os.path.join(self.folder, f"{collection}_{self.stamp}.snapshot")


@dataclass(frozen=True)
class Rebuilding:
    """What it takes to give a collection the right vectors.

    Args:
        url, key: of the server, the key as the name of a variable.
        name: the collection.
        total: how many points it holds; -1 where it is not there.
        fitting: how many of them have a vector that fits.
        moved: (name of that vector, "" for none; the name that it gets).
        body, indexes: by which the new collection is made.
        faults: what is wrong with its vectors, () where they are right.
        leftovers: what was left by a rebuilding that was cut short.
        shelf: where the snapshot goes.
        hindrance: why a person has to look at it, "" where nobody has to.
    """

    url: str
    key: str
    name: str
    total: int
    fitting: int
    moved: tuple[str, ...]
    body: str = field(repr=False)
    indexes: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]
    leftovers: tuple[Leftover, ...]
    shelf: Shelf
    hindrance: str

    @property
    def ills(self) -> tuple[str, ...]:
        """All that is wrong, in words."""
        left_out = self.total - self.fitting
        unfit = f"{left_out} of its {self.total} points have no vector that fits"
        said = (*self.faults, *map(str, self.leftovers))
        said += (unfit,) if self.faults and left_out > 0 else ()
        return (*said, self.hindrance) if said and self.hindrance else said

    def steps(self) -> Iterator[Step]:
        """Yield the steps; none where a person has to look at it."""
        if self.hindrance:
            return
        if self.total < 0:
            yield from self.begun_anew()
        elif not self.faults:
            yield from self._finished()
        else:
            yield from self._rebuilt()

    @property
    def nothing_fits(self) -> bool:
        """Whether there are points, and no vector of theirs fits."""
        return self.hindrance == NOTHING_FITS

    def emptied(self) -> Iterator[Step]:
        """Yield the steps that leave all points to the snapshot, and make the collection anew."""
        snapshot = self.shelf.path(self.name)
        yield from self.shelf.made()
        yield TakeSnapshot(self.url, self.name, snapshot, self.total, key=self.key)
        yield DropOriginal(self.url, self.name, snapshot, self.total, key=self.key)
        yield CreateCollection(self.url, self.name, self.body, self.indexes, key=self.key)

    def begun_anew(self) -> Iterator[Step]:
        """Yield the steps that make the collection, from the copy where one is left."""
        if not self.leftovers:
            yield CreateCollection(self.url, self.name, self.body, self.indexes, key=self.key)
        for left in self.leftovers:
            if left.points == left.meant:
                yield self._from(left, onto=False)

    def _finished(self) -> Iterator[Step]:
        for left in self.leftovers:
            yield self._from(left, onto=True)
            yield DropCopy(self.url, left.name, self.name, left.body, left.indexes, key=self.key)

    def _from(self, left: Leftover, *, onto: bool) -> CopyCollection:
        return CopyCollection(
            self.url,
            self.name,
            left.body,
            left.indexes,
            key=self.key,
            source=left.name,
            total=left.points,
            fitting=left.points,
            onto=onto,
        )

    def _rebuilt(self) -> Iterator[Step]:
        url, name, key = self.url, self.name, self.key
        copy = beside(name, self.fitting)
        snapshot = self.shelf.path(name)
        made: dict[str, Any] = {"key": key, "fitting": self.fitting}
        for left in self.leftovers:
            yield DropCopy(url, left.name, name, key=key)
        yield from self.shelf.made()
        yield TakeSnapshot(url, name, snapshot, self.total, key=key)
        words = (self.body, self.indexes)
        yield CopyCollection(
            url, copy, *words, source=name, total=self.total, moved=self.moved, **made
        )
        yield DropOriginal(url, name, snapshot, self.total, copy, self.fitting, key=key)
        yield CopyCollection(url, name, *words, source=copy, total=self.fitting, **made)
        yield DropCopy(url, copy, name, *words, key=key)


def beside(name: str, points: int) -> str:
    """Return the name of the copy that is to hold so many points of a collection."""
    return f"{name}{_MARK}{points}"


def meant(name: str, other: str) -> int | None:
    """Return how many points a collection is to hold that is a copy of one; None if it is none."""
    found = re.fullmatch(rf"{re.escape(name)}{_MARK}(\d{{1,15}})", other)
    return int(found[1]) if found else None


def faults(info: CollectionInfo, wanted: Vector) -> tuple[str, ...]:
    """Return what is wrong with the vectors of a collection."""
    found = info.vector(wanted.name)
    if found is None:
        has = ", ".join(map(str, info.vectors)) or "no dense vector"
        return (f"there is no vector {printable(wanted.name, 80)}; it has {has}",)
    wrong = []
    if found.size != wanted.size:
        wrong.append(f"its vectors have {found.size} numbers, and {wanted.size} are asked for")
    if found.distance != wanted.distance:
        told = printable(found.distance, 20)
        wrong.append(f"they are compared by {told}, and {wanted.distance} is asked for")
    if found.several:
        wrong.append("a point has several of them, and one is asked for")
    return tuple(wrong)


def fit(info: CollectionInfo, wanted: Vector) -> tuple[Vector, ...]:
    """Return the vectors that can take the place of the wanted one, the best alone where one is.

    A vector of another distance fits, as long as it is kept as it was given: Cosine brings it to
    length 1.
    """
    able = [
        one
        for one in info.vectors
        if one.size == wanted.size
        and not one.several
        and (one.distance == wanted.distance or one.distance in _AS_GIVEN)
    ]
    best = [one for one in able if one.name in (wanted.name, "")]
    return tuple(best[:1] or able)


def body_of(info: CollectionInfo, source: Vector | None, wanted: Vector | None) -> str:
    """Return the JSON by which a collection like one is made.

    Args:
        info: that one.
        source: the vector whose place the wanted one takes; None where none fits.
        wanted: None where all vectors are to be as they are.
    """
    config = json.loads(info.configuration)
    params = config["params"]
    vectors = params.get("vectors") or {}
    if wanted is not None:
        named = {"": vectors} if isinstance(vectors.get("size"), int) else vectors
        old = named.get(source.name, {}) if source else {}
        gone = {wanted.name, source.name if source else "", ""}
        vectors = {name: one for name, one in named.items() if name not in gone}
        vectors[wanted.name] = {**old, "size": wanted.size, "distance": wanted.distance}
    body = {"vectors": vectors, "sparse_vectors": params.get("sparse_vectors")}
    body |= {key: params.get(key) for key in _KEPT}
    body |= {new: config.get(old) for old, new in _CONFIGURED.items()}
    # What people noted down of it is theirs, with whatever is null in it.
    noted = {"metadata": config["metadata"]} if config.get("metadata") else {}
    return json.dumps(_without_nothing(body) | noted)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        rows = {key: _without_nothing(one) for key, one in value.items()}
        return {key: one for key, one in rows.items() if one is not None}
    return value


def indexes_of(info: CollectionInfo) -> tuple[tuple[str, str], ...]:
    """Return the indexes of payloads: each field, and its schema as JSON."""
    rows = json.loads(info.payload_schema)
    return tuple(
        (str(name), json.dumps(one.get("params") or one.get("data_type")))
        for name, one in sorted(rows.items())
        if isinstance(one, dict)
    )
