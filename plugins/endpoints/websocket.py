"""WebSockets: one connection, one conversation, one short goodbye."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from plugins.endpoints.line import Frame, Line, Wire
from plugins.endpoints.meanings import meaning_of
from plugins.endpoints.memory import Memory
from plugins.endpoints.wires import (
    Address,
    Dead,
    Watch,
    address_of,
    dial,
    from_here,
    wrap,
)
from plugins.hosts import Host
from plugins.outcomes import CannotTell, WrongKind
from plugins.text import printable

if TYPE_CHECKING:
    import socket

    from websocket import WebSocket

T = TypeVar("T")
__all__ = ["Frame", "Line", "Talk", "WebSockets"]
_WANTS_TLS = b"HTTP request to an HTTPS server"


@dataclass(frozen=True)
class Talk(Generic[T]):
    """How a conversation went.

    Attributes:
        opened: whether the server agreed to speak WebSocket.
        status: the HTTP status of its answer to the upgrade: 101, or 429 and the like.
        reason: why not, in its own words (the first 200 bytes of the body); "" when opened.
        certificate: what it served, DER; None without TLS.
        seconds: from the dialing to the upgrade's answer.
        result: what the script returned; None when the server did not open.
    """

    opened: bool
    status: int
    reason: str
    certificate: bytes | None
    seconds: float
    result: T | None


class WebSockets:
    """WebSocket conversations from this machine, never through a proxy.

    The same script is run once in a look, and an address that did not answer is not tried again.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory = Memory()
        self._dead = Dead()

    def talk(
        self,
        url: str,
        script: Callable[[Line], T],
        *,
        deadline: float = 10.0,
        close_timeout: float = 0.5,
        limit: int = 4 << 20,
    ) -> Talk[T]:
        """Open one connection, run the script over it, and close it.

        A server that declines the upgrade has answered: the talk then says so.

        Args:
            url: ws or wss; a certificate is returned, not verified.
            script: is given the open line; what it returns is the talk's result.
            deadline: seconds for everything but the goodbye.
            close_timeout: seconds for the server's goodbye; it may never close.
            limit: bytes that the server may send in all.

        Raises:
            NotThere, Refused, NoPermission, TimedOut, WrongKind, TooBig, CannotTell: as `Http`,
            and what the script raises.
        """
        address = address_of(url, ("ws", "wss"))
        from_here(self._host, address)
        return self._memory.once(
            (url, script),
            lambda: self._talk(
                url, address, script, Watch(_words(url), deadline), close_timeout, limit
            ),
        )

    def _talk(
        self,
        url: str,
        address: Address,
        script: Callable[[Line], T],
        watch: Watch,
        close_timeout: float,
        limit: int,
    ) -> Talk[T]:
        with watch:
            with self._dead.at(address):
                wire, served = _connect(url, address, watch)
                wrapped = Wire(wire, watch, limit)
                try:
                    web, status, reason = _upgrade(url, wrapped, watch)
                except CannotTell:
                    wrapped.close()
                    raise
            seconds = watch.spent
            if web is None:
                wrapped.close()
                return Talk(False, status, reason, served, seconds, None)
            try:
                result = script(Line(web, wrapped, watch))
            finally:
                wrapped.wait_at_most(close_timeout)
                web.close(timeout=close_timeout)
                wrapped.close()
            return Talk(True, status, "", served, seconds, result)


def _words(url: str) -> str:
    """Return the URL for a sentence: no name and password, no query."""
    scheme, _, rest = url.partition("://")
    return printable(f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}")


def _connect(url: str, address: Address, watch: Watch) -> tuple[socket.socket, bytes | None]:
    """Return the connection and the certificate that was served on it."""
    wire = dial(address, watch)
    if not url.lower().startswith("wss:"):
        return wire, None
    sealed: ssl.SSLSocket = wrap(wire, address, watch)
    return sealed, sealed.getpeercert(binary_form=True)


def _upgrade(url: str, wire: Wire, watch: Watch) -> tuple[WebSocket | None, int, str]:
    """Ask for the upgrade; return the open WebSocket or None, the status, and why not."""
    import websocket

    web = websocket.WebSocket(enable_multithread=False)
    try:
        web.connect(  # type: ignore[no-untyped-call]
            url, socket=wire, redirect_limit=0, suppress_origin=True
        )
    except websocket.WebSocketBadStatusException as refusal:
        body = refusal.resp_body or b""
        if refusal.status_code == 400 and _WANTS_TLS in body:
            raise WrongKind(f"{watch.what}: speaks TLS and was asked in plain text") from None
        words = body[:200].strip() or (refusal.status_message or "").encode()
        return None, refusal.status_code or 0, printable(words, 200)
    except websocket.WebSocketConnectionClosedException:
        if watch.fired:
            raise watch.over() from None
        raise WrongKind(f"{watch.what}: closed the connection without an answer") from None
    except (websocket.WebSocketException, OSError, ValueError) as error:
        answer = web.handshake_response
        if answer is not None and answer.status != 101:
            return None, answer.status, printable(str(answer.headers.get("location", "")), 200)
        raise meaning_of(error, watch.what, watch) from None
    return web, 101, ""
