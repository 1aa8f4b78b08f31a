"""What sockets, TLS and HTTP libraries raise, in the words of our outcomes."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plugins.outcomes import CannotTell, NoPermission, NotThere, Refused, TimedOut, WrongKind

if TYPE_CHECKING:
    from plugins.endpoints.wires import Watch


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what lies under it, deepest chains of other libraries included."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        here = waiting.pop(0)
        if id(here) in seen:
            continue
        seen.add(id(here))
        yield here
        under = (*here.args, getattr(here, "reason", None), here.__cause__, here.__context__)
        waiting.extend(one for one in under if isinstance(one, BaseException))


# The standard library's words when a proxy declines CONNECT; the status alone is told.
_DECLINED = re.compile(r"Tunnel connection failed: (\d{3})\b")
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}


def meaning_of(error: BaseException, what: str, watch: Watch) -> CannotTell:
    """Return the outcome for whatever a socket, TLS or HTTP library raised."""
    chain = list(causes(error))
    for one in chain:
        if isinstance(one, CannotTell):
            return one
    if watch.fired:
        return watch.over()
    for one in chain:
        if (known := _known(one, what, watch)) is not None:
            return known
    # Only the kind is told: a library's message may quote headers or addresses with passwords.
    return WrongKind(f"{what}: not a sensible answer ({type(chain[-1]).__name__})")


def _known(one: BaseException, what: str, watch: Watch) -> CannotTell | None:
    if isinstance(one, ssl.SSLCertVerificationError):
        return WrongKind(f"{what}: its certificate is not trusted ({one.verify_message})")
    if isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return WrongKind(f"{what}: closed the connection during TLS")
    if isinstance(one, ssl.SSLError):
        return WrongKind(f"{what}: does not speak TLS with us ({one.reason or 'rubbish'})")
    if isinstance(one, TimeoutError):
        return TimedOut(watch.what, watch.limit)
    if isinstance(one, ConnectionRefusedError):
        return Refused(f"{what}: connection refused; nobody listens there")
    if isinstance(one, ConnectionError):
        return WrongKind(f"{what}: closed the connection without an answer")
    if isinstance(one, socket.gaierror):
        return NotThere(f"{what}: the name does not resolve")
    if isinstance(one, PermissionError):
        return NoPermission(f"{what}: we may not connect to it")
    if isinstance(one, FileNotFoundError):
        return NotThere(f"{what}: not there")
    if isinstance(one, OSError) and (declined := _DECLINED.match(str(one))):
        return Refused(f"{what}: the proxy does not let us through (HTTP {declined[1]})")
    if isinstance(one, OSError) and one.errno in _NO_WAY:
        return CannotTell(f"{what}: no way to it ({one.strerror})")
    return None
