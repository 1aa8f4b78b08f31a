"""Qdrant: its answers are read, and whatever is not an answer of its is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from plugins.endpoints.qdrant import Health, Qdrant, QdrantServer
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NoPermission, NotThere, Refused, TimedOut, WrongKind
from plugins.worlds.wiring import HTTP_OK, answer, hang, serving

KEY = "hush-hush"
POINTS = {"usage": {"cpu": 0}, "result": {"count": 41}, "status": "ok", "time": 0.001}
NAMES = {"result": {"collections": [{"name": "b b"}, {"name": "a"}]}, "status": "ok", "time": 0.1}


class Recorded(BaseHTTPRequestHandler):
    """Answers as Qdrant 1.12 was seen to."""

    def do_GET(self) -> None:
        self.say(
            {"/healthz": "healthz check passed", "/collections": NAMES}.get(
                self.path, {"title": "qdrant - vector search engine", "version": "1.12.4"}
            )
        )

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/collections/b%20b/points/count":
            self.say({"status": {"error": "Not found: Collection `x` doesn't exist!"}}, 404)
        else:
            self.say(POINTS if asked == {"exact": True} else {"result": {"count": 40}})

    def say(self, told: object, status: int = 200) -> None:
        if self.headers["api-key"] != KEY:
            status, told = 401, "Must provide an API key or an Authorization bearer token"
        body = (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorded) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def server(url: str) -> QdrantServer:
    return Qdrant(Host()).at(url, KEY)


def test_it_is_well_and_tells_what_it_holds(server: QdrantServer) -> None:
    assert server.health() == Health(True, True, "1.12.4", ())
    assert server.version() == "1.12.4"
    assert server.collections() == ("a", "b b")
    assert server.count("b b") == 41
    assert server.count("b b", exact=False) == 40


def test_a_collection_that_is_not_there_is_told(server: QdrantServer) -> None:
    with pytest.raises(NotThere, match="doesn't exist"):
        server.count("../x")


def test_a_missing_key_is_a_missing_permission_and_no_key_is_shown(url: str) -> None:
    qdrant = Qdrant(Host())
    with pytest.raises(NoPermission, match="wants an API key"):
        qdrant.at(url).collections()
    with pytest.raises(NoPermission, match="another API key") as told:
        qdrant.at(url, "wrong-hush").collections()
    assert "hush" not in str(told.value) + repr(qdrant.at(url, "wrong-hush"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (HTTP_OK + b"\r\n{}", WrongKind),
        (HTTP_OK + b"\r\n[1]", WrongKind),
        (HTTP_OK + b'\r\n{"result": null}', WrongKind),
        (HTTP_OK + b"\r\n<html>", WrongKind),
        (b"HTTP/1.1 500 Oops\r\n\r\nbroken", Refused),
    ],
)
def test_what_is_no_qdrant_is_told(text: bytes, kind: type[CannotTell]) -> None:
    with serving(answer(text)) as port:
        here = Qdrant(Host()).at(f"http://127.0.0.1:{port}")
        for ask in (here.collections, here.version, lambda: here.count("a")):
            with pytest.raises(kind):
                ask()


def test_a_server_that_hangs_is_cut_once() -> None:
    with serving(hang) as port:
        here = Qdrant(Host()).at(f"http://127.0.0.1:{port}", deadline=0.3)
        told = here.health()
        with pytest.raises(TimedOut, match=r"0\.3 s"):
            here.collections()
    assert not told.well
    assert all("our limit of 0.3 s" in words for words in told.tried)
