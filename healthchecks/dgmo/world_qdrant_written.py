"""What a world writes into its Qdrant and reads from it, over REST: a real one or a stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

VECTOR = "fast-all-minilm-l6-v2"
SIZE = 384
RIGHT: dict[str, Any] = {VECTOR: {"size": SIZE, "distance": "Cosine"}}


class Written:
    """A server's collections, by a world's own requests.

    `collection` is the collection's name, `url` where the server answers, `key` its API key.
    """

    def __init__(self, collection: str) -> None:
        self.collection = collection
        self.url = ""
        self.key = ""
        self.made: list[str] = []

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
        self.made.append(name)

    def drop(self, name: str = "") -> None:
        """Delete a collection, the world's own by default."""
        self.ask("DELETE", f"/collections/{name or self.collection}")

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

    def snapshot(self, name: str = "") -> str:
        """Take a snapshot, and return its name."""
        place = f"/collections/{name or self.collection}/snapshots"
        return str(self.ask("POST", place, wait="true")["name"])

    def snapshots(self, name: str = "") -> list[dict[str, Any]]:
        """Return the server's description of each snapshot."""
        return list(self.ask("GET", f"/collections/{name or self.collection}/snapshots"))

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


def _vector(vectors: dict[str, Any], number: int) -> Any:
    """Return a vector for each name, or the bare one of a collection without names."""
    if isinstance(vectors.get("size"), int):
        return _numbers(vectors, number)
    return {name: _numbers(one, number) for name, one in vectors.items()}


def _numbers(params: dict[str, Any], number: int) -> Any:
    row = [1.0 + ((number * 31 + at * 17) % 97) / 97 for at in range(params["size"])]
    return [row, row] if params.get("multivector_config") else row
