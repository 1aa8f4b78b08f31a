"""Qdrant's REST interface to snapshots: taken, listed, sent, and recovered from."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import ClientError, ClientSession, web

from plugins.worlds.qdrant_answers import asked, name_in, room, told
from plugins.worlds.qdrant_faults import Faults
from plugins.worlds.qdrant_shapes import Wrong
from plugins.worlds.qdrant_store import Store

_PIECE = 1 << 16


class Snapshots:
    """The routes of one server's snapshots.

    Args:
        store: what it holds.
        faults: what is wrong with it.
    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Return every route."""
        one = "/collections/{name}"
        return [
            web.get(f"{one}/snapshots", self.snapshots),
            web.post(f"{one}/snapshots", self.snapshot),
            web.post(f"{one}/snapshots/upload", self.upload),
            web.put(f"{one}/snapshots/recover", self.recover),
            web.get(f"{one}/snapshots/{{snapshot}}", self.download),
            web.delete(f"{one}/snapshots/{{snapshot}}", self.forget),
        ]

    async def snapshots(self, request: web.Request) -> web.Response:
        """List the snapshots of a collection."""
        return told([self._as_told(row) for row in self.store.snapshots(name_in(request))])

    async def snapshot(self, request: web.Request) -> web.Response:
        """Take a snapshot."""
        room(self.faults)
        return told(self._as_told(self.store.snapshot(name_in(request))))

    async def forget(self, request: web.Request) -> web.Response:
        """Delete a snapshot."""
        self.store.forget(name_in(request), request.match_info["snapshot"])
        return told(True)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Send a snapshot."""
        path = self.store.snapshot_file(name_in(request), request.match_info["snapshot"])
        content = path.read_bytes()
        cut = self.faults.cut
        sent = content if cut is None else content[: int(len(content) * cut)]
        whole = cut is None or self.faults.short
        response = web.StreamResponse(
            headers={
                "content-type": "application/octet-stream",
                "content-length": str(len(sent if whole else content)),
                "content-disposition": f'attachment; filename="{path.name}"',
            }
        )
        await response.prepare(request)
        await response.write(sent)
        if not whole:
            if request.transport is not None:
                request.transport.close()
            return response
        await response.write_eof()
        return response

    async def upload(self, request: web.Request) -> web.Response:
        """Recover a collection from the snapshot in a multipart body."""
        room(self.faults)
        path = self.store.scratch()
        try:
            if not request.content_type.startswith("multipart/"):
                raise Wrong("Multipart error: Content-Type is not multipart/form-data")
            found = False
            async for part in await request.multipart():
                if getattr(part, "name", "") == "snapshot":
                    await _received(part, path)
                    found = True
            if not found:
                raise Wrong("Multipart error: Field with name 'snapshot' is required")
            self.store.recover(name_in(request), path, request.query.get("checksum", ""))
        finally:
            path.unlink(missing_ok=True)
        return told(True)

    async def recover(self, request: web.Request) -> web.Response:
        """Recover a collection from the snapshot at a URI."""
        room(self.faults)
        question = await asked(request)
        parts = urlsplit(str(question.get("location", "")))
        checksum = question.get("checksum") or ""
        if parts.scheme == "file":
            path = Path(unquote(parts.path))
            if not path.is_file():
                raise Wrong(f'Wrong input: Snapshot file "{path}" does not exist')
            self.store.recover(name_in(request), path, checksum)
        elif parts.scheme in {"http", "https"}:
            await self._fetched(request, question, checksum)
        else:
            raise Wrong("Format error in JSON body: relative URL without a base")
        return told(True)

    async def _fetched(self, request: web.Request, question: dict[str, Any], sum_: str) -> None:
        key = question.get("api_key")
        path = self.store.scratch()
        try:
            headers = {"api-key": key} if key else {}
            place = str(question["location"])
            async with (
                ClientSession(headers=headers) as session,
                session.get(place, ssl=False) as answer,
            ):
                if answer.status != 200:
                    raise Wrong(f"Wrong input: Failed to download snapshot: {answer.status}")
                path.write_bytes(await answer.read())
            self.store.recover(name_in(request), path, sum_)
        except ClientError as error:
            words = f"Wrong input: Failed to download snapshot: {type(error).__name__}"
            raise Wrong(words) from None
        finally:
            path.unlink(missing_ok=True)

    def _as_told(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.faults.without_checksums or self.faults.old:
            return row | {"checksum": None}
        return row | {"checksum": self.faults.checksum or row["checksum"]}


async def _received(part: Any, path: Path) -> None:
    with path.open("wb") as file:
        while piece := await part.read_chunk(_PIECE):
            file.write(piece)
