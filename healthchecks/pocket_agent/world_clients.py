"""Clients of a world's server: real WebSocket connections that are held open."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from healthchecks.pocket_agent.world import World


def connected(world: World, count: int) -> list[ClientConnection]:
    """Open so many connections to the server; they last until it ends."""
    from websockets.sync.client import connect

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = world.settings()["tls"] == "no"
    url = f"{'ws' if plain else 'wss'}://127.0.0.1:{world.port}/ws"
    options = {"ping_interval": None, "close_timeout": 0.1, "open_timeout": 5}
    return [
        connect(url, ssl=None if plain else context, **options)  # type: ignore[arg-type]
        for _ in range(count)
    ]


def until_cut(clients: list[ClientConnection]) -> None:
    """Wait until the server has closed each of the connections."""
    from websockets.exceptions import ConnectionClosed

    for client in clients:
        with contextlib.suppress(ConnectionClosed):
            client.recv(timeout=5)
