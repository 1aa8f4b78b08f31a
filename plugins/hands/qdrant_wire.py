"""Requests to Qdrant's REST interface from the host that it is asked from.

A server is named by [its URL, the place of this host where its API key stands, "" for none]: the
key itself stands in no argument. Every request has a deadline that also cuts a server which sends
its answer byte by byte. Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from plugins.hands.qdrant_keys import key_at

PATIENCE = 60.0  # seconds for a request that moves little
_LARGEST = 256 << 20
_PIECE = 1 << 18


class No(OSError):  # noqa: N818 - it is the answer that is at fault
    """A request that came to nothing.

    Args:
        words: why, in a sentence.
        status: of the answer, 0 where none came.
        own: whether it is an error that Qdrant itself tells of, and no proxy before it.
    """

    def __init__(self, words: str, status: int = 0, own: bool = False) -> None:
        super().__init__(errno.EPROTO, words)
        self.status = status
        self.own = own


def place_of(collection: str) -> str:
    """Return the path of a collection in the interface."""
    return f"/collections/{quote(collection, safe='')}"


class Asked:
    """One request, from the dialing to the last byte of the answer.

    Args:
        server: [URL, place of its key].
        method, path: such as "GET", "/collections".
        seconds: for all of it.
    """

    def __init__(self, server: list[str], method: str, path: str, seconds: float) -> None:
        url, place = server
        self._key = key_at(place)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise No("its URL must be http or https, without a name and password")
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        self._wire = kinds[parts.scheme](parts.hostname, parts.port, timeout=seconds)
        self._method, self._path = method, parts.path.rstrip("/") + path
        self._seconds, self._ends = seconds, time.monotonic() + seconds

    @contextlib.contextmanager
    def answered(
        self, body: bytes | Iterable[bytes] = b"", **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Send it, and yield the answer, whatever its status; its body is not read yet."""
        watch: threading.Timer | None = None
        try:
            self._wire.connect()
            left = max(0.001, self._ends - time.monotonic())
            watch = threading.Timer(left, _cut, (self._wire.sock,))
            watch.daemon = True
            watch.start()
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # A server that refuses says why before it has read all; the answer tells.
                self._wire.request(
                    self._method,
                    self._path,
                    body=body or None,
                    headers={**named, **({"api-key": self._key} if self._key else {})},
                )
            yield self._wire.getresponse()
        except No:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._why(error) from None
        finally:
            if watch is not None:
                watch.cancel()
            self._wire.close()
        if time.monotonic() >= self._ends:
            raise self._late()

    def _late(self) -> No:
        words = f"{self._method} {self._path}: no answer in time (our limit of {self._seconds:g} s)"
        return No(words)

    def _why(self, error: Exception) -> No:
        if time.monotonic() >= self._ends or isinstance(error, TimeoutError):
            return self._late()
        what = f"{self._method} {self._path}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return No(
                f"{what}: its certificate is not trusted; SSL_CERT_FILE may name its issuer's"
            )
        if isinstance(error, OSError) and error.strerror:
            return No(f"{what}: {error.strerror}")
        if isinstance(error, http.client.IncompleteRead):
            return No(f"{what}: the answer was cut")
        return No(f"{what}: the connection was lost, or what answers is no HTTP server")


def _cut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not a TLS socket's own shutdown, which would take the keys away from whoever reads.
        socket.socket.shutdown(wire, socket.SHUT_RDWR)


def taken_in(response: http.client.HTTPResponse, limit: int = _LARGEST) -> bytes:
    """Return the body of an answer."""
    content = bytearray()
    while block := response.read(_PIECE):
        content += block
        if len(content) > limit:
            raise No(f"the answer is larger than our limit of {limit} bytes")
    if response.length:
        raise No("the answer was cut")
    return bytes(content)


def told(
    server: list[str], method: str, path: str, question: Any = None, seconds: float = 0.0
) -> Any:
    """Ask with JSON, and return the result; 0 seconds stand for `PATIENCE`.

    Raises:
        No: it was not answered, or with an error; says why.
    """
    body = b"" if question is None else json.dumps(question).encode()
    kind = {"content_type": "application/json"} if body else {}
    with Asked(server, method, path, seconds or PATIENCE).answered(body, **kind) as response:
        content = taken_in(response)
        status = response.status
    try:
        return result(content, status, f"{method} {path}")
    except No as why:
        if why.status in (401, 403) and server[1] and not key_at(server[1]):
            raise No(f"{why.strerror}; the variable {server[1]} is not set", why.status) from None
        raise


def result(content: bytes, status: int, what: str) -> Any:
    """Return the result that a body holds; raise `No` when it is none."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    if status in (401, 403):
        raise No(f"{what}: it wants an API key, or another one (status {status})", status)
    if status != 200:
        error = _error(said)
        words = content[:200].decode("utf-8", "replace") if error is None else error[:300]
        raise No(f"{what}: status {status}, {words}", status, error is not None)
    if not isinstance(said, dict) or "result" not in said:
        raise No(f"{what}: what answers is not Qdrant")
    return said["result"]


def _error(said: Any) -> str | None:
    inner = said.get("status") if isinstance(said, dict) else None
    error = inner.get("error") if isinstance(inner, dict) else None
    return str(error) if error else None


def counted(server: list[str], collection: str) -> int:
    """Return the exact number of points in a collection, -1 where there is no such collection."""
    question = {"exact": True}
    try:
        said = told(server, "POST", f"{place_of(collection)}/points/count", question)
    except No as why:
        if why.status == 404 and why.own:
            return -1
        raise
    if not isinstance(said, dict) or type(said.get("count")) is not int or said["count"] < 0:
        raise No(f"{collection}: the number of its points cannot be told")
    number: int = said["count"]
    return number
