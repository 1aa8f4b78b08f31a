"""Proxies on the way out: one that lets through, and those that do not."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from healthchecks.portagent.world_outside_provider import reply
from plugins.worlds.wiring import request_of, serving


def lets_through(wire: socket.socket) -> None:
    """Connect to whatever CONNECT names on this machine, and pass bytes on in both directions."""
    place = request_of(wire).split(b" ")[1].decode()
    name, _, port = place.rpartition(":")
    if name not in {"localhost", "127.0.0.1"}:
        reply(wire, "502 Bad Gateway", "text/plain", "")
        return
    with socket.create_connection((name, int(port)), timeout=5) as there:
        wire.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pump, args=(there, wire), daemon=True)
        back.start()
        _pump(wire, there)
        back.join(5)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := one.recv(1 << 16):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)


def asks_who(wire: socket.socket) -> None:
    """Ask for a name and a password, whichever came."""
    request_of(wire)
    realm = 'proxy-authenticate: Basic realm="corp"\r\n'
    reply(wire, "407 Proxy Authentication Required", "text/html", "<h1>407</h1>", realm)


def forbids(wire: socket.socket) -> None:
    """Refuse to connect there."""
    request_of(wire)
    reply(wire, "403 Forbidden", "text/html", "<h1>Blocked by policy</h1>")


def hangs(wire: socket.socket) -> None:
    """Take the connection, and say nothing."""
    with contextlib.suppress(OSError):
        wire.settimeout(30)
        while wire.recv(4096):
            pass


@contextlib.contextmanager
def serve(how: str) -> Iterator[int]:
    """Serve until the end of the block; yield the port."""
    with serving(globals()[how]) as port:
        yield port
