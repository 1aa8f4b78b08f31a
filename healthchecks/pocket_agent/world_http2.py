"""As much HTTP/2 as the real server shows: pages, never an upgrade."""

from __future__ import annotations

import struct
from collections.abc import Callable

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING, _GOAWAY = 0, 1, 4, 6, 7
_STATUS = {200: b"\x88", 400: b"\x8c", 404: b"\x8d"}
# Paths as HPACK's Huffman code writes them, beside their plain form: all that has to be told apart.
_PATHS = {
    "/health": (b"/health", bytes.fromhex("62728e84cf")),
    "/ws": (b"\x03/ws", bytes.fromhex("63c23f")),
    "/metrics": (b"/metrics", bytes.fromhex("6292a6c3111f")),
}

Page = tuple[int, str, bytes]


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: int, value: bytes) -> bytes:
    # A static name of 15 or more is written as 15 and the rest.
    return bytes((0x0F, name - 15, len(value))) + value


def _asked(block: bytes) -> str:
    for path, forms in _PATHS.items():
        if any(form in block for form in forms):
            return path
    return "/"


def _answer(stream: int, page: Page) -> bytes:
    status, kind, body = page
    length = _literal(28, str(len(body)).encode())
    head = _STATUS[status] + _literal(31, kind.encode()) + length
    return _frame(_HEADERS, 0x4, stream, head) + _frame(_DATA, 0x1, stream, body)


def serve(
    read: Callable[[int], bytes], write: Callable[[bytes], None], page: Callable[[str], Page]
) -> None:
    """Answer one HTTP/2 connection until the client goes away.

    Args:
        read: returns exactly so many bytes, or raises EOFError.
        write: sends bytes.
        page: gives status, content type and body for a path.
    """
    if read(len(_PREFACE)) != _PREFACE:
        return
    write(_frame(_SETTINGS, 0, 0))
    while True:
        head = read(9)
        size = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        payload = read(size)
        if kind == _SETTINGS and not flags & 1:
            write(_frame(_SETTINGS, 1, 0))
        elif kind == _PING and not flags & 1:
            write(_frame(_PING, 1, 0, payload))
        elif kind == _HEADERS:
            write(_answer(stream, page(_asked(payload))))
        elif kind == _GOAWAY:
            return
