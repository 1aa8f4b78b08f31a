"""A program that has the server's name and port, and behaves as badly as it is told to.

Started by its own file: `python <folder>/pocket-agent-server PORT HOW [PEM]`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time

CHUNK = b"\0" * (1 << 16)
GIB = 1 << 30
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


def silent(wire: socket.socket) -> None:
    """Take the connection, read, and never say a word."""
    while wire.recv(4096):
        pass


def dripping(wire: socket.socket) -> None:
    """Send an endless answer, a byte every tenth of a second."""
    for byte in JSON + b"X-Padding: " + b"x" * 10_000:
        wire.sendall(bytes([byte]))
        time.sleep(0.1)


def flooding(wire: socket.socket) -> None:
    """Send a GiB as the answer to whatever is asked."""
    wire.recv(4096)
    wire.sendall(JSON + b"Content-Length: %d\r\n\r\n" % GIB)
    for _ in range(GIB // len(CHUNK)):
        wire.sendall(CHUNK)


def rubbish(wire: socket.socket) -> None:
    """Answer in no language, with escapes for the terminal that shows it."""
    wire.recv(4096)
    wire.sendall(b"\x1b[31m\x1b]0;title\x07\xff\xfe <script>alert(1)</script>\r\n" * 50)


def rubbish_headers(wire: socket.socket) -> None:
    """Answer in HTTP, and in its headers and body with rubbish."""
    wire.recv(4096)
    wire.sendall(
        JSON + b"X-\x1b[31m: \xff\x07\r\nSet-Cookie: \x1b]0;t\x07\r\nContent-Length: 9\r\n\r\n"
    )
    wire.sendall(b"\x1b[31m\xff\xfe{[")


def closing(wire: socket.socket) -> None:
    """Close at once."""


def redirecting(wire: socket.socket) -> None:
    """Send whoever asks round in a circle."""
    _reply(wire, b"302 Found", b"Location: /health\r\n")


def limiting(wire: socket.socket) -> None:
    """Say that there were too many requests."""
    _reply(wire, b"429 Too Many Requests", b"Retry-After: 1e400\r\n")


def failing(wire: socket.socket) -> None:
    """Say that something broke, with what no terminal should get."""
    _reply(wire, b"500 \x1b[31mBroken", b"")


def _reply(wire: socket.socket, status: bytes, headers: bytes) -> None:
    wire.recv(4096)
    body = b"<h1>\x1b[31m500\x07</h1>"
    length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    wire.sendall(b"HTTP/1.1 " + status + b"\r\n" + headers + length + body)


def flooding_the_socket(wire: socket.socket) -> None:
    """Answer /health well, accept a WebSocket, and send one frame of a GiB into it."""
    request = wire.recv(4096)
    if b"pgrade: websocket" not in request:
        body = b'{"status":"healthy"}'
        wire.sendall(JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return
    import base64
    import hashlib

    key = request.lower().partition(b"sec-websocket-key:")[0]
    key = request[len(key) + 18 :].split(b"\r\n")[0].strip()
    magic = key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(magic, usedforsecurity=False).digest())
    wire.sendall(UPGRADE + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    wire.sendall(b"\x81\x7f" + GIB.to_bytes(8, "big"))
    for _ in range(GIB // len(CHUNK)):
        wire.sendall(CHUNK)


def _serve(wire: socket.socket, how: str, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), wire:
        if context is None:
            globals()[how](wire)
        else:
            with context.wrap_socket(wire, server_side=True) as wrapped:
                globals()[how](wrapped)


def main(port: int, how: str, pem: str = "") -> None:
    """Serve each connection in a thread of its own, for ever."""
    context = None
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            wire, _ = listener.accept()
            threading.Thread(target=_serve, args=(wire, how, context), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
