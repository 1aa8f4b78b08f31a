"""Providers on loopback: one that is well, and one for each way in which it cannot be reached."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from plugins.worlds.wiring import pair, request_of, serving

_SECONDS = 30.0  # nobody waits for a world that long
_SEALS = {
    "good": (("localhost", "127.0.0.1"), 30.0),
    "unknown": (("localhost", "127.0.0.1"), 30.0),
    "expired": (("localhost", "127.0.0.1"), -1.0),
    "of_another": (("other.example",), 30.0),
}
_REFUSED = {
    "type": "error",
    "error": {"type": "authentication_error", "message": "invalid x-api-key"},
}
_MODELS = {"data": [{"type": "model", "id": "claude-sonnet-4-20250514"}], "has_more": False}
_PORTAL = "<!doctype html><title>Welcome</title><form>Accept the terms of \x1b[31mthis hotel</form>"


def reply(wire: socket.socket, status: str, kind: str, body: str, headers: str = "") -> None:
    """Send one answer and close."""
    content = body.encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{headers}"
        f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
    )
    wire.sendall(head.encode() + content)


def well(wire: socket.socket, takes: str) -> None:
    """Answer as the real API does: the models with a key that it takes, else 401."""
    request = request_of(wire).decode("latin-1")
    lines = dict(line.lower().split(": ", 1) for line in request.split("\r\n")[1:] if ": " in line)
    key, version = lines.get("x-api-key", ""), lines.get("anthropic-version", "")
    right = bool(key and version) and key == (takes.lower() or key)
    known = request.startswith("GET /v1/models ")
    if not known:
        reply(wire, "404 Not Found", "application/json", json.dumps(_REFUSED))
    elif right:
        reply(wire, "200 OK", "application/json", json.dumps(_MODELS))
    else:
        reply(wire, "401 Unauthorized", "application/json", json.dumps(_REFUSED))


def broken(wire: socket.socket, takes: str) -> None:
    """Answer 500."""
    request_of(wire)
    reply(wire, "500 Internal Server Error", "application/json", '{"type":"error"}')


def limiting(wire: socket.socket, takes: str) -> None:
    """Answer 429."""
    request_of(wire)
    reply(wire, "429 Too Many Requests", "application/json", "{}", "retry-after: 60\r\n")


def forbidding(wire: socket.socket, takes: str) -> None:
    """Answer 403 as the API does for a key that may not."""
    request_of(wire)
    reply(wire, "403 Forbidden", "application/json", '{"type":"error"}')


def elsewhere(wire: socket.socket, takes: str) -> None:
    """Answer as a gateway that does not list its models."""
    request_of(wire)
    reply(wire, "404 Not Found", "text/html", "<pre>Cannot GET /v1/models</pre>")


def portal(wire: socket.socket, takes: str) -> None:
    """Answer with the page of a captive portal."""
    request_of(wire)
    reply(wire, "403 Forbidden", "text/html; charset=utf-8", _PORTAL)


def sending_away(wire: socket.socket, takes: str) -> None:
    """Send whoever asks to the page of a captive portal."""
    request_of(wire)
    there = "location: https://user:pass-word-1@portal.example/login?token=abc\r\n"
    reply(wire, "302 Found", "text/html", "", there)


def slow(wire: socket.socket, takes: str) -> None:
    """Answer well after a while."""
    time.sleep(0.4)
    well(wire, takes)


def hanging(wire: socket.socket, takes: str) -> None:
    """Take the connection, and its TLS, and never answer."""
    with contextlib.suppress(OSError):
        wire.settimeout(_SECONDS)
        while wire.recv(4096):
            pass


def dripping(wire: socket.socket, takes: str) -> None:
    """Answer a byte every tenth of a second."""
    request_of(wire)
    for byte in b"HTTP/1.1 200 OK\r\nx-padding: " + b"x" * 300:
        wire.sendall(bytes([byte]))
        time.sleep(0.1)


def plain(wire: socket.socket, takes: str) -> None:
    """Speak plain HTTP where TLS is expected."""
    wire.recv(4096)
    reply(wire, "400 Bad Request", "text/plain", "")


def _sealed(
    context: ssl.SSLContext, behave: Callable[[socket.socket], None], wire: socket.socket
) -> None:
    wire.settimeout(_SECONDS)
    with contextlib.suppress(ssl.SSLError), context.wrap_socket(wire, server_side=True) as sealed:
        behave(sealed)


@contextlib.contextmanager
def serve(folder: Path, how: str, seal: str, takes: str) -> Iterator[tuple[int, str]]:
    """Serve until the end of the block; yield the port and the file of the authority, if any."""
    behave = partial(globals()[how], takes=takes)
    if seal in {"", "none"} or how == "plain":
        with serving(behave) as port:
            yield port, ""
        return
    names, days = _SEALS[seal]
    made = pair(*names, days=days)
    authority = folder / "authority.pem"
    authority.write_bytes(made.certificate)
    context = made.context(folder)
    with serving(partial(_sealed, context, behave)) as port:
        yield port, "" if seal == "unknown" else str(authority)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Listen on a port whose queue is full, so that whoever connects gets no answer."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
