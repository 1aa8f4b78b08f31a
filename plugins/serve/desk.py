"""The serving process as its watch sees it: it is told things, and made anew where it is gone."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plugins.hosts import Started, start
from plugins.outcomes import CannotTell
from plugins.text import printable

_ANEW_AFTER = 10.0  # seconds between two beginnings anew
_PATIENCE_S = 5.0  # for it to take what it is told; it does nothing else that takes time
_PROGRAM = Path(__file__).with_name("__main__.py")


class Desk:
    """Hands things to a process that hands them out.

    The process has a socket of ours and ends when that closes, which it does however we end.

    Args:
        listening: the socket that it takes clients from; it is ours to close.
        rules: what it is told first, and once.
    """

    def __init__(self, listening: socket.socket, rules: Mapping[str, Any]) -> None:
        self._listening = listening
        self._told: dict[str, bytes] = {"rules": _message({"rules": rules}, ())}
        self._process: Started | None = None
        self._feed: socket.socket | None = None
        self._anew = -_ANEW_AFTER

    def open(self) -> str:
        """Begin; return what keeps it from that, "" when nothing does."""
        ours, its = socket.socketpair()
        ours.settimeout(_PATIENCE_S)
        keeps = (self._listening.fileno(), its.fileno())
        argv = (sys.executable, "-I", str(_PROGRAM))
        try:
            words = (*argv, *map(str, keeps))
            environment = {"LC_ALL": "C.UTF-8"}  # no secret of ours is in it
            self._process = start(words, environment, None, feeds=False, keeps=keeps)
        except CannotTell as why:
            ours.close()
            return str(why)
        finally:
            its.close()
        self._feed = ours
        return "" if self._send(b"".join(self._told.values())) else self._ended()

    def give(self, name: str, message: Any, bodies: Sequence[bytes] = ()) -> str:
        """Tell it something that replaces what it knew by that name.

        Args:
            name: "pages" or "round".
            message: what there is to know, as JSON types.
            bodies: bytes that belong to it.

        Returns:
            A sentence when the process was gone, or did not take it; else "".
        """
        self._told[name] = data = _message({name: message}, bodies)
        if self._send(data):
            return ""
        why = self._ended()
        if time.monotonic() - self._anew < _ANEW_AFTER:
            return why
        self._anew = time.monotonic()
        return self.open() or f"{why or 'the server was gone'}; it was begun anew"

    @property
    def pid(self) -> int:
        """The process's number; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def _send(self, data: bytes) -> bool:
        """Tell the process something; return whether it took it."""
        if self._process is None or self._feed is None or self._process.poll() is not None:
            return False
        try:
            self._feed.sendall(data)
        except OSError:
            return False
        return True

    def _ended(self) -> str:
        """End the process, and return a sentence that says how it was."""
        process, self._process = self._process, None
        if self._feed is not None:
            self._feed.close()
            self._feed = None
        if process is None:
            return ""
        status = process.poll()
        process.kill()  # it holds nothing that could be lost
        complaint = process.communicate()[1].decode("utf-8", "replace").strip().split("\n")[-1]
        if status is None:
            return "the server did not take what it was told"
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return printable(f"the server ended ({how}) {complaint}".rstrip(), 300)

    def close(self) -> None:
        """End it, and let the port go."""
        self._listening.close()
        self._ended()


def _message(told: Mapping[str, Any], bodies: Sequence[bytes]) -> bytes:
    head = json.dumps({**told, "sizes": [len(body) for body in bodies]})
    return b"".join([head.encode(), b"\n", *bodies])
