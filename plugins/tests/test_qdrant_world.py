"""The endpoint against a Qdrant that is old, closed, or ill in every way."""

from __future__ import annotations

import json
import ssl
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from plugins.endpoints.qdrant import Qdrant, QdrantServer
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NoPermission, NotThere, Refused, TooBig, WrongKind
from plugins.worlds.qdrant import StandIn
from plugins.worlds.qdrant_faults import Canned
from plugins.worlds.wiring import pair

NAMED = {"fast-x": {"size": 4, "distance": "Cosine"}}
KEY = "hush-hush-hush"
ROW = [0.1, 0.2, 0.3, 0.4]


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    server = StandIn(tmp_path / "qdrant", key=KEY)
    server.start()
    yield server
    server.stop()


def put(server: StandIn, path: str, body: Any) -> Any:
    """Send what is to be written, as no endpoint does."""
    headers = {"api-key": KEY}
    with warnings.catch_warnings(action="ignore"):  # its certificate is its own
        answer = requests.put(
            server.url + path, json=body, headers=headers, timeout=9, verify=False
        )
    answer.raise_for_status()
    return answer.json()["result"]


def filled(server: StandIn) -> QdrantServer:
    """Have a collection of three points."""
    put(server, "/collections/m", {"vectors": NAMED})
    rows = [{"id": n, "vector": {"fast-x": ROW}, "payload": {"n": n}} for n in range(3)]
    put(server, "/collections/m/points", {"points": rows})
    return seen(server)


def seen(server: StandIn, key: str = KEY) -> QdrantServer:
    """Return the server as one look sees it."""
    return Qdrant(Host()).at(server.url, key, deadline=3.0)


def test_an_old_server_is_judged_by_its_root_and_searched_by_the_old_route(
    stand_in: StandIn,
) -> None:
    filled(stand_in)
    stand_in.faults.old = True
    here = seen(stand_in)
    assert here.health().well
    assert len(here.query("m", ROW, "fast-x").ids) == 1
    with pytest.raises(NotThere, match="doesn't exist"):
        here.query("n", ROW)
    assert here.snapshots("m") == ()


def test_without_a_key_it_is_well_and_closed(stand_in: StandIn) -> None:
    for key in ("", "wrong-hush"):
        here = seen(stand_in, key)
        assert here.health().well
        with pytest.raises(NoPermission):
            here.collections()
        assert not here.answers_without_key()
        assert "hush" not in repr(here)


def test_snapshots_are_listed_with_size_sum_and_time(stand_in: StandIn) -> None:
    here = filled(stand_in)
    requests.post(f"{stand_in.url}/collections/m/snapshots", headers={"api-key": KEY}, timeout=10)
    (one,) = here.snapshots("m")
    path = stand_in.folder / "snapshots" / "m" / one.name
    assert one.size == path.stat().st_size
    assert len(one.checksum) == 64
    assert abs((one.created or 0) - path.stat().st_mtime) < 2


def test_over_tls_it_is_the_same(tmp_path: Path) -> None:
    tls: ssl.SSLContext = pair("127.0.0.1").context(tmp_path)
    server = StandIn(tmp_path / "qdrant", key=KEY, tls=tls)
    server.start()
    try:
        assert filled(server).count("m") == 3
        plain = Qdrant(Host()).at(server.url.replace("https", "http"), KEY)
        assert not plain.health().well
    finally:
        server.stop()


PAGE = Canned(200, "text/html", b"<!doctype html><title>SPA</title>")
DEEP = b"[" * 100_000
ILL = {
    "web_page": (PAGE, WrongKind),
    "bad_gateway": (Canned(502, "text/html", b"<html>502 Bad Gateway"), Refused),
    "too_many": (Canned(429, "text/plain", b"slow down"), Refused),
    "unavailable": (Canned(503, "text/plain", b""), Refused),
    "elsewhere": (Canned(302, "text/plain", b"", (("location", "https://u:hush@x/"),)), Refused),
    "deep": (Canned(200, "application/json", DEEP), WrongKind),
    "huge": (Canned(200, "application/json", b" " * (17 << 20)), TooBig),
    "null": (Canned(200, "application/json", b'{"result":null,"status":"ok"}'), WrongKind),
    "numbers": (Canned(200, "application/json", b'{"result":{"count":NaN}}'), WrongKind),
    "control": (Canned(500, "text/plain", b"\x1b[31mhush"), Refused),
}


@pytest.mark.parametrize("name", ILL)
def test_what_answers_otherwise_is_told_in_words(stand_in: StandIn, name: str) -> None:
    said, kind = ILL[name]
    filled(stand_in)
    stand_in.faults.answers = {"": said}
    here = seen(stand_in)
    for ask in (
        here.collections,
        lambda: here.count("m"),
        lambda: here.collection("m"),
        lambda: here.snapshots("m"),
        lambda: here.query("m", ROW, "fast-x"),
    ):
        with pytest.raises(CannotTell) as told:
            ask()
        assert isinstance(told.value, kind)
        assert "\x1b" not in str(told.value)
        assert "u:hush" not in str(told.value)
    if name != "huge":
        assert not here.health().well


def test_a_proxy_that_lets_one_page_through_is_seen_through(stand_in: StandIn) -> None:
    stand_in.faults.answers = {"/": PAGE, "/healthz": PAGE}
    told = seen(stand_in).health()
    assert told.well
    assert "web page" in " ".join(told.tried)


def test_shards_that_are_not_ready_are_told(stand_in: StandIn) -> None:
    stand_in.faults.answers = {"/readyz": Canned(503, "text/plain", b"some shards are not ready")}
    told = seen(stand_in).health()
    assert (told.well, told.ready) == (True, False)


@pytest.mark.parametrize(
    "told",
    [
        {"status": 1},
        {"status": "green", "config": {"params": {"vectors": {"a": {"size": "x"}}}}},
        {"status": "green", "config": {"params": {"vectors": [1]}}},
        {"status": "green", "config": {"params": {"vectors": {"a": {"size": -1, "distance": 1}}}}},
        {"status": "green", "config": []},
        [],
        "x",
    ],
)
def test_collections_of_no_known_shape_are_told(stand_in: StandIn, told: Any) -> None:
    body = json.dumps({"result": told}).encode()
    stand_in.faults.answers = {"": Canned(200, "application/json", body)}
    with pytest.raises(WrongKind):
        seen(stand_in).collection("m")


def test_counts_that_are_none_are_no_counts(stand_in: StandIn) -> None:
    filled(stand_in)
    stand_in.faults.counts = {"points_count": None, "indexed_vectors_count": -1}
    told = seen(stand_in).collection("m")
    assert (told.points, told.indexed) == (None, None)


def test_a_server_that_drips_costs_one_deadline(stand_in: StandIn) -> None:
    stand_in.faults.dripping = ("",)
    here = Qdrant(Host()).at(stand_in.url, KEY, deadline=0.5)
    began = time.monotonic()
    told = here.health()
    assert not told.well
    assert "our limit of 0.5 s" in told.tried[0]
    assert time.monotonic() - began < 2
