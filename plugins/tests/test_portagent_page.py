"""The page of portagent: how it is asked for, and how hostile pages are borne."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from healthchecks.portagent.page_links import STYLE, Link, fault_of
from healthchecks.portagent.probes_page import Page, _looked, _refusals
from healthchecks.portagent.world import World
from plugins.endpoints.http import Answer, Http
from plugins.hosts import Host
from plugins.outcomes import CannotTell, TooBig
from plugins.tests.test_portagent_found import found
from plugins.worlds.wiring import request_of, serving

HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n"
SCRIPT = b"HTTP/1.1 200 OK\r\ncontent-type: text/javascript\r\nconnection: close\r\n\r\n1;"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world")
    yield made
    made.close()


@pytest.fixture
def look(world: World) -> Callable[[bytes], tuple[list[str], Page]]:
    """Give a function that serves a page, looks at it, and tells what was asked for."""

    def looked(page: bytes) -> tuple[list[str], Page]:
        asked: list[str] = []

        def serve(wire: socket.socket) -> None:
            asked.append(request_of(wire).split(b" ")[1].decode())
            wire.sendall(HTML + page if asked[-1] == "/" else SCRIPT)
            wire.shutdown(socket.SHUT_WR)

        with serving(serve) as port:
            world.change(port=port)
            return asked, _looked(found(world), Http(Host()))

    return looked


Look = Callable[[bytes], tuple[list[str], Page]]


def test_each_file_is_asked_for_once_and_nothing_else(look: Look) -> None:
    page = b"<script src=/a.js></script>" * 40 + b"<img src=/b><a href=/c><script src=d.js>"
    asked, seen = look(page)
    assert sorted(asked) == ["/", "/a.js", "/d.js"]
    assert seen.faults == ()


def test_a_page_of_many_files_is_not_followed(look: Look) -> None:
    page = b"".join(b"<script src=/%d.js></script>" % number for number in range(500))
    with pytest.raises(CannotTell, match="500 files"):
        look(page)


def test_a_page_that_is_too_large_is_not_read(look: Look) -> None:
    with pytest.raises(TooBig):
        look(b"<p>" * (1 << 20))


@pytest.mark.parametrize("piece", [b"<!--", b"<a ", b"<script src='", b"\xff\x00<", b"&#"])
def test_a_hostile_page_costs_little(look: Look, piece: bytes) -> None:
    began = time.monotonic()
    _, seen = look(piece * ((1 << 20) // len(piece) - 1))
    assert seen.faults
    assert time.monotonic() - began < 15


def test_words_of_a_page_are_told_without_their_power(look: Look) -> None:
    _, seen = look(b"<script src='http://[/\x1b[31m\n- forged?api_key=hunter2secret'></script>")
    assert len(seen.faults) == 1
    assert "\x1b" not in seen.faults[0]
    assert "\n" not in seen.faults[0]


def answer(body: bytes, integrity: str, kind: str = "text/css") -> str:
    link = Link(STYLE, "http://a/s.css", "s.css", integrity, True)
    return fault_of(link, Answer("http://a/s.css", 200, kind, (), body, 0.1))


@pytest.mark.parametrize(
    ("integrity", "well"),
    [
        ("", True),
        ("md5-AAAA rubbish", True),
        ("sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", True),
        ("sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0?x sha256-AAAA", True),
        ("sha256-AAAA", False),
        ("sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0= sha512-AAAA", False),
    ],
)
def test_the_strongest_digest_counts(integrity: str, well: bool) -> None:
    assert (answer(b"abc", integrity) == "") is well


def test_a_style_may_be_empty() -> None:
    assert answer(b"", "") == ""
    assert "as text/plain" in answer(b"", "", "text/plain")


@pytest.mark.parametrize(
    ("origin", "headers", "allowed"),
    [
        ("*", "authorization, Content-Type", True),
        ("https://a.example", "content-type,AUTHORIZATION", True),
        ("https://b.example", "authorization,content-type", False),
        ("*, https://a.example", "authorization,content-type", False),
        ("*", "*", False),
        ("*", "*, authorization", True),
        ("*", "content-type", False),
        ("", "", False),
    ],
)
def test_what_a_browser_takes_for_leave(origin: str, headers: str, allowed: bool) -> None:
    given = (
        ("access-control-allow-origin", origin),
        ("access-control-allow-headers", headers),
    )
    seen = Answer("http://a/", 204, "", given, b"", 0.1)
    assert (not list(_refusals(seen, "https://a.example"))) is allowed
