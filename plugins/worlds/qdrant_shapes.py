"""What goes in and out of Qdrant's engine, between JSON and its own types; and its refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import qdrant_edge as edge

BAD = 400


class Wrong(Exception):  # noqa: N818 - what Qdrant answers, with its status
    """A request that Qdrant refuses.

    Args:
        words: as Qdrant says it.
        status: of the answer.
    """

    def __init__(self, words: str, status: int = BAD) -> None:
        super().__init__(words)
        self.status = status


def point_id(given: Any) -> int | str:
    """Return the id of a point: a number, or a UUID as text.

    Raises:
        Wrong: it is neither.
    """
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 1 << 64:
        return given
    try:
        return str(UUID(given))
    except (ValueError, TypeError, AttributeError):
        raise Wrong(
            f"Format error in JSON body: value {given} is not a valid point ID,"
            " valid values are either an unsigned integer or a UUID"
        ) from None


def limit_of(question: dict[str, Any]) -> int:
    """Return how many points are wanted."""
    limit = question.get("limit", question.get("top", 10))
    if not isinstance(limit, int) or limit < 1:
        raise Wrong("Validation error in JSON body: [limit: value must be 1 or larger]", 422)
    return limit


def named(vectors: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of each dense vector by its name; "" is that without a name."""
    return {"": vectors} if isinstance(vectors.get("size"), int) else vectors


def engine_config(params: dict[str, Any]) -> edge.EdgeConfig:
    """Return the engine's configuration of a collection that is made so."""
    import qdrant_edge as edge

    try:
        dense = {
            name: edge.EdgeVectorParams(
                size=one["size"],
                distance=getattr(edge.Distance, one["distance"]),
                multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
                if one.get("multivector_config")
                else None,
            )
            for name, one in named(params.get("vectors") or {}).items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise Wrong(f"Format error in JSON body: missing field `{error}`") from None
    names = params.get("sparse_vectors") or {}
    sparse = {name: edge.EdgeSparseVectorParams() for name in names}
    # Its write-ahead log is two files of 32 MiB, and snapshots hold it.
    return edge.EdgeConfig(vectors=dense, sparse_vectors=sparse, wal_enabled=False)


def wanted(question: dict[str, Any], *, payload: bool) -> tuple[Any, Any]:
    """Return what of a point is wanted: its payload, its vectors."""
    chosen = question.get("with_payload", payload)
    if isinstance(chosen, dict):
        chosen = chosen.get("include", True)
    return chosen, question.get("with_vector", question.get("with_vectors", False))


def inward(vector: Any) -> Any:
    """Return a vector as the engine takes it."""
    import qdrant_edge as edge

    if isinstance(vector, dict):
        return edge.SparseVector(vector["indices"], vector["values"])
    return vector


def outward(value: Any) -> Any:
    """Return an id, or vectors, as JSON has them."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        all_ = {name: outward(one) for name, one in value.items()}
        return all_[""] if list(all_) == [""] else all_
    if value is None or isinstance(value, int | list):
        return value
    return {"indices": list(value.indices), "values": list(value.values)}


def record(point: edge.Record | edge.ScoredPoint) -> dict[str, Any]:
    """Return a point as JSON has it."""
    row: dict[str, Any] = {"id": outward(point.id)}
    if point.payload is not None:
        row["payload"] = point.payload
    if point.vector is not None:
        row["vector"] = outward(point.vector)
    return row
