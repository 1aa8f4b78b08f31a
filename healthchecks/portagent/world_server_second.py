"""A small server of the second generation: a page on one port, WebSockets on another."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

_PAGE = "<!DOCTYPE html><html><head><title>Portagent</title></head><body>Login</body></html>"


async def run(variables: Mapping[str, str]) -> None:
    """Serve both ports until told to stop."""
    from healthchecks.portagent.world_server_program import faults_of, listen, until_told

    without = "no_page" in faults_of(variables)
    ports = (int(variables.get("PORT", 3000)), int(variables.get("WS_PORT", 5200)))
    runners = [
        web.AppRunner(app, access_log=None, shutdown_timeout=0.5) for app in (_page(), _sockets())
    ]
    for runner, port in zip(runners, ports, strict=True):
        await runner.setup()
        if port != ports[0] or not without:
            await listen(runner, variables, port)
    print(f"> Ready on http://localhost:{ports[0]}", flush=True)  # noqa: T201 - its console
    await until_told()
    for runner in runners:
        await runner.cleanup()


def _page() -> web.Application:
    async def health(request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def status(request: web.Request) -> web.Response:
        return web.json_response({"initialized": True, "authenticated": False, "user": None})

    async def other(request: web.Request) -> web.Response:
        if request.path == "/login":
            return web.Response(text=_PAGE, content_type="text/html")
        return web.Response(status=307, headers={"Location": "/login"})

    app = web.Application()
    app.router.add_get("/api/health", health)
    app.router.add_get("/api/auth/status", status)
    app.router.add_route("*", "/{path:.*}", other)
    return app


def _sockets() -> web.Application:
    async def serve(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=426, text="Upgrade Required")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                with contextlib.suppress(ValueError, AttributeError):
                    await socket.send_str(json.dumps(_reply(json.loads(message.data))))
        return socket

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    return app


def _reply(asked: Any) -> dict[str, Any]:
    told = {"jsonrpc": "2.0", "id": asked.get("id")}
    if asked.get("method") == "container.list":
        return told | {"result": {"containerIds": []}}
    return told | {"error": {"code": -32601, "message": "Method not found"}}
