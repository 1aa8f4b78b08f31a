"""A Qdrant behind a wire that breaks at one request, and the steps that rebuild a collection."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import requests

from plugins.eyes import checksums, plain_tars
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.recovery import take, take_back
from plugins.steps import CopyCollection, DropCopy, DropOriginal, Refusal, Step, TakeSnapshot
from plugins.worlds.qdrant import StandIn

NAME, COPY, VECTOR = "AgentMemories", "AgentMemories-copy", "fast-x"
REQUESTS = 42  # of a rebuilding, at most
BODY = json.dumps({"vectors": {VECTOR: {"size": 4, "distance": "Cosine"}}})
POINTS: tuple[dict[str, Any], ...] = (
    {"id": 2**63 + 1, "vector": [1, 2, 3, 4], "payload": {"document": "ü", "n": 2**62 + 1}},
    {"id": "5c56c793-69f3-4fbf-87e6-c4bf54c28c26", "vector": [0.5, 0, 3, 4], "payload": {}},
    {"id": 7, "vector": [0, 0, 1, 0], "payload": {"metadata": None, "deep": {"a": [1.5, {}]}}},
)


class Wire(ThreadingHTTPServer):
    """Passes requests on, and breaks at one of them.

    Attributes:
        seen: how many requests came.
        at: the number of the request at which it breaks, from 1; 0 for none.
        how: "refuse" (500 before it is passed on), "drop" (nothing is answered), "lose" (it is
            passed on, and the answer is lost), "page" (a web page is answered in its place), "gone"
            (there is no such collection, it is answered), "kill" and "kill late" (the client is
            killed before or after it is passed on).
        on: whether it stays broken from there on.
    """

    daemon_threads = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind, self.seen, self.at, self.how, self.on = behind, 0, 0, "", False
        self.victim = 0
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def broken(self) -> bool:
        """Count a request, and tell whether it breaks at it."""
        self.seen += 1
        return bool(self.at) and (self.seen == self.at or (self.on and self.seen > self.at))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who hung up."""


class _Passing(BaseHTTPRequestHandler):
    server: Wire

    def _pass(self) -> None:
        wire = self.server
        wire.paths.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        how = wire.how if wire.broken() else ""
        if how == "kill":
            os.kill(wire.victim, signal.SIGKILL)
        if how in ("drop", "kill"):
            self.close_connection = True
            return
        if how == "refuse":
            self._say(500, b'{"status":{"error":"Service internal error: planted"},"time":0}')
            return
        if how == "gone":
            self._say(404, b'{"status":{"error":"Not found: Collection `x` doesn\'t exist!"}}')
            return
        if how == "page":
            self._say(200, b"<html>Welcome</html>")
            return
        behind = HTTPConnection("127.0.0.1", wire.behind, timeout=30)
        behind.request(self.command, self.path, body, dict(self.headers))
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        if how == "kill late":
            os.kill(wire.victim, signal.SIGKILL)
        if how in ("lose", "kill late"):
            self.close_connection = True
            return
        self._say(answer.status, content)

    do_GET = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815 - the names are the library's

    def _say(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Site:
    """A Qdrant with a collection that has no named vector, and a folder for snapshots."""

    def __init__(self, folder: Path, wire: Wire, behind: StandIn) -> None:
        self.folder, self.wire, self.behind = folder, wire, behind
        self.shelf = folder / "shelf"
        self.shelf.mkdir(parents=True, exist_ok=True)
        self.snapshot = self.shelf / f"{NAME}_2026-01-01_00-00-00.snapshot"
        self.told: list[str] = []
        self.journal = Journal(folder / "state", "r", Host(), self.told.append)

    @property
    def roots(self) -> tuple[str, ...]:
        """Where steps may write."""
        return (str(self.shelf),)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the server itself, not over the wire that breaks."""
        answer = requests.request(method, self.behind.url + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()["result"]

    def points(self, name: str = NAME) -> list[dict[str, Any]]:
        """Return the points of a collection, as they are."""
        question = {"limit": 1000, "with_payload": True, "with_vector": True}
        found: list[dict[str, Any]] = self.ask(
            "POST", f"/collections/{name}/points/scroll", question
        )["points"]
        return found

    def names(self) -> list[str]:
        """Return the names of the collections."""
        return sorted(row["name"] for row in self.ask("GET", "/collections")["collections"])

    def fill(self, points: tuple[dict[str, Any], ...] = POINTS) -> None:
        """Make the collection."""
        self.ask("PUT", f"/collections/{NAME}", {"vectors": {"size": 4, "distance": "Cosine"}})
        path = f"/collections/{NAME}/points?wait=true"
        self.ask("PUT", path, {"points": list(points)})

    def clear(self) -> None:
        """Drop every collection and snapshot."""
        for name in self.names():
            for row in self.ask("GET", f"/collections/{name}/snapshots"):
                self.ask("DELETE", f"/collections/{name}/snapshots/{row['name']}")
            self.ask("DELETE", f"/collections/{name}")


def rebuilding(site: Site, total: int = len(POINTS)) -> tuple[Step, ...]:
    """Return the steps that give the collection a named vector."""
    url, path = site.wire.url, str(site.snapshot)
    words: dict[str, Any] = {"total": total, "fitting": total}
    return (
        TakeSnapshot(url, NAME, path, total),
        CopyCollection(url, COPY, BODY, source=NAME, moved=("", VECTOR), **words),
        DropOriginal(url, NAME, path, total, COPY, total),
        CopyCollection(url, NAME, BODY, source=COPY, **words),
        DropCopy(url, COPY, NAME, BODY),
    )


@contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    """Yield a site, with its servers running."""
    behind = StandIn(folder / "qdrant")
    behind.start()
    wire = Wire(behind.port)
    Thread(target=wire.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield Site(folder, wire, behind)
    finally:
        wire.shutdown()
        wire.server_close()
        behind.stop()


def carried_out(site: Site) -> str:
    """Take the steps; take them back when one is refused, and return why."""
    try:
        for _ in take(site.journal, "x.y", rebuilding(site), site.roots):
            pass
    except Refusal as why:
        backs = [sentence for done, sentence in take_back(site.journal) if not done]
        return "; ".join((str(why), *backs))
    return ""


def rebuilt(site: Site) -> bool:
    """Tell whether the collection has its points, each with a vector of the right name."""
    rows = site.points()
    right = [
        (one["id"], one["payload"] or {}) for one in sorted(POINTS, key=lambda p: str(p["id"]))
    ]
    found = sorted(((row["id"], row["payload"] or {}) for row in rows), key=lambda r: str(r[0]))
    return found == right and all(list(row["vector"]) == [VECTOR] for row in rows)


def recoverable(site: Site, before: list[dict[str, Any]]) -> bool:
    """Tell whether the collection is there, or a snapshot of it that is whole."""
    if NAME in site.names() and (site.points() == before or rebuilt(site)):
        return True
    return whole_on_disk(site)


def whole_on_disk(site: Site) -> bool:
    told = plain_tars.read_plain(str(site.snapshot), 9.0)
    return not told["fault"] and told["sha256"] == checksums.beside(str(site.snapshot))


def whole(site: Site, before: list[dict[str, Any]]) -> bool:
    """Tell whether every point is in the collection, or in its copy and a whole snapshot."""
    if NAME in site.names() and (site.points() == before or rebuilt(site)):
        return True
    return COPY in site.names() and len(site.points(COPY)) == len(before) and whole_on_disk(site)
