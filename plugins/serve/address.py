"""Where to listen, and who may ask: what `--serve` and its variable say."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from plugins.redaction import Secret
from plugins.serve import VARIABLE

SHORTEST = 16
_LOOPBACK = "127.0.0.1"
_BACKLOG = 512  # clients that wait until there is somebody to serve them
_SENT = 256 << 10  # bytes that the kernel keeps for a client that does not take them
_PATIENCE_S = 1.0  # a former server goes as soon as its watch is gone
_FORM = re.compile(
    r"(?:(?P<host>[^\s:\[\]/@]+|\[(?P<six>[0-9A-Fa-f:.%\w]+)\]):)?(?P<port>[0-9]{1,5})"
)
_WANTED = "HOST:PORT is wanted, such as 127.0.0.1:8080 or [::1]:8080; PORT alone is of 127.0.0.1"


class Unusable(Exception):  # noqa: N818 - it is no error of ours; the message is for a person
    """What was asked for cannot be had; the message says why, and what can be done."""


@dataclass(frozen=True)
class Place:
    """Where to listen.

    Args:
        host: a name or an address, without brackets.
        port: 0 for any that is free.
    """

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Place:
        """Return what was typed; raises `Unusable`."""
        match = _FORM.fullmatch(text)
        if match is None or int(match["port"]) > 65535:
            raise Unusable(_WANTED)
        return cls(match["six"] or match["host"] or _LOOPBACK, int(match["port"]))


def token_in(environment: Mapping[str, str]) -> Secret:
    """Return the token that clients must name; it is empty where none is set.

    Raises:
        Unusable: it is too short, or no header can carry it.
    """
    token = environment.get(VARIABLE, "")
    make = f"make one: export {VARIABLE}=$(openssl rand -hex 24)"
    if token and not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", token):
        raise Unusable(f"{VARIABLE} has a sign that no bearer token has; {make}")
    if token and len(token) < SHORTEST:
        raise Unusable(f"{VARIABLE} is shorter than {SHORTEST} characters; {make}")
    return Secret(token)


def listening(place: Place, *, guarded: bool) -> socket.socket:
    """Return a socket that listens there.

    Args:
        place: where.
        guarded: whether a token is demanded; without, none but this machine's own may ask.

    Raises:
        Unusable: it cannot be had.
    """
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no name of a machine"
        raise Unusable(f"{place.host}: {why}") from None
    # A name of both kinds (localhost) is that of the older one: whoever tries ::1 goes on to it.
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    if not (guarded or is_loopback(str(address[0]))):
        raise Unusable(
            f"{place.host} is reached from other machines, and the report holds private things:"
            f" set {VARIABLE} to a token that clients must name, or listen on {_LOOPBACK}"
        )
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT)
        _bind(made, address)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise Unusable(_in_words(place, error)) from None
    return made


def is_loopback(address: str) -> bool:
    """Tell whether none but this machine reaches the address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _bind(made: socket.socket, address: object) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while True:
        try:
            made.bind(address)  # type: ignore[arg-type]
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


def _in_words(place: Place, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        find = f"ss -ltnp 'sport = :{place.port}'"
        return f"port {place.port} is taken; `{find}` says by whom. Name another port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{place.host} is no address of this machine"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"we may not listen on port {place.port}: name one above 1023"
    return f"{place.host} port {place.port}: {error.strerror}"


def url(made: socket.socket) -> str:
    """Return how a socket that listens is called, as a URL without a path."""
    host, port = made.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
