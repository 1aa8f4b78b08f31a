"""The memory of a world: Qdrant's REST interface over its own engine.

Where HEALTHCHECKS_QDRANT_URL names a real Qdrant, worlds that plant nothing into the server use
that, each with a collection of its own that is deleted when the world is closed.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World
    from plugins.worlds.qdrant import StandIn
    from plugins.worlds.qdrant_faults import Faults

REAL_URL = "HEALTHCHECKS_QDRANT_URL"
REAL_KEY = "HEALTHCHECKS_QDRANT_API_KEY"
COLLECTION = "AgentMemories"
VECTOR = "fast-all-minilm-l6-v2"
SIZE = 384
RIGHT: dict[str, Any] = {VECTOR: {"size": SIZE, "distance": "Cosine"}}


class Memory:
    """The memory of a world; nothing runs before `start` or `stand_in`.

    `collection` is the collection's name, `url` where the server answers, `key` its API key.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._server: StandIn | None = None
        self._made: list[str] = []
        self._variable = ""
        self.collection = COLLECTION
        self.url = ""
        self.key = ""

    def build(self) -> None:
        """Have no Qdrant: it is started only where one is asked for."""

    # ---- the server

    def start(self, points: int = 5, vectors: dict[str, Any] | None = None) -> None:
        """Have a Qdrant with a collection, the real one where the environment names it.

        Args:
            points: memories in it.
            vectors: its configuration of vectors, None for the right one.
        """
        if real := os.environ.get(REAL_URL, ""):
            self.url, self.key = real.rstrip("/"), os.environ.get(REAL_KEY, "")
            self.collection = f"healthchecks-{secrets.token_hex(8)}"
            self._world.change(collection=self.collection, qdrant_key_env=REAL_KEY)
        else:
            self._begin()
        self._world.change(qdrant_url=self.url)
        self.create(self.collection, vectors)
        self.fill(points)

    def stand_in(
        self, points: int = 5, vectors: dict[str, Any] | None = None, **server: Any
    ) -> Faults:
        """Have a stand-in with a collection, and return what may be made wrong with it.

        Args:
            points: memories in it.
            vectors: its configuration of vectors, None for the right one.
            server: further words of `StandIn`, such as key, host, port and version.
        """
        faults = self._begin(**server)
        self._world.change(qdrant_url=self.url)
        self.create(self.collection, vectors)
        self.fill(points)
        return faults

    def _begin(self, **server: Any) -> Faults:
        from plugins.worlds.qdrant import StandIn

        self.key = server.get("key", "")
        if self.key:
            # The key must be in our own environment, where the checks look for it.
            self._variable = f"WORLD_QDRANT_{secrets.token_hex(4).upper()}"
            os.environ[self._variable] = self.key
            self._world.change(qdrant_key_env=self._variable)
        self._server = StandIn(self._world.folder / "qdrant", **server)
        self.url = self._server.start()
        return self._server.faults

    @property
    def server(self) -> StandIn:
        """The stand-in; `stop` and `start` of it may follow each other at the same port."""
        assert self._server is not None, "this world has no stand-in of Qdrant"
        return self._server

    @property
    def is_real(self) -> bool:
        """Whether the server is the real one that the environment names."""
        return bool(self.url) and self._server is None

    # ---- what is in it

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """Send a request to the server and return the result in its answer.

        Args:
            method: such as "PUT".
            path: such as "/collections".
            body: sent as JSON.
            query: further words of the URL.
        """
        import requests

        headers = {"api-key": self.key} if self.key else {}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method,
                self.url + path,
                json=body,
                params=query,
                headers=headers,
                timeout=30,
                verify=False,
            )
        answer.raise_for_status()
        return answer.json()["result"]

    def create(self, name: str, vectors: dict[str, Any] | None = None, **further: Any) -> None:
        """Make a collection; it is deleted with the world."""
        self.ask("PUT", f"/collections/{name}", {"vectors": vectors or RIGHT, **further})
        self._made.append(name)

    def drop(self, name: str = "") -> None:
        """Delete a collection, the world's own by default."""
        self.ask("DELETE", f"/collections/{name or self.collection}")

    def recreate(self, vectors: dict[str, Any], points: int = 5) -> None:
        """Put a collection of other vectors in the place of the world's own."""
        self.drop()
        self.create(self.collection, vectors)
        self.fill(points)

    def fill(self, points: int, first: int = 1, name: str = "") -> None:
        """Write memories with ids from `first` on, each vector the same on every run."""
        collection = name or self.collection
        vectors = self.info(collection)["config"]["params"].get("vectors", {})
        for start in range(first, first + points, 500):
            ids = range(start, min(start + 500, first + points))
            rows = [
                {
                    "id": number,
                    "vector": _vector(vectors, number),
                    "payload": {"document": f"memory {number}", "metadata": None},
                }
                for number in ids
            ]
            self.ask("PUT", f"/collections/{collection}/points", {"points": rows}, wait="true")

    def forget(self, ids: list[int]) -> None:
        """Delete memories."""
        place = f"/collections/{self.collection}/points/delete"
        self.ask("POST", place, {"points": ids}, wait="true")

    def count(self, name: str = "") -> int:
        """Return the exact number of memories."""
        place = f"/collections/{name or self.collection}/points/count"
        return int(self.ask("POST", place, {"exact": True})["count"])

    def points(self, name: str = "") -> list[dict[str, Any]]:
        """Return all memories with their vectors, in the order of their ids."""
        place = f"/collections/{name or self.collection}/points/scroll"
        body = {"limit": 10_000, "with_payload": True, "with_vector": True}
        return list(self.ask("POST", place, body)["points"])

    def info(self, name: str = "") -> dict[str, Any]:
        """Return what the server tells of a collection."""
        return dict(self.ask("GET", f"/collections/{name or self.collection}"))

    def names(self) -> list[str]:
        """Return the names of all collections, the real server's others too."""
        return sorted(row["name"] for row in self.ask("GET", "/collections")["collections"])

    # ---- snapshots

    def snapshot(self, name: str = "") -> str:
        """Take a snapshot, and return its name."""
        place = f"/collections/{name or self.collection}/snapshots"
        return str(self.ask("POST", place, wait="true")["name"])

    def snapshots(self, name: str = "") -> list[dict[str, Any]]:
        """Return the server's description of each snapshot."""
        return list(self.ask("GET", f"/collections/{name or self.collection}/snapshots"))

    def snapshot_file(self, snapshot: str) -> Path:
        """Return the stand-in's own file of a snapshot, to damage or age it."""
        return self.server.folder / "snapshots" / self.collection / snapshot

    def download(self, snapshot: str, path: Path) -> Path:
        """Write a snapshot into a file, as a backup script does, and return its path."""
        import requests

        place = f"{self.url}/collections/{self.collection}/snapshots/{snapshot}"
        headers = {"api-key": self.key} if self.key else {}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(place, headers=headers, timeout=60, verify=False)
        answer.raise_for_status()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answer.content)
        return path

    def age_snapshot(self, snapshot: str, hours: float) -> None:
        """Let the stand-in have taken a snapshot some hours ago."""
        moment = time.time() - hours * 3600
        os.utime(self.snapshot_file(snapshot), (moment, moment))

    def close(self) -> None:
        """End its server; of a real one delete what this world made."""
        if self.is_real:
            import requests

            for name in self._made:
                with suppress(requests.RequestException):
                    self.drop(name)
        if self._server is not None:
            self._server.stop()
        if self._variable:
            os.environ.pop(self._variable, None)


def _vector(vectors: dict[str, Any], number: int) -> Any:
    """Return a vector for each name, or the bare one of a collection without names."""
    if isinstance(vectors.get("size"), int):
        return _numbers(vectors, number)
    return {name: _numbers(one, number) for name, one in vectors.items()}


def _numbers(params: dict[str, Any], number: int) -> Any:
    row = [1.0 + ((number * 31 + at * 17) % 97) / 97 for at in range(params["size"])]
    return [row, row] if params.get("multivector_config") else row
