"""TCP and TLS to one address, inside one wall-clock limit, each failure with its own word."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit

from plugins.endpoints.meanings import meaning_of
from plugins.hosts import Host
from plugins.outcomes import (
    CannotTell,
    NotThere,
    TimedOut,
    WrongKind,
)
from plugins.text import printable

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Stage(StrEnum):
    """How far a request got; behind a proxy the first two are about the way to the proxy."""

    NAME = "DNS"
    CONNECTION = "TCP"
    PROXY = "proxy"
    SEAL = "TLS"
    ANSWER = "HTTP"


class Address(NamedTuple):
    """Where a URL leads: a host name or IP address without brackets, and a port."""

    name: str
    port: int

    def __str__(self) -> str:
        name = printable(self.name, 100)
        return f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether the address means the machine that asks, and no other."""
        if self.name.lower() == "localhost" or self.name.lower().endswith(".localhost"):
            return True
        try:
            number = ipaddress.ip_address(self.name.partition("%")[0])
        except ValueError:
            return False
        return number.is_loopback or number.is_unspecified


def address_of(url: str, schemes: tuple[str, ...]) -> Address:
    """Return where the URL leads.

    Raises:
        WrongKind: it is no URL of one of the schemes, or names no host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WrongKind(f"{printable(url)} is not a URL") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise WrongKind(f"{printable(url)} is not a URL of {' or '.join(schemes)}")
    return Address(parts.hostname, port or _PORTS[parts.scheme])


def from_here(host: Host, address: Address) -> None:
    """Refuse an address that means the watched machine itself when we are not on it.

    Raises:
        CannotTell: a loopback address of a far host.
    """
    if address.loopback and not host.is_local:
        raise CannotTell(
            f"{address} is a loopback address of {host.spec} and cannot be reached from here"
        )


class Dead:
    """The addresses that gave no answer in this look: each costs its deadline once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[Address, CannotTell] = {}

    @contextlib.contextmanager
    def at(self, address: Address) -> Iterator[None]:
        """Raise what the address is known for; remember a failure of the block."""
        with self._lock:
            known = self._failures.get(address)
        if known is not None:
            raise known.with_traceback(None)
        try:
            yield
        except WrongKind:
            # It answered, if in another language: who tries the other one is to get through.
            raise
        except CannotTell as failure:
            with self._lock:
                self._failures.setdefault(address, failure)
            raise


class Watch:
    """One wall-clock limit over everything that is done with a socket.

    At the limit the connection is shut down under whoever reads it; `fired` then tells that the
    end of the stream was ours, not the server's.

    Args:
        what: what is asked, for the sentence.
        limit: seconds from now.

    Attributes:
        stage: how far it got, where somebody keeps that up.
    """

    def __init__(self, what: str, limit: float) -> None:
        self.what = what
        self.stage = Stage.NAME
        self.limit = limit
        self._began = time.monotonic()
        self._ends = self._began + limit
        self._timer: threading.Timer | None = None

    @property
    def left(self) -> float:
        """Seconds left; never below a millisecond, as zero would mean no limit to a socket."""
        return max(0.001, self._ends - time.monotonic())

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def fired(self) -> bool:
        """Whether the limit has passed."""
        return time.monotonic() >= self._ends

    def over(self) -> TimedOut:
        """Return the failure to raise."""
        return TimedOut(self.what, self.limit)

    def guard(self, wire: socket.socket) -> socket.socket:
        """Shut the connection down at the limit, and return it.

        A duplicate is kept: TLS takes the descriptor away from the socket that it wraps.
        """
        twin = wire.dup()
        self.close()
        self._timer = threading.Timer(self.left, _shut, (twin,))
        self._timer.daemon = True
        self._timer.twin = twin  # type: ignore[attr-defined]
        self._timer.start()
        return wire

    def close(self) -> None:
        """Stop watching."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()
            timer.twin.close()  # type: ignore[attr-defined]

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, met: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _shut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


def dial(address: Address, watch: Watch) -> socket.socket:
    """Connect to the address and return the socket, guarded by the watch.

    Raises:
        NotThere: the name does not resolve.
        Refused: nobody listens there.
        NoPermission: a firewall or a sandbox of this machine forbids it.
        TimedOut: nothing answered inside the limit.
        CannotTell: there is no way to it.
    """
    last: OSError | None = None
    watch.stage = Stage.NAME
    rows = _resolve(address, watch)
    watch.stage = Stage.CONNECTION
    for family, kind, number, _, place in rows:
        wire = socket.socket(family, kind, number)
        wire.settimeout(watch.left)
        try:
            wire.connect(place)
        except OSError as error:
            wire.close()
            last = error
            if watch.fired:
                break
            continue
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return watch.guard(wire)
    raise meaning_of(last or OSError(), str(address), watch)


def _resolve(address: Address, watch: Watch) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    """Return getaddrinfo's rows; a resolver that hangs is left behind in its own thread."""
    found: list[list[tuple[int, int, int, str, tuple[object, ...]]]] = []
    failed: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(address.name, address.port, 0, socket.SOCK_STREAM)
            found.append([tuple(row) for row in rows])  # type: ignore[misc]
        except (OSError, UnicodeError) as error:
            failed.append(error)

    resolver = threading.Thread(target=look_up, daemon=True, name=f"resolve {address}")
    resolver.start()
    resolver.join(watch.left)
    if found:
        return found[0]
    if failed:
        raise NotThere(f"the name {printable(address.name, 100)} does not resolve") from None
    raise TimedOut(f"resolving {printable(address.name, 100)}", watch.limit)


def wrap(wire: socket.socket, address: Address, watch: Watch) -> ssl.SSLSocket:
    """Return the connection in TLS, http/1.1 offered alone, the certificate not verified.

    Raises:
        WrongKind: the other side does not speak TLS, or none that we do.
        TimedOut, Refused: as `dial`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # An HTTP/2 connection cannot be upgraded to a WebSocket.
    context.set_alpn_protocols(["http/1.1"])
    wire.settimeout(watch.left)
    try:
        return context.wrap_socket(wire, server_hostname=address.name)
    except (OSError, ValueError) as error:
        wire.close()
        raise meaning_of(error, f"TLS with {address}", watch) from None
