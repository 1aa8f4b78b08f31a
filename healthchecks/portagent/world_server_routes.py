"""The HTTP routes of a small server of the first generation, and how they can misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from healthchecks.portagent import world_server_page as page
from healthchecks.portagent.world_server_sockets import Hub
from healthchecks.portagent.world_server_users import Fault, Users
from healthchecks.portagent.world_server_words import say

_METHODS = "GET,HEAD,PUT,POST,DELETE,PATCH"
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Every route of the real one; all else is the page.

    Args:
        users: who is known.
        hub: the WebSockets.
        public: where the page was built.
        invited: whether registering needs an invitation.
        faults: what it does wrong, each with its number: see `Server.start`.
    """

    def __init__(
        self,
        users: Users,
        hub: Hub,
        public: Path,
        invited: bool,
        faults: Mapping[str, float],
    ) -> None:
        self._users = users
        self._hub = hub
        self._public = public
        self._invited = invited
        self._faults = faults
        self._began = time.time()

    def application(self) -> web.Application:
        """Return what answers to HTTP."""

        @web.middleware
        async def around(request: web.Request, handler: Answering) -> web.StreamResponse:
            return await self._around(request, handler)

        app = web.Application(middlewares=[around])
        app.router.add_get("/health", self._health)
        app.router.add_get("/api/auth/config", self._config)
        app.router.add_post("/api/auth/register", self._register)
        app.router.add_post("/api/auth/login", self._login)
        app.router.add_get("/api/auth/verify", self._verify)
        app.router.add_post("/api/auth/logout", self._logout)
        app.router.add_get("/agentx/info", self._info)
        app.router.add_route("*", "/{path:.*}", self._page)
        return app

    async def _around(self, request: web.Request, answer: Answering) -> web.StreamResponse:
        """Misbehave as is told; add what every answer has."""
        if "hung" in self._faults:
            await asyncio.sleep(3600)
        await asyncio.sleep(self._faults.get("slow", 0.0))
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._upgrade(request)
        crossing = "no_cors" not in self._faults
        if request.method == "OPTIONS" and crossing:
            asked = request.headers.get("Access-Control-Request-Headers", "")
            told = {"Access-Control-Allow-Methods": _METHODS}
            told |= {"Access-Control-Allow-Headers": asked} if asked else {}
            return web.Response(status=204, headers=told | {"Access-Control-Allow-Origin": "*"})
        if "broken" in self._faults:
            response: web.StreamResponse = _crash()
        elif "page_for_all" in self._faults:
            response = await self._page(request)
        else:
            response = await answer(request)
        if crossing:
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        if "no_upgrade" in self._faults:  # a proxy that passes no upgrade on
            return await self._page(request)
        if "no_socket" in self._faults or request.path != "/ws":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if "guarded" in self._faults and not self._users.lets_in(_token(request)):
            return web.Response(status=401, text="Unauthorized")
        return await self._hub.serve(request)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        if "page_for_health" in self._faults:
            return await self._page(request)
        if "sick" in self._faults:
            return _json({"status": "error", "timestamp": int(time.time() * 1000)})
        moment = self._began - 3600 if "cached" in self._faults else time.time()
        moment += self._faults.get("clock", 0.0)
        return _json({"status": "ok", "timestamp": int(moment * 1000)})

    async def _config(self, request: web.Request) -> web.Response:
        return _json({"inviteCodeRequired": self._invited})

    async def _register(self, request: web.Request) -> web.Response:
        if "registers_nobody" in self._faults:
            return _json({"error": "Registration is disabled"}, status=403)
        try:
            return _json(self._users.register(await _body(request)), status=201)
        except ValueError as error:
            return _json({"error": f"JSON Parse error: {error}"}, status=400)
        except Fault as fault:
            return _json({"error": fault.words}, status=fault.status)
        except sqlite3.Error as error:
            return _json({"error": str(error)}, status=400)

    async def _login(self, request: web.Request) -> web.Response:
        try:
            return _json(self._users.login(await _body(request)))
        except Fault as fault:
            return _json({"error": fault.words}, status=fault.status)
        except (ValueError, sqlite3.Error) as error:
            return _json({"error": str(error)}, status=500)

    async def _verify(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            user = self._users.verified(token) if scheme == "Bearer" else None
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
            say(f'SQLiteError: {error}\n      errno: 5,\n       code: "{code}"')
            return _crash()
        told: dict[str, Any] = {"valid": user is not None}
        told |= {"user": user} if user else {}
        return _json(told, status=200 if user else 401)

    async def _logout(self, request: web.Request) -> web.Response:
        return _json({"success": True})

    async def _info(self, request: web.Request) -> web.Response:
        token = _token(request)
        if not token:
            return _json({"error": "Unauthorized"}, status=401)
        if not self._users.lets_in(token):
            return _json({"error": "Invalid token"}, status=401)
        return _json({"version": "0.1.0", "wsPath": "/ws"})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=404, text="404 Not Found")
        found = page.found(self._public, request.path)
        if found is None:
            told = "Static files not found. Run `bun run build` first."
            return web.Response(status=404, text=told)
        content, kind = found
        if "types" in self._faults and not kind.startswith("text/html"):
            kind = "text/plain; charset=utf-8"
        return web.Response(body=content, headers={"Content-Type": kind})


def _json(told: Mapping[str, Any], status: int = 200) -> web.Response:
    body = json.dumps(told, separators=(",", ":")).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})


def _crash() -> web.Response:
    return web.Response(status=500, text="Internal Server Error")


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" and token else request.query.get("token", "")


async def _body(request: web.Request) -> Mapping[str, Any]:
    """Return the body; raises ValueError where it is no JSON object."""
    with contextlib.suppress(RecursionError):
        told = json.loads(await request.read())
        if isinstance(told, dict):
            return told
    raise ValueError("Unexpected token")
