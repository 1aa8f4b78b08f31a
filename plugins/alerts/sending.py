"""Orders given to the sender, which is a process of its own; nobody waits longer than agreed."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO

from plugins.alerts import sender
from plugins.hosts import Host
from plugins.outcomes import CannotTell
from plugins.text import printable

_GRACE_S = 2.0  # for the start and the end of the process, beside what it does
_HEARD_S = 0.1  # between two looks at what is done so far


@dataclass(frozen=True)
class Order:
    """A message to one receiver.

    Args:
        variable: that holds the URL.
        title: a line.
        blocks: what stands below it, the most important first; the last ones may be left out.
        kind: "failure", "warning", "success" or "info".
    """

    variable: str
    title: str
    blocks: tuple[str, ...]
    kind: str


class Sending:
    """Orders on their way.

    Args:
        orders: what is to be sent.
        seconds: for all of it.
        mask: takes secrets out of what went wrong.
    """

    def __init__(self, orders: Sequence[Order], seconds: float, mask: Callable[[str], str]) -> None:
        self._orders = tuple(orders)
        self._seconds = seconds
        self._mask = mask
        self._outcome: dict[str, str] | None = None
        self._named, self._done = _report()
        # A daemon: where somebody ends the program, it ends; the sender has a deadline of its own.
        self._thread = threading.Thread(target=self._send, daemon=True, name="alerts")
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether all that could be sent was."""
        return not self._thread.is_alive()

    def taken(self) -> frozenset[str]:
        """Return the variables whose order is done so far."""
        if self._done is None or self._done.closed:
            return frozenset()
        self._done.seek(0)
        return frozenset(self._done.read().decode().split("\n")[:-1])

    def outcome(
        self,
        wait: float | None = None,
        heard: Callable[[frozenset[str]], None] = lambda _: None,
    ) -> dict[str, str]:
        """Wait for the end, and return why each variable's order was not done, "" where it was.

        Args:
            wait: seconds; None for as long as was agreed.
            heard: is told meanwhile what is done: who waits may be ended at any moment.
        """
        ends = time.monotonic() + (self._seconds + 2 * _GRACE_S if wait is None else wait)
        while not self.ended and (left := ends - time.monotonic()) > 0:
            self._thread.join(min(left, _HEARD_S))
            heard(self.taken())
        if self._done is not None:
            self._done.close()
        late = f"no answer within {self._seconds:g} s"
        return self._outcome or {order.variable: late for order in self._orders}

    def _send(self) -> None:
        asked = {
            "seconds": self._seconds,
            "orders": [asdict(order) for order in self._orders],
            "done": self._named,
        }
        argv = (sys.executable, "-P", sender.__file__)
        why = ""
        outcome: dict[str, str] = {}
        try:
            ran = Host().run(
                argv,
                deadline=self._seconds + _GRACE_S,
                stdin=json.dumps(asked).encode(),
                limit=1 << 16,
            )
            outcome = json.loads(ran.out) if ran.out else {}
            why = ran.complaint or f"the sender ended with status {ran.status}"
        except CannotTell as met:
            why = str(met)
        except ValueError:
            why = "the sender said nothing that can be read"
        if self._named:
            with contextlib.suppress(OSError):
                os.unlink(self._named)  # the sender does so itself, where it came so far
        self._outcome = {
            order.variable: printable(self._mask(outcome.get(order.variable, why)))
            for order in self._orders
        }


def _report() -> tuple[str, BinaryIO | None]:
    """Return the name of a file in which the sender tells what is done, and the file to read."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="health-alerts-")
    except OSError:
        return "", None  # it is known at the end, then
    return name, open(descriptor, "rb")
