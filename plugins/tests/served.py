"""A desk and its serving process as tests use them, and clients that behave well or badly."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.serve.address import Place, listening
from plugins.serve.answers import now
from plugins.serve.desk import Desk
from plugins.serving import POLICY

LIMIT = 20.0
HOST = b"Host: localhost\r\n"
TOKEN = "0123456789abcdef-token"


@dataclass(frozen=True)
class Got:
    """An answer: its status, its headers by their name in small letters, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def got(port: int, path: str, method: str = "GET", **headers: str) -> Got:
    """Ask once; `_` in the name of a header stands for a dash."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, path, headers=named)
        answer = line.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, found, answer.read())
    finally:
        line.close()


def connected(port: int, data: bytes = b"", room: int = 0) -> socket.socket:
    """Return a connection on which something was sent; `room` is what it receives at most."""
    line = socket.socket()
    line.settimeout(LIMIT)
    if room:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    line.connect(("127.0.0.1", port))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        line.sendall(data)
    return line


def said(line: socket.socket) -> bytes:
    """Return all that comes until the other side ends the connection, and close it."""
    parts = []
    with line:
        while part := line.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def is_open(port: int) -> bool:
    """Tell whether somebody listens there."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Served:
    """A desk with its process.

    Args:
        desk: it.
        port: where it answers.
        pid: of the process.
    """

    desk: Desk
    port: int
    pid: int

    def figures(self) -> tuple[int, int, int]:
        """Return the process's resident memory in KiB, its open descriptors and its threads."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        rows = dict(line.split(":", 1) for line in status.splitlines())
        open_ = len(os.listdir(f"/proc/{self.pid}/fd"))
        return int(rows["VmRSS"].split()[0]), open_, int(rows["Threads"])


@contextlib.contextmanager
def served(page: bytes = b"<p>well", *, token: str = "", late: float = 1000.0) -> Iterator[Served]:
    """Yield a desk that hands out a page and says that a round found everything healthy."""
    made = listening(Place("127.0.0.1", 0), guarded=bool(token))
    desk = Desk(made, {"token": token, "names": ["127.0.0.1"], "stale_after": late})
    try:
        assert desk.open() == ""
        kinds = {"/report": ("text/html; charset=utf-8", POLICY), "/report.json": ("text/json", "")}
        assert desk.give("pages", kinds, [page, b"{}"]) == ""
        known = {"rounds": 1, "status": 0, "verdict": "All is well.", "at": now()}
        assert desk.give("round", known) == ""
        yield Served(desk, int(made.getsockname()[1]), desk.pid)
    finally:
        desk.close()
