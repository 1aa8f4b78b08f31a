"""Envelopes and bodies of Qdrant's REST interface."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from plugins.worlds.qdrant_faults import Faults
from plugins.worlds.qdrant_shapes import Wrong


def told(result: Any) -> web.Response:
    """Return an answer in the envelope of one that went well."""
    return web.json_response({"result": result, "status": "ok", "time": 0.0001})


def refused(error: Wrong) -> web.Response:
    """Return an answer in the envelope of one that did not."""
    said = {"status": {"error": str(error)}, "time": 0.0001}
    return web.json_response(said, status=error.status)


async def asked(request: web.Request) -> dict[str, Any]:
    """Return the body as an object of JSON; none is an empty one."""
    text = await request.read()
    try:
        question = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise Wrong(f"Format error in JSON body: {error}") from None
    if not isinstance(question, dict):
        raise Wrong("Format error in JSON body: invalid type, expected an object")
    return question


def name_in(request: web.Request) -> str:
    """Return the collection's name in the path."""
    return request.match_info["name"]


def absent() -> web.Response:
    """Return the answer to a path that is none: 404, and nothing."""
    return web.Response(status=404, body=b"")


def room(faults: Faults) -> None:
    """Refuse to write where the disk is full."""
    if faults.full:
        raise Wrong("Insufficient storage: No space left on device", 507)
