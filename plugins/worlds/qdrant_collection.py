"""A collection of a world's Qdrant: Qdrant's own segment code in this process, from qdrant-edge-py.

Requests are checked here as the server checks them, with the server's own words, before they reach
the segment.
"""

from __future__ import annotations

import json
import math
import shutil
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugins.worlds.qdrant_shapes import (
    Wrong,
    engine_config,
    inward,
    limit_of,
    named,
    outward,
    point_id,
    record,
    wanted,
)
from plugins.worlds.qdrant_tar import pack, unpack

if TYPE_CHECKING:
    from uuid import UUID

    import qdrant_edge as edge

SHARD = "0"
CONFIG = "config.json"


class Collection:
    """One collection in its own folder; `made` and `loaded` return one.

    Args:
        folder: holds config.json and the shard.
        params: as in the request that made it: "vectors", "sparse_vectors" and the rest.
        shard: the open engine.
    """

    def __init__(self, folder: Path, params: dict[str, Any], shard: edge.EdgeShard) -> None:
        self.folder = folder
        self.params = params
        self._shard = shard
        self.operations = 0

    @classmethod
    def made(cls, folder: Path, params: dict[str, Any]) -> Collection:
        """Make an empty collection.

        Raises:
            Wrong: its configuration is none.
        """
        import qdrant_edge as edge

        config = engine_config(params)
        (folder / SHARD).mkdir(parents=True)
        (folder / CONFIG).write_text(json.dumps(params))
        return cls(folder, params, edge.EdgeShard.create(str(folder / SHARD), config))

    @classmethod
    def loaded(cls, folder: Path) -> Collection:
        """Open what stands in the folder."""
        import qdrant_edge as edge

        params = json.loads((folder / CONFIG).read_text())
        return cls(folder, params, edge.EdgeShard.load(str(folder / SHARD)))

    def close(self) -> None:
        """Write everything down and let go of it."""
        self._shard.flush()
        self._shard.close()

    def drop(self) -> None:
        """Delete it, with its folder."""
        self._shard.close()
        shutil.rmtree(self.folder)

    # ---- what it is made of

    @property
    def vectors(self) -> dict[str, dict[str, Any]]:
        """Parameters of each dense vector by its name; "" is that without a name."""
        return named(self.params.get("vectors") or {})

    @property
    def sparse(self) -> dict[str, Any]:
        """Parameters of each sparse vector by its name."""
        return dict(self.params.get("sparse_vectors") or {})

    def info(self) -> dict[str, int]:
        """Return what the engine counts."""
        told = self._shard.info()
        return {
            "points_count": told.points_count,
            "indexed_vectors_count": told.indexed_vectors_count,
            "segments_count": told.segments_count,
        }

    # ---- points

    def upsert(self, points: Sequence[dict[str, Any]]) -> None:
        """Write points; all of them, or none with `Wrong`."""
        import qdrant_edge as edge

        ready = []
        for one in points:
            vector = one.get("vector", {})
            given = vector if isinstance(vector, dict) else {"": vector}
            for name, value in given.items():
                self._fits(name, value)
            inner = {name: inward(value) for name, value in given.items()}
            payload = one.get("payload") or {}
            ready.append(edge.Point(point_id(one.get("id")), inner, payload))
        self.operations += 1
        if ready:
            self._shard.update(edge.UpdateOperation.upsert_points(ready))

    def delete(self, ids: Iterable[Any]) -> None:
        """Delete points; ids that are not there are passed over."""
        import qdrant_edge as edge

        self.operations += 1
        self._shard.update(edge.UpdateOperation.delete_points([point_id(one) for one in ids]))

    def count(self, question: dict[str, Any] | None = None) -> int:
        """Return the exact number of points, or of those that have a vector of a name."""
        import qdrant_edge as edge

        conditions = ((question or {}).get("filter") or {}).get("must") or []
        if not all(isinstance(one, dict) and set(one) == {"has_vector"} for one in conditions):
            raise Wrong("Format error in JSON body: unknown variant of a condition")
        having = [edge.HasVectorCondition(one["has_vector"]) for one in conditions]
        chosen = edge.Filter(must=[*having]) if having else None
        return self._shard.count(edge.CountRequest(exact=True, filter=chosen))

    def index(self, field: str, schema: Any) -> None:
        """Have an index of a field of the payload."""
        import qdrant_edge as edge

        kind = schema.get("type") if isinstance(schema, dict) else schema
        found = getattr(edge.PayloadSchemaType, str(kind).capitalize(), None)
        if found is None:
            raise Wrong(f"Format error in JSON body: unknown variant `{kind}`")
        self.operations += 1
        self._shard.update(edge.UpdateOperation.create_field_index(field, found))
        indexes = self.params.setdefault("payload_schema", {})
        indexes[field] = {"data_type": kind, "points": self.count()}
        if isinstance(schema, dict):
            indexes[field]["params"] = schema
        (self.folder / CONFIG).write_text(json.dumps(self.params))

    def retrieve(self, ids: Iterable[Any], question: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the points of these ids that are there."""
        chosen: list[int | UUID | str] = [point_id(one) for one in ids]
        told = self._shard.retrieve(chosen, *wanted(question, payload=True))
        return [record(one) for one in told]

    def scroll(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return a page of points in the order of their ids, and where the next one begins."""
        import qdrant_edge as edge

        payload, vector = wanted(question, payload=True)
        start = question.get("offset")
        request = edge.ScrollRequest(
            offset=None if start is None else point_id(start),
            limit=limit_of(question),
            with_payload=payload,
            with_vector=vector,
        )
        found, following = self._shard.scroll(request)
        rows = [record(one) for one in found]
        return {"points": rows, "next_page_offset": outward(following)}

    def nearest(self, vector: Any, using: str, question: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the points nearest to a vector, or by id where there is none."""
        import qdrant_edge as edge

        asked = None
        if vector is not None:
            self._fits(using, vector)
            asked = edge.Query.Nearest(inward(vector), using=using or None)
        payload, vectors = wanted(question, payload=False)
        request = edge.QueryRequest(
            limit=limit_of(question),
            offset=int(question.get("offset") or 0),
            query=asked,
            with_payload=payload,
            with_vector=vectors,
            score_threshold=question.get("score_threshold"),
        )
        found = self._shard.query(request)
        return [record(one) | {"version": one.version, "score": one.score} for one in found]

    def _fits(self, name: str, value: Any) -> None:
        """Refuse a vector that has no place here, as the server does."""
        if name in self.sparse:
            return
        if name not in self.vectors:
            names = ", ".join(sorted({*self.vectors, *self.sparse} - {""}))
            if not name and names:
                raise Wrong(
                    "Wrong input: Collection requires specified vector name in the request,"
                    f" available names: {names}"
                )
            raise Wrong(f"Wrong input: Not existing vector name error: {name}")
        rows = value if value and isinstance(value[0], list) else [value]
        size = self.vectors[name]["size"]
        for row in rows:
            if not all(isinstance(one, int | float) and math.isfinite(one) for one in row):
                raise Wrong("Format error in JSON body: data did not match any variant of a vector")
            if len(row) != size:
                raise Wrong(
                    f"Wrong input: Vector dimension error: expected dim: {size}, got {len(row)}"
                )

    # ---- snapshots

    def snapshot(self, path: Path) -> None:
        """Write all of it into a tar, as the server does."""
        self._shard.flush()
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            pack(archive, self.folder)


def from_snapshot(path: Path, scratch: Path) -> dict[str, Any]:
    """Unpack a snapshot into an empty folder, and return the parameters of what is in it.

    Raises:
        Wrong: it is no snapshot, or not whole.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            unpack(archive, scratch)
        params: dict[str, Any] = json.loads((scratch / CONFIG).read_text())
    except (tarfile.TarError, EOFError) as error:
        raise Wrong(f"Service internal error: Failed to read snapshot: {error}", 500) from None
    except (OSError, ValueError):
        raise Wrong(f"Wrong input: Snapshot does not contain {CONFIG}") from None
    return params
