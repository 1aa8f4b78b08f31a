"""WebSockets: one conversation, whatever the other side does to it."""

from __future__ import annotations

import http
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from plugins.endpoints.certificates import Certificates
from plugins.endpoints.websocket import Line, WebSockets
from plugins.hosts import Host
from plugins.outcomes import CannotTell, Refused, TimedOut, TooBig, WrongKind
from plugins.worlds.wiring import answer, drip, hang, pair, request_of, serving


def speak(connection: ServerConnection) -> None:
    for text in connection:
        asked = json.loads(text)
        if asked["type"] == "silence":
            continue
        if asked["type"] == "bye":
            connection.close(1001, "Connection timeout")
        if asked["type"] == "flood":
            connection.send("x" * (8 << 20))
        connection.send("no JSON")
        connection.send(json.dumps({"type": "other", "data": 1}))
        connection.send(json.dumps({"type": asked["type"], "data": {"n": 1}, "id": 7}) + "\n")


@contextmanager
def speaking(context: ssl.SSLContext | None = None, **words: Any) -> Iterator[int]:
    with serve(speak, "127.0.0.1", 0, ssl=context, max_size=None, **words) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.socket.getsockname()[1]
        server.shutdown()


def talk(url: str, script: Callable[[Line], Any], **words: Any) -> Any:
    return WebSockets(Host()).talk(url, script, **words)


def healthy(line: Line) -> Any:
    line.send({"type": "health_check"})
    return line.receive("health_check", within=2)


def test_one_connection_does_it_all() -> None:
    def script(line: Line) -> Any:
        frame = healthy(line)
        return frame, line.ping(), line.receive("other"), line.receive("other", within=0.1)

    with speaking() as port:
        told = talk(f"ws://127.0.0.1:{port}/ws", script)
    frame, ping, other, nothing = told.result
    assert (told.opened, told.status, told.certificate) == (True, 101, None)
    assert (frame.type, frame.data, frame.raw["id"]) == ("health_check", {"n": 1}, 7)
    assert 0 < ping < 1
    assert other.data == 1
    assert nothing is None


def test_the_served_certificate_comes_back_and_http_1_1_alone_is_offered(tmp_path: Path) -> None:
    made = pair("localhost")
    with speaking(made.context(tmp_path)) as port:
        told = talk(f"wss://127.0.0.1:{port}/ws", healthy)
    look = Certificates(Host())
    assert told.result.type == "health_check"
    assert look.read_der(told.certificate) == look.read(made.certificate)


def test_a_declined_upgrade_is_an_answer() -> None:
    def limit(connection: ServerConnection, _: Any) -> Any:
        return connection.respond(http.HTTPStatus(429), "connection rate limit exceeded\n")

    with speaking(process_request=limit) as port:
        told = talk(f"ws://127.0.0.1:{port}/ws", healthy)
    assert (told.opened, told.status, told.result) == (False, 429, None)
    assert told.reason == "connection rate limit exceeded"


def test_a_redirect_is_not_followed() -> None:
    text = b"HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    with serving(answer(text)) as port:
        told = talk(f"ws://127.0.0.1:{port}/ws", healthy)
    assert (told.opened, told.status) == (False, 302)


@pytest.mark.parametrize(
    ("behave", "kind", "words"),
    [
        (hang, TimedOut, "our limit of 0.4 s"),
        (drip(b"HTTP/1.1 101 Switching Protocols\r\nX: "), TimedOut, "our limit of 0.4 s"),
        (answer(b""), WrongKind, "closed the connection"),
        (answer(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), WrongKind, "not a sensible answer"),
        (
            answer(
                b"HTTP/1.0 400 Bad Request\r\ncontent-length: 48\r\n\r\n"
                b"Client sent an HTTP request to an HTTPS server.\n"
            ),
            WrongKind,
            "speaks TLS",
        ),
    ],
)
def test_what_is_no_websocket_is_told_in_time(
    behave: Callable[[socket.socket], None], kind: type[Exception], words: str
) -> None:
    began = time.monotonic()
    with serving(behave) as port, pytest.raises(kind, match=words):
        talk(f"ws://127.0.0.1:{port}/ws", healthy, deadline=0.4)
    assert time.monotonic() - began < 1


def test_tls_and_plain_text_do_not_meet(tmp_path: Path) -> None:
    with speaking() as port, pytest.raises(WrongKind, match="TLS"):
        talk(f"wss://127.0.0.1:{port}/ws", healthy)
    with speaking(pair("localhost").context(tmp_path)) as port, pytest.raises(WrongKind):
        talk(f"ws://127.0.0.1:{port}/ws", healthy)


def upgraded(then: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """Open a WebSocket by hand, for what no honest library sends."""
    import base64
    import hashlib

    def behave(wire: socket.socket) -> None:
        asked = request_of(wire)
        key = asked.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        wire.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        then(wire)

    return behave


def gibibyte(wire: socket.socket) -> None:
    wire.sendall(b"\x82\x7f" + (1 << 30).to_bytes(8, "big"))
    for _ in range(1024):
        wire.sendall(bytes(1 << 20))


def dripping(wire: socket.socket) -> None:
    wire.sendall(b"\x81\x7e\xff\xff")
    for _ in range(1000):
        wire.sendall(b"x")
        time.sleep(0.05)


def test_a_frame_of_a_gibibyte_is_not_taken_in() -> None:
    with serving(upgraded(gibibyte)) as port, pytest.raises(TooBig):
        talk(f"ws://127.0.0.1:{port}/", lambda line: line.receive(within=5), limit=1 << 20)


def test_a_frame_that_drips_ends_at_the_limit_and_at_the_wait() -> None:
    def script(line: Line) -> Any:
        assert line.receive(within=0.2) is None
        return line.receive(within=60)

    began = time.monotonic()
    with serving(upgraded(dripping)) as port, pytest.raises(TimedOut, match=r"limit of 0\.6 s"):
        talk(f"ws://127.0.0.1:{port}/", script, deadline=0.6, close_timeout=0.1)
    assert time.monotonic() - began < 1.2


def test_a_server_that_never_closes_is_not_waited_for() -> None:
    began = time.monotonic()
    with serving(upgraded(hang)) as port:
        assert talk(f"ws://127.0.0.1:{port}/", lambda _: "done", close_timeout=0.2).result == "done"
    assert time.monotonic() - began < 0.6


def test_a_close_in_the_middle_tells_its_code_and_reason() -> None:
    def script(line: Line) -> Any:
        line.send({"type": "bye"})
        return line.receive("never")

    with speaking() as port, pytest.raises(Refused, match="1001 Connection timeout"):
        talk(f"ws://127.0.0.1:{port}/ws", script)


def test_an_address_that_hangs_costs_its_limit_once() -> None:
    sockets = WebSockets(Host())
    with serving(hang) as port:
        for limit in (0.5, 0.1):
            began = time.monotonic()
            with pytest.raises(TimedOut):
                sockets.talk(f"ws://127.0.0.1:{port}/{limit}", healthy, deadline=0.3)
            assert time.monotonic() - began < limit


def test_loopback_of_a_far_host_cannot_be_reached_from_here() -> None:
    with pytest.raises(CannotTell, match="cannot be reached from here"):
        WebSockets(Host("ssh://me@box")).talk("ws://localhost:1/", healthy)
