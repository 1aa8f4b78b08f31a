"""One WebSocket connection to the small server, from the upgrade to the close."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from healthchecks.pocket_agent.world_bytes import (
    GIB,
    PLAIN,
    claimed_address,
    flood,
    response_bytes,
)

if TYPE_CHECKING:
    from healthchecks.pocket_agent.world_wire import Wire


class Session:
    """One WebSocket connection."""

    def __init__(self, wire: Wire, stream: socket.socket, peer: str) -> None:
        self.wire = wire
        self.stream = stream
        self.peer = peer
        now = time.time_ns()
        self.name = f"ws_{now}_{now % 1_000_000_000}"
        self.protocol = ServerProtocol(max_size=wire.message_limit)
        self._parts: list[bytes] = []

    def open(self, head: bytes) -> None:
        """Answer the upgrade in `head` and talk until the connection ends."""
        claimed = claimed_address(head) or self.peer
        refusal = self.wire.slots.take(claimed)
        if refusal:
            self.wire.send(self.stream, response_bytes(429, PLAIN, refusal.encode() + b"\n"))
            return
        self.protocol.receive_data(head)
        request = next(iter(self.protocol.events_received()), None)
        if not isinstance(request, Request):
            self._refuse("bad request")
            return
        response = self.protocol.accept(request)
        if response.status_code != 101:
            self._refuse("websocket: the client is not using the websocket protocol")
            return
        self.protocol.send_response(response)
        self._flush()
        said = {"remote": self.peer, "active_connections": self.wire.replies.connections}
        self._log("INFO", "server.go:265", "WebSocket connection established", **said)
        idle = False
        try:
            idle = self._talk()
        finally:
            left = self.wire.slots.give(self.peer, idle)
            self._log(
                "INFO", "server.go:457", "WebSocket connection closed", active_connections=left
            )
        # The real server does not close TCP: its clients wait for their own limit.
        time.sleep(self.wire.options.hold)

    def _log(self, level: str, source: str, msg: str, **more: object) -> None:
        self.wire.log(level, source, msg, session_id=self.name, **more)

    def _refuse(self, reason: str) -> None:
        self.wire.slots.give(self.peer, False)
        body = b"failed to upgrade connection\n"
        self.wire.send(self.stream, response_bytes(400, PLAIN, body))
        said = {"status": 400, "reason": reason, "remote": self.peer}
        self.wire.log("ERROR", "server.go:112", "WebSocket upgrade error", **said)

    def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.wire.send(self.stream, data)

    def _talk(self) -> bool:
        """Answer messages; return whether the connection was cut for being idle."""
        limit = self.wire.options.idle
        deadline = time.monotonic() + limit
        while True:
            try:
                self.stream.settimeout(max(0.001, deadline - time.monotonic()))
                data = self.stream.recv(65536)
            except TimeoutError:
                nanoseconds = int(limit * 1e9)
                self._log("INFO", "server.go:359", "Session timeout", timeout=nanoseconds)
                self.protocol.send_close(1001, "Connection timeout")
                self._flush()
                return True
            if not data:
                self._read_error("websocket: close 1006 (abnormal closure): unexpected EOF")
                return False
            self.protocol.receive_data(data)
            for frame in self._frames():
                deadline = time.monotonic() + limit
                if not self._message(frame):
                    return False
            if self.protocol.state is not State.OPEN:
                self._flush()
                self._read_error(_closing(self.protocol.close_rcvd))
                return False

    def _read_error(self, error: str) -> None:
        self._log("ERROR", "server.go:342", "WebSocket read error", error=error)

    def _frames(self) -> Iterator[bytes]:
        """Give each whole message; pongs and the answer to a close frame go out on the way."""
        for event in self.protocol.events_received():
            if not isinstance(event, Frame) or event.opcode not in (
                Opcode.TEXT,
                Opcode.BINARY,
                Opcode.CONT,
            ):
                continue
            self._parts.append(bytes(event.data))
            if event.fin:
                whole, self._parts = b"".join(self._parts), []
                yield whole
        if self.protocol.state is State.OPEN:
            self._flush()

    def _message(self, message: bytes) -> bool:
        """Answer a message; return False where the real server drops the session in silence."""
        if self.wire.options.silent:
            return True
        answered = self.wire.replies.answer(message.decode("utf-8", "replace"))
        if answered is None:
            return False
        reply, error = answered
        if error:
            kind = json.loads(message)["type"]
            self._log("ERROR", "router.go:57", "Handler error", type=kind, error=error)
        time.sleep(self.wire.options.slow)
        if self.wire.options.flood:
            self.stream.sendall(b"\x81\x7f" + GIB.to_bytes(8, "big"))
            flood(self.stream)
            return True
        text = json.dumps(reply, separators=(",", ":"), ensure_ascii=False) + "\n"
        self.protocol.send_text(text.encode())
        self._flush()
        return True


def _closing(close: Close | None) -> str:
    names = {1000: "normal", 1001: "going away", 1005: "no status"}
    if close is None:
        return "websocket: read limit exceeded"
    text = f"websocket: close {int(close.code)}"
    text += f" ({names[close.code]})" if close.code in names else ""
    return text + (f": {close.reason}" if close.reason else "")
