"""What nginx's configuration says of the server's port."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.pocket_agent.system import PocketAgent
from plugins import probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.nginx_files import passing_on
from plugins.endpoints.proxied import Proxied


@dataclass(frozen=True)
class Proxies:
    """The places that pass requests on to the server.

    Args:
        sockets: those that carry WebSockets.
        patience: how long each should wait for the server, in seconds.
    """

    sockets: tuple[Proxied, ...]
    patience: float


@probe
def proxies(system: PocketAgent, filesystem: Filesystem) -> Proxies:
    """The places of nginx's configuration that pass WebSockets on to the server."""
    settings = system.settings
    names = {settings.address, settings.server_name.lower()}
    places = settings.paths(settings.proxy_configs)
    sockets = passing_on(filesystem, places, system.port, names, settings.socket_path)
    return Proxies(sockets, settings.proxy_timeout)
