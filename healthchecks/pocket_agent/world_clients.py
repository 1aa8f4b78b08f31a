"""Clients of a world's server: real WebSocket connections that are held open."""

from __future__ import annotations

import contextlib
import ssl
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websocket import WebSocket

    from healthchecks.pocket_agent.world import World


def connected(world: World, count: int) -> list[threading.Thread]:
    """Open so many connections to the server; each thread holds one until the server closes it."""
    import websocket

    plain = world.settings()["tls"] == "no"
    url = f"{'ws' if plain else 'wss'}://127.0.0.1:{world.port}/ws"
    unverified = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    clients = [
        websocket.create_connection(url, timeout=60, sslopt=unverified) for _ in range(count)
    ]
    holders = [threading.Thread(target=_hold, args=(each,), daemon=True) for each in clients]
    for holder in holders:
        holder.start()
    return holders


def until_cut(clients: list[threading.Thread]) -> None:
    """Wait until the server has closed each of the connections."""
    for client in clients:
        client.join(5)


def _hold(client: WebSocket) -> None:
    from websocket import ABNF, WebSocketException

    with contextlib.suppress(WebSocketException, OSError):
        while client.recv_data(control_frame=True)[0] != ABNF.OPCODE_CLOSE:
            continue
