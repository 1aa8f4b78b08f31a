"""An open WebSocket as a script uses it: it ends at a limit of time and of bytes."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from plugins.endpoints.meanings import meaning_of
from plugins.endpoints.wires import Watch
from plugins.outcomes import Refused, TooBig
from plugins.text import printable

if TYPE_CHECKING:
    import socket

    from websocket import WebSocket

T = TypeVar("T")


@dataclass(frozen=True)
class Frame:
    """A message of the server.

    Attributes:
        type: its "type"; "" for a message that is not a JSON object.
        data: its "data"; the text itself for a message that is not a JSON object.
        raw: the whole object; empty for a message that is not one.
    """

    type: str
    data: Any
    raw: Mapping[str, Any]


class Wire:
    """A socket that ends at the watch's limit and after so many bytes, whoever reads from it."""

    def __init__(self, wire: socket.socket, watch: Watch, limit: int) -> None:
        self._wire = wire
        self._watch = watch
        self._limit = limit
        self._taken = 0
        self._until = float("inf")
        self._closed = False  # the library asks a socket for this

    def wait_at_most(self, seconds: float) -> None:
        """End each wait from now on after so many seconds in all, with a TimeoutError."""
        self._until = time.monotonic() + seconds

    def _pause(self) -> None:
        if self._watch.fired:
            raise self._watch.over()
        left = min(self._watch.left, self._until - time.monotonic())
        if left <= 0:
            raise TimeoutError
        self._wire.settimeout(left)

    def recv(self, size: int) -> bytes:
        """Return the next bytes."""
        self._pause()
        piece = self._wire.recv(size)
        self._taken += len(piece)
        if self._taken > self._limit:
            raise TooBig(f"what {self._watch.what} sends", self._limit)
        return piece

    def send(self, data: bytes) -> int:
        """Send some of the bytes and return how many."""
        self._pause()
        return self._wire.send(data)

    def gettimeout(self) -> float | None:
        """Return what the library asks for."""
        return self._watch.left

    def settimeout(self, _: float | None) -> None:
        """Change nothing: the watch's limit is the one that counts."""

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._wire.fileno()

    def shutdown(self, how: int) -> None:
        """End the connection."""
        self._wire.shutdown(how)

    def close(self) -> None:
        """Close the socket."""
        self._closed = True
        self._wire.close()


class Line:
    """An open connection, as a script uses it; it ends at the talk's deadline."""

    def __init__(self, web: WebSocket, wire: Wire, watch: Watch) -> None:
        self._web = web
        self._wire = wire
        self._watch = watch
        self._passed: deque[Frame] = deque()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one JSON object as a text message.

        Raises:
            Refused: the server has closed the connection.
            TimedOut: it takes nothing in, and the talk's deadline passed.
        """
        self._try(lambda: self._web.send(json.dumps(message)), self._watch.left)

    def receive(self, *types: str, within: float = 5.0) -> Frame | None:
        """Return the next message of one of the types (of any, when none is named).

        Messages of other types wait for a later call.

        Args:
            types: values of "type".
            within: seconds; None is returned when no such message came by then.

        Raises:
            Refused: the server has closed the connection; with its code and reason.
            TimedOut: the talk's own deadline passed.
            TooBig, WrongKind: it sends too much, or what is no WebSocket.
        """
        for frame in self._passed:
            if not types or frame.type in types:
                self._passed.remove(frame)
                return frame
        ends = time.monotonic() + within
        while True:
            got = self._try(self._next, ends - time.monotonic())
            if got is None:
                return None
            if isinstance(got, Frame):
                if not types or got.type in types:
                    return got
                self._passed.append(got)

    def ping(self, within: float = 5.0) -> float | None:
        """Return the seconds until a pong came back, None when none did."""
        began = time.monotonic()
        self._try(lambda: self._web.ping(b"look"), within)
        while True:
            got = self._try(self._next, began + within - time.monotonic())
            if got is None:
                return None
            if isinstance(got, Frame):
                self._passed.append(got)
            elif got == b"look":
                return time.monotonic() - began

    def _next(self) -> Frame | bytes:
        """Return the next message, or the bytes of a pong or ping."""
        code, data = self._web.recv_data(control_frame=True)
        if code == 8:
            number = int.from_bytes(data[:2], "big")
            raise Refused(
                f"{self._watch.what}: the server closed the connection"
                f" ({number or 'no code'} {printable(data[2:], 120)})"
            )
        if code in {1, 2}:
            return _frame(data if isinstance(data, bytes) else data.encode())
        return bytes(data)

    def _try(self, act: Callable[[], T], within: float) -> T | None:
        """Return what `act` does, None when it was not done in time."""
        from websocket import (
            WebSocketConnectionClosedException,
            WebSocketException,
            WebSocketTimeoutException,
        )

        self._wire.wait_at_most(within)
        try:
            return act()
        except (WebSocketTimeoutException, TimeoutError):
            if self._watch.fired:
                raise self._watch.over() from None
            return None
        except (WebSocketConnectionClosedException, ConnectionError):
            if self._watch.fired:
                raise self._watch.over() from None
            raise Refused(f"{self._watch.what}: the connection was cut") from None
        except (WebSocketException, OSError, ValueError) as error:
            raise meaning_of(error, self._watch.what, self._watch) from None


def _frame(data: bytes) -> Frame:
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        return Frame("", printable(data, 1000), {})
    kind = raw.get("type")
    return Frame(kind if isinstance(kind, str) else "", raw.get("data"), raw)
