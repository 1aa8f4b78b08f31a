"""The names by which probes and tests ask for endpoints; each is imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

from plugins.hosts import Host

ENDPOINTS = {
    "certificates": ("plugins.endpoints.certificates", "Certificates"),
    "commands": ("plugins.hosts", "Host"),
    "docker": ("plugins.endpoints.docker", "Docker"),
    "filesystem": ("plugins.endpoints.filesystem", "Filesystem"),
    "http": ("plugins.endpoints.http", "Http"),
    "json_folders": ("plugins.endpoints.json_folders", "JsonFolders"),
    "logs": ("plugins.endpoints.logs", "Logs"),
    "machine": ("plugins.endpoints.machine", "Machine"),
    "mcp": ("plugins.endpoints.mcp", "Mcp"),
    "processes": ("plugins.endpoints.processes", "Processes"),
    "qdrant": ("plugins.endpoints.qdrant", "Qdrant"),
    "sockets": ("plugins.endpoints.sockets", "Sockets"),
    "sqlite": ("plugins.endpoints.sqlite", "Sqlite"),
    "systemd": ("plugins.endpoints.systemd", "Systemd"),
    "websocket": ("plugins.endpoints.websocket", "WebSockets"),
}


def endpoint(name: str, host: Host) -> Any:
    """Return a new endpoint on the host; `commands` is the host itself.

    Raises:
        KeyError: no endpoint has this name.
    """
    module, kind = ENDPOINTS[name]
    if name == "commands":
        return host
    return getattr(importlib.import_module(module), kind)(host)
