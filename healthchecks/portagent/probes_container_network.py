"""The container's way out: the networks that it is on, and whether names resolve inside."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from healthchecks.portagent.probes_container import masked, running
from healthchecks.portagent.provider import URL, USUAL
from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, TimedOut, printable, probe
from plugins.endpoints.docker import Container, Docker
from plugins.endpoints.proxying import VARIABLES, proxy_for
from plugins.hosts import Host
from plugins.redaction import Secret

HAS_A_NETWORK = "portagent.its_container_has_a_network"
_LIMIT = 64 << 10
_DEADLINE = 8.0
_ASK = "require('dns').lookup(process.argv.at(-1), why => process.exit(why ? 2 : 0))"
# Programs that a container may have for it; the first that is there is asked.
_RESOLVERS = (
    ("getent", "ahosts"),
    ("nslookup",),
    ("node", "-e", _ASK, "--"),
    ("bun", "-e", _ASK, "--"),
)


@dataclass(frozen=True)
class LostName:
    """A name that does not resolve inside.

    Args:
        name: of the host.
        said: what the resolver said.
        servers: the name servers that the container asks.
    """

    name: str
    said: str
    servers: tuple[str, ...]

    def __str__(self) -> str:
        asked = f"it asks {', '.join(self.servers)}" if self.servers else "it knows no name server"
        return f"{printable(self.name)}: {self.said}; {asked}"


def attached(one: Container) -> bool:
    """Tell whether a running container is on any network."""
    return bool(set(one.networks) - {"none"}) or one.settings.network_mode == "host"


@probe
def unattached(system: Portagent, commands: Host) -> str:
    """Why the container has no way out, "" where it has one."""
    _, one = running(system, commands)
    if attached(one):
        return ""
    if one.settings.network_mode == "none":
        return f"{one.name} was made with --network none"
    return f"{one.name} is attached to no network"


@probe(deadline=45.0)
def names_lost_inside(system: Portagent, commands: Host) -> tuple[LostName, ...]:
    """The name that the container needs most, where it does not resolve inside."""
    docker, one = running(system, commands)
    if not attached(one):
        raise Blocked(HAS_A_NETWORK, "the container has no network")
    name = needed_name(system, one)
    said = _resolved(docker, one, name)
    if not said:
        return ()
    return (LostName(name, said, _servers(docker, one)),)


def needed_name(system: Portagent, one: Container) -> str:
    """Return the host that it sends to: its proxy, else the provider.

    Raises:
        Absent: it is sent to an address, and no name is needed.
    """
    told = one.settings
    given = (Secret(system.settings.provider_url), told.variable(URL))
    url = next((value.reveal() for value in given if value), USUAL)
    pairs = {name: value.reveal() for name in VARIABLES if (value := told.variable(name))}
    url = proxy_for(url, pairs)[0] or url
    try:
        host = urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        host = ""
    if not host:
        raise CannotTell("the URL that its container sends to has no host in it")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    raise Absent("a name that it needs: it sends to an address", (one.name,))


def _resolved(docker: Docker, one: Container, name: str) -> str:
    """Return why the name does not resolve inside, "" where it does."""
    for resolver in _RESOLVERS:
        try:
            argv = (*resolver, name)
            status, said = docker.run_inside(one.id, argv, deadline=_DEADLINE)
        except TimedOut:
            return f"no answer within {_DEADLINE:g} s"
        if status in {126, 127}:
            continue
        lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
        last = next((line for line in reversed(lines) if line), f"status {status}")
        return masked(one, printable(last, 200)) if status else ""
    programs = ", ".join(resolver[0] for resolver in _RESOLVERS)
    raise CannotTell(f"nothing in {one.name} can be asked for a name: it has none of {programs}")


def _servers(docker: Docker, one: Container) -> tuple[str, ...]:
    """Return the name servers in the container's own resolv.conf, as far as it can be read."""

    def text(chunks: Iterable[bytes]) -> str:
        told = bytearray()
        for chunk in chunks:
            told += chunk
            if len(told) > _LIMIT:
                break
        return told[:_LIMIT].decode("utf-8", "replace")

    try:
        told = docker.read_inside(one.id, "/etc/resolv.conf", text, deadline=5.0)
    except (CannotTell, ValueError):
        return ()
    rows = (line.split() for line in told.splitlines())
    return tuple(printable(row[1], 60) for row in rows if row[:1] == ["nameserver"] and row[1:])
