"""How long a WebSocket lasts on which nothing but pings and their answers is sent."""

from __future__ import annotations

import time
from dataclasses import dataclass

from plugins.endpoints.line import Line
from plugins.outcomes import Refused, WrongKind

_PING_EVERY = 20.0


@dataclass(frozen=True)
class Quiet:
    """A script that only pings, until the connection ends or has lasted so many seconds.

    Pings of the server are answered meanwhile.
    """

    seconds: float

    def __call__(self, line: Line) -> tuple[float, str]:
        """Seconds that it lasted, and what ended it."""
        began = time.monotonic()
        pause = min(_PING_EVERY, self.seconds / 4)
        while (lasted := time.monotonic() - began) < self.seconds:
            try:
                line.ping(within=pause)
                line.receive("close of an idle connection", within=pause)
            except (Refused, WrongKind) as met:
                return time.monotonic() - began, str(met)
        return lasted, "we closed it"
