"""Where the Docker engine is asked: as the docker program itself finds it."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from plugins.endpoints.docker import Docker
from plugins.eyes import naming, reading
from plugins.hosts import Host
from plugins.outcomes import CannotTell

if TYPE_CHECKING:
    from healthchecks.crash_protection.system import Settings

_USUAL = "/var/run/docker.sock"
# Docker Desktop's and a rootless engine's own, below the home folder or the user's runtime folder.
_OWN = (".docker/run/docker.sock", ".docker/desktop/docker.sock")
_TOOLS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
_LIMIT = 1 << 20


def engine_url(settings: Settings, commands: Host) -> str:
    """Return where the engine is asked, "" where this host has none."""
    ours = os.environ.get("DOCKER_HOST", "") if commands.is_local else ""
    named = settings.docker_url or ours or _of_context(settings, commands)
    if named:
        return named
    home = settings.path("~")
    sockets = [_USUAL, "/run/docker.sock", *(f"{home}/{path}" for path in _OWN)]
    seen = commands.call(reading.at, [home, *sockets], 0)
    uid = seen[home]["uid"]
    rootless = f"/run/user/{uid}/docker.sock"
    seen |= commands.call(reading.at, [rootless], 0)
    # A rootless engine's socket is there only while it runs; the usual one may be left behind.
    for path in (rootless, *sockets):
        if seen[path]["kind"] != "missing":
            return f"unix://{path}"
    installed = commands.call(naming.programs, ["docker"], _TOOLS)["docker"]
    return f"unix://{_USUAL}" if installed else ""


def _of_context(settings: Settings, commands: Host) -> str:
    """Return the endpoint of the context that the docker program is set to, "" for the default."""
    folder = settings.path("~/.docker")
    name = _text(_read(commands, f"{folder}/config.json").get("currentContext"))
    if not name or name == "default":
        return ""
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()
    told = _read(commands, f"{folder}/contexts/meta/{digest}/meta.json").get("Endpoints")
    docker = told.get("docker") if isinstance(told, dict) else None
    url = _text(docker.get("Host")) if isinstance(docker, dict) else ""
    # An engine on another machine has volumes of its own.
    return url if url.startswith("unix://") else ""


def _read(commands: Host, path: str) -> dict[str, object]:
    row = commands.call(reading.at, [path], _LIMIT)[path]
    try:
        told = json.loads(str(row["text"])) if row["kind"] == "file" else {}
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else ""


def has_volume(settings: Settings, commands: Host) -> bool:
    """Tell whether the engine answers and knows the volume of conversations."""
    url = engine_url(settings, commands) if settings.volume else ""
    try:
        return bool(url) and any(
            one.name == settings.volume for one in Docker(commands, url).volumes()
        )
    except CannotTell:
        return False
