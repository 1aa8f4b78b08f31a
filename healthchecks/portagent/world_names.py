"""A name server of a world: it knows a few names, and answers over UDP on a loopback address."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Mapping

_PORT = 53  # a container asks no other


class NameServer:
    """A real name server; it answers until it is closed.

    Args:
        known: name -> IPv4 address; any other name does not exist.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = {name.lower(): address for name, address in known.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = loopback()
        self._socket.bind((self.address, _PORT))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                asked, who = self._socket.recvfrom(512)
                with contextlib.suppress(IndexError, UnicodeDecodeError):
                    self._socket.sendto(self._answer(asked), who)

    def _answer(self, asked: bytes) -> bytes:
        """Return the answer to one question: its head, the question again, and what is known."""
        labels, place = [], 12
        while size := asked[place]:
            labels.append(asked[place + 1 : place + 1 + size].decode("ascii"))
            place += 1 + size
        question = asked[12 : place + 5]
        address = self._known.get(".".join(labels).lower())
        wants_address = question[-4:-2] == b"\0\1"
        found = b""
        if address is not None and wants_address:
            data = socket.inet_aton(address)
            found = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + data  # the name of the question, 60 s
        status = b"\x81\x80" if address is not None else b"\x81\x83"
        counts = b"\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0"
        return asked[:2] + status + counts + question + found

    def close(self) -> None:
        """Answer nobody any more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def loopback() -> str:
    """Return a loopback address that nobody else is likely to use."""
    return (
        f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.{secrets.randbelow(250) + 2}"
    )
