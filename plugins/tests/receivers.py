"""Real servers on loopback that are told of things, and that may be slow, broken or silent."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LIMIT = 30.0


@dataclass
class Taken:
    """What a receiver was sent: each request, and an event that is set by every one.

    Args:
        statuses: what to answer to the next requests; 200 after that.
    """

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)

    def url(self, path: str = "/", scheme: str = "http") -> str:
        """Return a URL of it."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def add(self, path: str, body: bytes) -> int:
        """Take a request, and return the status to answer it with."""
        with self._came:
            self.requests.append((path, body))
            self._came.notify_all()
            return self.statuses.pop(0) if self.statuses else 200

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for path, _ in self.requests]

    def texts(self) -> list[str]:
        """Return the text of each message in the guide's form."""
        bodies = [json.loads(body) for _, body in self.requests]
        assert all(body.keys() == {"text"} for body in bodies)
        return [body["text"] for body in bodies]

    def wait(self, count: int) -> None:
        """Wait until so many requests came."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.requests) >= count, LIMIT)
        assert came, self.requests


@contextlib.contextmanager
def web(*statuses: int, certificate: Path | None = None) -> Iterator[Taken]:
    """Serve HTTP, or HTTPS with a certificate (PEM with its key).

    Args:
        statuses: of the first answers.
        certificate: a file.
    """
    taken = Taken(statuses=list(statuses))

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            self.send_response(taken.add(self.path, self.rfile.read(length)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        taken.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield taken
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def sticky(drip: bytes = b"") -> Iterator[Taken]:
    """Take connections, and say nothing; or a byte every tenth of a second, without an end.

    Each one is a request to "opened", and to "closed" where the other side gives it up.
    """
    taken, ends = Taken(), threading.Event()
    wires: list[socket.socket] = []

    def hold(wire: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while drip and not ends.wait(0.1):
                wire.sendall(drip)
            while not drip and wire.recv(4096):
                pass
        taken.add("closed", b"")

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = listener.accept()
                wires.append(wire)
                taken.add("opened", b"")
                threading.Thread(target=hold, args=(wire,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken.port = listener.getsockname()[1]
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield taken
        ends.set()
        for wire in wires:
            wire.close()
        listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def mail() -> Iterator[Taken]:
    """Serve SMTP; the subject stands where a path does, the text of the mail in the body."""
    from aiosmtpd.controller import Controller

    taken = Taken()

    class Box:
        async def handle_DATA(  # noqa: N802 - the library's name
            self, server: Any, session: Any, envelope: Any
        ) -> str:
            letter = message_from_bytes(envelope.content, policy=default)
            text = letter.get_body(("plain", "html"))
            assert text is not None
            taken.add(str(letter["subject"]), text.get_content().replace("\r\n", "\n").encode())
            return "250 taken"

    controller = Controller(Box(), hostname="127.0.0.1", port=free_port())
    controller.start()
    taken.port = controller.port
    yield taken
    controller.stop()


@contextlib.contextmanager
def raw(answer: Callable[[socket.socket], None]) -> Iterator[Taken]:
    """Take requests, and answer each by a function of its connection; a path is its first line."""
    taken = Taken()

    class Answering(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline().decode("latin-1").strip()
            while self.rfile.readline().strip():
                pass
            taken.add(line, b"")
            with contextlib.suppress(OSError):
                answer(self.connection)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Answering) as server:
        taken.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield taken
        server.shutdown()
        thread.join()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
