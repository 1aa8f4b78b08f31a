"""A Qdrant of a world's own: its REST interface over its own engine, on a loopback port.

`python -m plugins.worlds.qdrant FOLDER --port 6333` serves one until it is interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import os
import ssl
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from plugins.worlds.qdrant_answers import refused
from plugins.worlds.qdrant_faults import Canned, Faults
from plugins.worlds.qdrant_rest import Rest
from plugins.worlds.qdrant_shapes import Wrong
from plugins.worlds.qdrant_snapshots import Snapshots
from plugins.worlds.qdrant_store import Store

VERSION = "1.19.0"
# A folder to which every request and its answer is written, to be held against the description.
RECORD = "HEALTHCHECKS_QDRANT_RECORD"
_PEER = 3766212330831337
_OPEN_TO_ALL = ("/", "/healthz", "/livez", "/readyz")
_NO_KEY = "Must provide an API key or an Authorization bearer token"
_BIGGEST = 1 << 28


class StandIn:
    """A Qdrant in a thread of its own; `start` and `stop` may follow each other.

    Args:
        folder: holds its collections and snapshots, over all starts.
        port: 0 for a free one, which it keeps.
        host: the address that it listens on.
        key: the API key that it wants, "" for none.
        tls: speaks HTTPS with this.
        version: that it says it has.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        key: str = "",
        tls: ssl.SSLContext | None = None,
        version: str = VERSION,
    ) -> None:
        self.folder = folder
        self.port = port
        self.host = host
        self.key = key
        self.faults = Faults()
        self._tls = tls
        self._version = version
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        record = os.environ.get(RECORD)
        self._record = Path(record) / f"{os.getpid()}.jsonl" if record else None

    @property
    def url(self) -> str:
        """Where it answers, for who is on this machine."""
        scheme = "https" if self._tls else "http"
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104
        return f"{scheme}://{host}:{self.port}"

    @property
    def runs(self) -> bool:
        """Whether it was started and not stopped."""
        return self._thread is not None

    def start(self) -> str:
        """Start it, wait until it listens, and return its URL.

        Raises:
            OSError: the port is taken.
        """
        ready = threading.Event()
        failed: list[BaseException] = []

        def serve() -> None:
            try:
                asyncio.run(self._serve(ready))
            except BaseException as error:  # noqa: BLE001 - raised by who waits for the start
                failed.append(error)
                ready.set()

        self._thread = threading.Thread(target=serve, daemon=True, name="qdrant")
        self._thread.start()
        ready.wait()
        if failed:
            self._thread = None
            raise failed[0]
        return self.url

    def stop(self) -> None:
        """End it, with everything written down; what is being answered is cut off."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()
        self._thread = self._loop = None

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        store = Store(self.folder, _PEER)
        store.load()
        runner = web.AppRunner(self._app(store), access_log=None, shutdown_timeout=0.1)
        try:
            await runner.setup()
            await web.TCPSite(
                runner, self.host, self.port, ssl_context=self._tls, reuse_address=True
            ).start()
            self.port = runner.addresses[0][1]
            ready.set()
            await self._over.wait()
        finally:
            await runner.cleanup()
            store.close()

    def _app(self, store: Store) -> web.Application:
        # aiohttp gives the route by the name "handler".
        @web.middleware
        async def answered(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._answered(request, handler)

        app = web.Application(middlewares=[answered], client_max_size=_BIGGEST)
        app.add_routes(Rest(store, self.faults, self._version).routes())
        app.add_routes(Snapshots(store, self.faults).routes())
        return app

    async def _answered(self, request: web.Request, route: Any) -> web.StreamResponse:
        """Answer one request, with what is wrong planted into it, and write both down."""
        path, faults = request.path, self.faults
        await asyncio.sleep(faults.delay(path))
        if faults.hangs(path):
            await asyncio.Event().wait()
        canned = faults.canned(path)
        response = _as(canned) if canned else await self._routed(request, route)
        if self._record is not None:
            await self._written(request, response)
        if faults.drips(path) and isinstance(response, web.Response):
            return await _dripped(request, response)
        return response

    async def _routed(self, request: web.Request, route: Any) -> web.StreamResponse:
        if not self._allowed(request):
            return web.Response(status=401, text=_NO_KEY)
        try:
            response: web.StreamResponse = await route(request)
        except Wrong as error:
            return refused(error)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return web.Response(status=404, body=b"")
        return response

    def _allowed(self, request: web.Request) -> bool:
        if not self.key or request.path in _OPEN_TO_ALL:
            return True
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = request.headers.get("api-key", bearer)
        return hmac.compare_digest(given.encode(), self.key.encode())

    async def _written(self, request: web.Request, response: web.StreamResponse) -> None:
        body = response.body if isinstance(response, web.Response) else None
        kind = request.content_type
        row = {
            "method": request.method,
            "path": request.raw_path,
            "kind": kind if request.body_exists else "",
            "body": (await request.text()) if kind == "application/json" else "",
            "status": response.status,
            "answer_kind": response.content_type,
            "answer": body.decode("utf-8", "replace") if isinstance(body, bytes) else "",
            "foreign": self.faults.foreign,
        }
        assert self._record is not None
        with self._record.open("a") as file:
            file.write(json.dumps(row) + "\n")


def _as(canned: Canned) -> web.Response:
    headers = {"content-type": canned.kind, **dict(canned.headers)}
    return web.Response(status=canned.status, body=canned.body, headers=headers)


async def _dripped(request: web.Request, response: web.Response) -> web.StreamResponse:
    slow = web.StreamResponse(status=response.status)
    slow.content_type = response.content_type
    await slow.prepare(request)
    body = response.body if isinstance(response.body, bytes) else b""
    for byte in body:
        await slow.write(bytes((byte,)))
        await asyncio.sleep(0.05)
    return slow


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Qdrant's REST interface over its own engine")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=6333)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--ready", type=Path, help="a file that is made once it listens")
    words = parser.parse_args()
    key = os.environ.get("QDRANT__SERVICE__API_KEY", "")
    server = StandIn(words.folder, port=words.port, host=words.host, key=key)
    server.start()
    if words.ready:
        words.ready.touch()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
