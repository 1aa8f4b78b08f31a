"""The WebSockets of a small server: heartbeat, broadcast, and a row for every text frame."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from healthchecks.portagent.world_server_words import Words

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Queue:
    """queue.db: what was broadcast, and in which order."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._last = ("", 0)

    def keep(self, event: Mapping[str, Any]) -> None:
        """Add a row; what cannot be written is lost, as in the real one."""
        now = int(time.time() * 1000)
        cursor = self._cursor(now)
        row = (cursor, "global", json.dumps(event, separators=(",", ":")), now)
        told = "INSERT INTO queue_entries (cursor, topic, event, timestamp) VALUES (?, ?, ?, ?)"
        with contextlib.suppress(sqlite3.OperationalError):
            self._database.execute(told, row)

    def _cursor(self, now: int) -> str:
        stamp, left = "", now
        while left:
            left, digit = divmod(left, 36)
            stamp = _DIGITS[digit] + stamp
        count = self._last[1] + 1 if self._last[0] == stamp else 0
        self._last = (stamp, count)
        return f"{stamp}-{count:04d}"


class Hub:
    """The clients that are connected, and what is said to them.

    Args:
        agentx: agentx.db.
        queue: queue.db.
        words: the log.
        heartbeat: seconds between pings; who has not answered by the next one is cut.
        cut: seconds after which a connection is cut whatever it answers; 0 for never.
    """

    def __init__(
        self,
        agentx: sqlite3.Connection,
        queue: sqlite3.Connection,
        words: Words,
        heartbeat: float,
        cut: float,
    ) -> None:
        self._agentx = agentx
        self._queue = Queue(queue)
        self._words = words
        self._heartbeat = heartbeat
        self._cut = cut
        self._clients: dict[str, web.WebSocketResponse] = {}
        self._answered: dict[str, bool] = {}

    def container(self, container: str) -> None:
        """Make a container, and tell it as the program does; raises sqlite3's errors."""
        now = int(time.time() * 1000)
        value = {"containerId": container, "createdAt": now, "updatedAt": now}
        shown = json.dumps(value, separators=(",", ":"))
        row = (f"containers:{container}", shown, now, now)
        self._agentx.execute("INSERT INTO kv_storage VALUES (?, ?, ?, ?)", row)
        self._words("INF", "runtime/RuntimeContainer", "Container created", containerId=container)
        event = {"type": "container_created", "timestamp": now, "source": "container"}
        event |= {"category": "lifecycle", "intent": "notification", "data": value}
        self._queue.keep(event)
        self._queue.keep(self._response("container_create", {"containerId": container}))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one client until it or we end it."""
        socket = web.WebSocketResponse(autoping=False, max_msg_size=100 << 20)
        await socket.prepare(request)
        name = f"conn_{int(time.time() * 1000)}_{secrets.token_hex(3)}"
        self._clients[name], self._answered[name] = socket, True
        self._told("Client connected", name)
        beat = asyncio.create_task(self._beat(name, socket, request))
        try:
            async for message in socket:
                await self._received(name, socket, message.type, message.data)
        finally:
            beat.cancel()
            del self._clients[name], self._answered[name]
            self._told("Client disconnected", name)
        return socket

    def _told(self, message: str, name: str) -> None:
        total = len(self._clients)
        told = {"connectionId": name, "totalConnections": total}
        self._words("INF", "network/WebSocketServer", message, **told)
        self._words("INF", "agentx/LocalAgentX", message, connectionId=name)

    async def _beat(self, name: str, socket: web.WebSocketResponse, request: web.Request) -> None:
        began = time.monotonic()
        while True:
            left = self._cut - (time.monotonic() - began) if self._cut else self._heartbeat
            await asyncio.sleep(max(0.0, min(self._heartbeat, left)))
            late = self._cut and time.monotonic() - began >= self._cut
            if late or not self._answered[name]:
                if not late:
                    said = "Client heartbeat timeout, terminating connection"
                    self._words("WRN", "network/WebSocketConnection", said, id=name)
                if request.transport is not None:
                    request.transport.abort()
                return
            self._answered[name] = False
            await socket.ping()
            self._words("DBG", "network/WebSocketConnection", "Heartbeat ping sent", id=name)

    async def _received(
        self, name: str, socket: web.WebSocketResponse, kind: WSMsgType, data: Any
    ) -> None:
        if kind is WSMsgType.PONG:
            self._answered[name] = True
        elif kind is WSMsgType.PING:
            await socket.pong(data)
        elif kind is WSMsgType.TEXT:
            with contextlib.suppress(ValueError):
                message = json.loads(data)
                if isinstance(message, dict) and "__ack" not in message:
                    await self._message(message)

    async def _message(self, message: dict[str, Any]) -> None:
        asked, data = str(message.get("type", "")), message.get("data") or {}
        told = {"type": asked, "category": message.get("category", "undefined")}
        self._words("DBG", "agentx/LocalAgentX", "Received client message", **told)
        if asked == "subscribe":
            return
        if asked == "container_list_request":
            keys = self._agentx.execute("SELECT key FROM kv_storage WHERE key LIKE 'containers:%'")
            named = [str(row[0]).partition(":")[2] for row in keys]
            body = {"requestId": data.get("requestId"), "containerIds": named}
            await self._broadcast(self._response("container_list", body))
        if message.get("category") != "request":
            await self._broadcast(message)

    @staticmethod
    def _response(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        kind = {"type": f"{name}_response", "timestamp": int(time.time() * 1000), "data": data}
        return kind | {"source": "command", "category": "response", "intent": "result"}

    async def _broadcast(self, event: Mapping[str, Any]) -> None:
        self._queue.keep(event)
        for name, socket in list(self._clients.items()):
            payload = json.dumps(event, separators=(",", ":"))
            wrapped = {"__msgId": f"{name}_{secrets.token_hex(2)}", "__payload": payload}
            with contextlib.suppress(ConnectionError):
                await socket.send_str(json.dumps(wrapped))

    async def close(self) -> None:
        """End every connection."""
        for socket in list(self._clients.values()):
            with contextlib.suppress(ConnectionError):
                await socket.close()
