"""Bytes that go over the small server's connections."""

from __future__ import annotations

import socket
from http import HTTPStatus

PLAIN = "text/plain; charset=utf-8"
GIB = 1 << 30
MIB = 1 << 20


def claimed_address(head: bytes) -> str:
    """Return the address that a proxy's headers claim; "" without any."""
    fields = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = value.strip().decode("latin-1")
    forwarded = fields.get(b"x-forwarded-for", "").split(",")[0].strip()
    return forwarded or fields.get(b"x-real-ip", "")


def request_head(stream: socket.socket) -> tuple[bytes, bytes]:
    """Read one request's head; raises EOFError when the client is gone or says too much."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = stream.recv(65536)
        if not more or len(data) > MIB:
            raise EOFError
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def exactly(stream: socket.socket, size: int) -> bytes:
    """Read so many bytes; raises EOFError when the client is gone before."""
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def response_bytes(status: int, kind: str, body: bytes) -> bytes:
    """Return an HTTP/1.1 answer with its head as Go writes it."""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Type: {kind}",
        "X-Content-Type-Options: nosniff",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def flood(stream: socket.socket) -> None:
    """Send 1 GiB."""
    chunk = b"x" * MIB
    for _ in range(GIB // MIB):
        stream.sendall(chunk)
