"""TCP sockets of a host: who listens, and who is connected."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from plugins.endpoints.errors import in_words
from plugins.endpoints.memory import Memory
from plugins.eyes import tcp
from plugins.hosts import Host


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that takes connections; `pid` is 0 and `program` empty if its holder is unseen."""

    address: str
    port: int
    family: Literal["ipv4", "ipv6"]
    pid: int
    program: str
    uid: int

    @property
    def beyond_loopback(self) -> bool:
        """Whether other machines could reach it, as far as the address goes."""
        return not _is_loopback(self.address)


@dataclass(frozen=True, slots=True)
class Connection:
    """One end of a connection, the one at the local port; `state` as ss names it (established…)."""

    local: str
    local_port: int
    remote: str
    remote_port: int
    state: str
    pid: int


class Sockets:
    """Looks at a host's TCP sockets, of the network name space that /proc shows, once in a look.

    Every method may raise `CannotTell` on a host without /proc/net.
    """

    def __init__(self, host: Host, proc: str = "/proc") -> None:
        self._host = host
        self._proc = proc
        self._memory = Memory()

    def listeners(self) -> tuple[Listener, ...]:
        """Return every listening socket, by port."""
        with in_words("listening sockets"):
            return self._memory.once("listeners", self._listeners)

    def on(self, port: int) -> tuple[Listener, ...]:
        """Return the sockets that listen on a port; several may, at different addresses."""
        return tuple(one for one in self.listeners() if one.port == port)

    def connections(self, port: int) -> tuple[Connection, ...]:
        """Return the connections whose local end is at a port."""
        with in_words(f"connections of port {port}"):
            return self._memory.once(("connections", port), lambda: self._connections(port))

    def _listeners(self) -> tuple[Listener, ...]:
        rows = self._host.call(tcp.table, self._proc, True, 0)["rows"]
        found = (
            Listener(
                address=row["local"],
                port=row["local_port"],
                family=row["family"],
                pid=row["pid"],
                program=row["program"],
                uid=row["uid"],
            )
            for row in rows
        )
        return tuple(sorted(found, key=lambda one: (one.port, one.address)))

    def _connections(self, port: int) -> tuple[Connection, ...]:
        return tuple(
            Connection(
                local=row["local"],
                local_port=row["local_port"],
                remote=row["remote"],
                remote_port=row["remote_port"],
                state=row["state"],
                pid=row["pid"],
            )
            for row in self._host.call(tcp.table, self._proc, False, port)["rows"]
        )


def _is_loopback(address: str) -> bool:
    known = ipaddress.ip_address(address)
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return known.is_loopback
