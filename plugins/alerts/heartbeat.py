"""Pings in the manner of healthchecks.io: URL/start, then URL or URL/fail. Silence is the alarm.

They are sent by threads, one after the other; what hangs is left to itself at its deadline, and
nothing is told to be well that was not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from plugins.hosts import Host
from plugins.outcomes import CannotTell
from plugins.text import printable

_WAITS = (0.5, 1.5)  # seconds before each further try
_ONE_TRY_S = 5.0
_LEAST_S = 1.0  # a try that must be shorter only hides why the one before it failed
_LARGEST = 10_000  # bytes of a body


def placed(url: str, end: str) -> str:
    """Return the URL with a further part of its path, such as "fail"; its query stays."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + (f"/{end}" if end else "")
    return urlunsplit(parts._replace(path=path))


class Heartbeat:
    """The pings of one run.

    Args:
        url: that of success; a secret.
        seconds: for one ping with all its tries.
        mask: takes secrets out of what went wrong.

    Attributes:
        complaint: why the last ping was not taken, "" where it was.
    """

    def __init__(self, url: str, seconds: float, mask: Callable[[str], str]) -> None:
        self._url = url
        self._seconds = seconds
        self._mask = mask
        self._last: threading.Thread | None = None
        self.complaint = ""

    @property
    def busy(self) -> bool:
        """Whether the last ping is on its way."""
        return self._last is not None and self._last.is_alive()

    def ping(self, end: str, body: str) -> None:
        """Begin to ping; this ping waits for the one before it, but not for ever.

        Args:
            end: "start", "fail", or "" for success.
            body: what the service keeps beside it; it holds no secret.
        """
        before = self._last
        self._last = threading.Thread(
            target=self._go, args=(before, end, body), daemon=True, name="heartbeat"
        )
        self._last.start()

    def wait(self, seconds: float) -> str:
        """Wait for the last ping; return why it was not taken, "" where it was."""
        if self._last is None:
            return ""
        self._last.join(seconds)
        return f"no answer within {self._seconds:g} s" if self.busy else self.complaint

    def _go(self, before: threading.Thread | None, end: str, body: str) -> None:
        ends = time.monotonic() + self._seconds
        if before is not None:
            before.join(self._seconds / 2)
        for wait in (*_WAITS, None):
            left = ends - time.monotonic()
            why, final = self._asked(end, body, min(_ONE_TRY_S, max(left, 0.1)))
            if not why or final or wait is None or time.monotonic() + wait + _LEAST_S >= ends:
                break
            time.sleep(wait)
        self.complaint = printable(self._mask(why))

    def _asked(self, end: str, body: str, seconds: float) -> tuple[str, bool]:
        """Ping once; return what went wrong, and whether another try is of no use."""
        from plugins.endpoints.http import Http

        try:
            answer = Http(Host()).request(
                "POST",
                placed(self._url, end),
                body=body.encode()[:_LARGEST],
                deadline=seconds,
                verify=True,
                headers={"User-Agent": "agent-healthchecks", "Content-Type": "text/plain"},
            )
        except CannotTell as met:
            return str(met), False
        except ValueError as met:
            return f"no URL that can be asked: {met}", True
        if 200 <= answer.status < 300:
            return "", True
        return f"it answered {answer.status}", 300 <= answer.status < 500 and answer.status != 429
