"""Connections to the small server: TLS or plain, HTTP/1.1, HTTP/2 by mistake, WebSocket."""

from __future__ import annotations

import collections
import contextlib
import json
import socket
import ssl
import threading
import time
from argparse import Namespace

from healthchecks.pocket_agent import world_http2
from healthchecks.pocket_agent.world_bytes import (
    MIB,
    PLAIN,
    exactly,
    flood,
    request_head,
    response_bytes,
)
from healthchecks.pocket_agent.world_http2 import Page
from healthchecks.pocket_agent.world_log import ServerLog
from healthchecks.pocket_agent.world_replies import Replies
from healthchecks.pocket_agent.world_session import Session

_ON_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


class Slots:
    """The real limits and their leak: taken by the claimed address, given back by the peer's."""

    def __init__(self, options: Namespace, replies: Replies) -> None:
        self._options = options
        self._replies = replies
        self._lock = threading.Lock()
        self._held: collections.Counter[str] = collections.Counter()
        self._lately: dict[str, list[float]] = {}

    def take(self, claimed: str) -> str:
        """Take a slot; return "" or the text of the refusal."""
        with self._lock:
            now = time.monotonic()
            lately = [then for then in self._lately.get(claimed, []) if now - then < 60]
            self._lately[claimed] = lately
            if self._replies.connections >= self._options.max_connections:
                return "maximum connections reached"
            if self._held[claimed] >= self._options.per_address:
                return "maximum connections per IP reached"
            if len(lately) >= self._options.per_minute:
                return "connection rate limit exceeded"
            lately.append(now)
            self._held[claimed] += 1
            self._replies.connections += 1
            return ""

    def give(self, peer: str, idle: bool) -> int:
        """Give a slot back (one cut as idle keeps it) and return how many connections are left."""
        with self._lock:
            self._replies.connections -= 1
            if not idle and self._held[peer]:
                self._held[peer] -= 1
            return self._replies.connections


class Wire:
    """One server's connections; `serve` is run in a thread for each."""

    def __init__(
        self, options: Namespace, replies: Replies, log: ServerLog, tls: ssl.SSLContext | None
    ) -> None:
        self.options = options
        self.replies = replies
        self.log = log
        self.tls = tls
        self.slots = Slots(options, replies)
        self.message_limit = MIB

    def debug(self, listener: socket.socket) -> None:
        """Answer every request on a listener with the index page of Go's profiler, for ever."""
        body = b"<html><head><title>/debug/pprof/</title></head>goroutine heap profile</html>\n"
        while True:
            with contextlib.suppress(OSError, EOFError), listener.accept()[0] as stream:
                stream.settimeout(1)
                request_head(stream)
                stream.sendall(response_bytes(200, "text/html; charset=utf-8", body))

    def serve(self, raw: socket.socket, address: tuple[str, int]) -> None:
        """Serve one connection until it ends; it never raises for what a client does."""
        peer = address[0].removeprefix("::ffff:")
        with contextlib.suppress(OSError, EOFError), raw:
            raw.settimeout(self.options.idle)
            if self.options.hang == "tcp":
                time.sleep(self.options.idle)
                return
            stream = self._secured(raw, f"{peer}:{address[1]}")
            if stream is None:
                return
            with stream:
                if self.options.hang:
                    time.sleep(self.options.idle)
                elif isinstance(stream, ssl.SSLSocket) and stream.selected_alpn_protocol() == "h2":
                    world_http2.serve(
                        lambda size: exactly(stream, size), stream.sendall, self._page
                    )
                else:
                    self._http(stream, peer)

    def _secured(self, raw: socket.socket, remote: str) -> socket.socket | None:
        if self.tls is None:
            return raw
        first = raw.recv(1, socket.MSG_PEEK)
        problem = "EOF"
        if first and first != b"\x16":
            raw.recv(65536)
            raw.sendall(_ON_TLS)
            problem = "client sent an HTTP request to an HTTPS server"
        elif first:
            try:
                return self.tls.wrap_socket(raw, server_side=True)
            except ssl.SSLError as error:
                problem = (
                    f"remote error: tls: {str(error.reason or 'EOF').lower().replace('_', ' ')}"
                )
            except OSError:
                problem = "EOF"
        self.log.http(f"TLS handshake error from {remote}: {problem}")
        return None

    def _http(self, stream: socket.socket, peer: str) -> None:
        while True:
            head, rest = request_head(stream)
            words = head.split(b"\r\n")[0].decode("latin-1").split(" ")
            path = words[1].partition("?")[0] if len(words) > 1 else "/"
            if path == "/ws" and not self.options.strip_upgrade:
                Session(self, stream, peer).open(head + rest)
                return
            if self.options.flood:
                self.send(stream, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                flood(stream)
                return
            time.sleep(self.options.slow)
            status, kind, body = self._page("/proxied" if path == "/ws" else path)
            self.send(stream, response_bytes(status, kind, body))
            if b"connection: close" in head.lower() or words[-1] == "HTTP/1.0":
                return

    def _page(self, path: str) -> Page:
        if path == "/health":
            state = {"status": "healthy", "connections": self.replies.connections}
            return (
                200,
                "application/json",
                (json.dumps(state, separators=(",", ":")) + "\n").encode(),
            )
        if path == "/metrics" and self.options.metrics:
            return 200, "text/plain; version=0.0.4; charset=utf-8", self.replies.metrics()
        if path == "/ws":
            return 400, PLAIN, b"failed to upgrade connection\n"
        if path == "/proxied":
            return 200, "text/html", b"<html><body>It works</body></html>\n"
        return 404, PLAIN, b"404 page not found\n"

    def send(self, stream: socket.socket, data: bytes) -> None:
        """Send bytes at once, or one by one where the server is to drip."""
        if not self.options.drip:
            stream.sendall(data)
            return
        for at in range(len(data)):
            stream.sendall(data[at : at + 1])
            time.sleep(self.options.drip)
