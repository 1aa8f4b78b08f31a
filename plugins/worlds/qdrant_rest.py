"""Qdrant's REST interface over what a store holds: each route with its envelope and its words."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from plugins.worlds.qdrant_answers import absent, asked, name_in, room, told
from plugins.worlds.qdrant_collection import Collection
from plugins.worlds.qdrant_faults import Faults
from plugins.worlds.qdrant_shapes import Wrong
from plugins.worlds.qdrant_store import Store

_TITLE = "qdrant - vector search engine"
_HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0}
_OPTIMIZER = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "max_segment_size": None,
    "memmap_threshold": None,
    "indexing_threshold": 20000,
    "flush_interval_sec": 5,
    "max_optimization_threads": None,
}
_WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0}


class Rest:
    """The routes of one server.

    Args:
        store: what it holds.
        faults: what is wrong with it.
        version: that it says it has.
    """

    def __init__(self, store: Store, faults: Faults, version: str) -> None:
        self.store = store
        self.faults = faults
        self.version = version
        self._written = 0

    def routes(self) -> list[web.RouteDef]:
        """Return every route; what is not among them is answered by an empty 404."""
        one = "/collections/{name}"
        return [
            web.get("/", self.root),
            web.get("/healthz", self.health),
            web.get("/livez", self.health),
            web.get("/readyz", self.ready),
            web.get("/telemetry", self.telemetry),
            web.get("/metrics", self.metrics),
            web.get("/aliases", self.aliases),
            web.post("/collections/aliases", self.change_aliases),
            web.get("/collections", self.collections),
            web.get(one, self.collection),
            web.put(one, self.create),
            web.delete(one, self.drop),
            web.get(f"{one}/exists", self.exists),
            web.get(f"{one}/cluster", self.spread),
            web.put(f"{one}/index", self.index),
            web.put(f"{one}/points", self.upsert),
            web.post(f"{one}/points", self.retrieve),
            web.post(f"{one}/points/count", self.count),
            web.post(f"{one}/points/query", self.query),
            web.post(f"{one}/points/search", self.search),
            web.post(f"{one}/points/scroll", self.scroll),
            web.post(f"{one}/points/delete", self.delete),
            web.get(f"{one}/points/{{id}}", self.point),
        ]

    # ---- the server

    async def root(self, request: web.Request) -> web.Response:
        """Tell the title and the version."""
        return web.json_response({"title": _TITLE, "version": self.version, "commit": "0" * 40})

    async def health(self, request: web.Request) -> web.Response:
        """Say that the process answers."""
        return absent() if self.faults.old else web.Response(text="healthz check passed")

    async def ready(self, request: web.Request) -> web.Response:
        """Say that it can be asked."""
        return absent() if self.faults.old else web.Response(text="all shards are ready")

    async def telemetry(self, request: web.Request) -> web.Response:
        """Tell the least that telemetry has."""
        count = {"number_of_collections": len(self.store.names())}
        app = {"name": "qdrant", "version": self.version, "startup": "2026-01-01T00:00:00Z"}
        return told(
            {"id": "00000000-0000-0000-0000-000000000000", "app": app, "collections": count}
        )

    async def metrics(self, request: web.Request) -> web.Response:
        """Tell the least that the metrics have."""
        lines = f'app_info{{name="qdrant",version="{self.version}"}} 1\n'
        return web.Response(text=lines + f"collections_total {len(self.store.names())}\n")

    # ---- collections

    async def collections(self, request: web.Request) -> web.Response:
        """List the collections."""
        return told({"collections": [{"name": name} for name in self.store.names()]})

    async def aliases(self, request: web.Request) -> web.Response:
        """List the aliases."""
        rows = self.store.aliases.items()
        pairs = [{"alias_name": alias, "collection_name": name} for alias, name in rows]
        return told({"aliases": pairs})

    async def change_aliases(self, request: web.Request) -> web.Response:
        """Change aliases."""
        self.store.change_aliases((await asked(request)).get("actions", []))
        return told(True)

    async def exists(self, request: web.Request) -> web.Response:
        """Tell whether a collection is there."""
        return told({"exists": self.store.has(name_in(request))})

    async def collection(self, request: web.Request) -> web.Response:
        """Tell of one collection."""
        collection = self._of(request)
        params: dict[str, Any] = {"shard_number": 1, "replication_factor": 1} | {
            key: collection.params[key]
            for key in ("vectors", "sparse_vectors", "on_disk_payload")
            if collection.params.get(key) is not None
        }
        given: dict[str, Any] = collection.params
        config = {
            "params": {"write_consistency_factor": 1, "on_disk_payload": True} | params,
            "hnsw_config": _HNSW | (given.get("hnsw_config") or {}),
            "optimizer_config": _OPTIMIZER | (given.get("optimizers_config") or {}),
            "wal_config": _WAL | (given.get("wal_config") or {}),
            "quantization_config": given.get("quantization_config"),
        }
        error = self.faults.optimizer
        info: dict[str, Any] = {
            "status": self.faults.status or ("red" if error else "green"),
            "optimizer_status": {"error": error} if error else "ok",
        }
        counts = collection.info() | self.faults.counts
        info |= counts | {"config": config, "payload_schema": given.get("payload_schema") or {}}
        if self.faults.old:
            info["vectors_count"] = counts["points_count"]
        return told(info)

    async def create(self, request: web.Request) -> web.Response:
        """Make a collection."""
        room(self.faults)
        self.store.create(name_in(request), await asked(request))
        return told(True)

    async def drop(self, request: web.Request) -> web.Response:
        """Delete a collection; one that is not there is no error."""
        return told(self.store.drop(name_in(request)))

    # ---- points

    async def upsert(self, request: web.Request) -> web.Response:
        """Write points."""
        room(self.faults)
        collection = self._of(request)
        points = (await asked(request)).get("points")
        if not isinstance(points, list):
            raise Wrong("Format error in JSON body: missing field `points`")
        if self.faults.upserts_left is not None:
            if not self.faults.upserts_left:
                raise Wrong("Service internal error: the update worker has stopped", 500)
            self.faults.upserts_left -= 1
        every = self.faults.loses
        kept = [one for at, one in enumerate(points, self._written + 1) if not every or at % every]
        self._written += len(points)
        collection.upsert(kept)
        return _updated(request, collection)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete points by their ids."""
        collection = self._of(request)
        collection.delete((await asked(request)).get("points", []))
        return _updated(request, collection)

    async def count(self, request: web.Request) -> web.Response:
        """Count the points."""
        collection = self._of(request)
        question = await asked(request)
        exact = self.faults.exact
        return told({"count": collection.count(question) if exact is None else exact})

    async def spread(self, request: web.Request) -> web.Response:
        """Tell that all of a collection is here."""
        here = {"shard_id": 0, "points_count": self._of(request).count(), "state": "Active"}
        parts = {"local_shards": [here], "remote_shards": [], "shard_transfers": []}
        return told({"peer_id": 1, "shard_count": 1} | parts)

    async def index(self, request: web.Request) -> web.Response:
        """Have an index of a field of the payload."""
        collection, question = self._of(request), await asked(request)
        collection.index(str(question.get("field_name")), question.get("field_schema"))
        return _updated(request, collection)

    async def point(self, request: web.Request) -> web.Response:
        """Tell of one point."""
        given = request.match_info["id"]
        wanted = int(given) if given.isdigit() else given
        question = {"with_payload": True, "with_vector": True}
        found = self._of(request).retrieve([wanted], question)
        if not found:
            raise Wrong(f"Not found: Point with id {given} does not exists!", 404)
        return told(found[0])

    async def retrieve(self, request: web.Request) -> web.Response:
        """Tell of points by their ids."""
        question = await asked(request)
        return told(self._of(request).retrieve(question.get("ids", []), question))

    async def scroll(self, request: web.Request) -> web.Response:
        """Tell of a page of points."""
        question = await asked(request)
        return told(self._of(request).scroll(question))

    async def query(self, request: web.Request) -> web.Response:
        """Look for the nearest points, by the newer route."""
        if self.faults.old:
            return absent()
        question = await asked(request)
        vector = question.get("query")
        if isinstance(vector, dict) and "nearest" in vector:
            vector = vector["nearest"]
        using = question.get("using") or ""
        return told({"points": self._of(request).nearest(vector, using, question)})

    async def search(self, request: web.Request) -> web.Response:
        """Look for the nearest points, by the older route."""
        question = await asked(request)
        vector: Any = question.get("vector")
        using = ""
        if isinstance(vector, dict) and "name" in vector:
            vector, using = vector.get("vector"), vector["name"]
        if vector is None:
            raise Wrong("Format error in JSON body: missing field `vector`")
        return told(self._of(request).nearest(vector, using, question))

    def _of(self, request: web.Request) -> Collection:
        return self.store.of(name_in(request))


def _updated(request: web.Request, collection: Collection) -> web.Response:
    done = "completed" if request.query.get("wait") == "true" else "acknowledged"
    return told({"operation_id": collection.operations, "status": done})
