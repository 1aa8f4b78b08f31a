"""The machine itself: memory, pressure, processors, clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from plugins.endpoints.errors import in_words
from plugins.endpoints.memory import Memory as Answers
from plugins.eyes import machine as eyes
from plugins.hosts import Host

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of memory; `limit` is that of the control group we are in (None: none below `total`).

    With a limit, `total` is the limit and `available` what is left under it.
    """

    total: int
    available: int
    limit: int | None

    @property
    def available_percent(self) -> float:
        """Share that is available, 0 to 100."""
        return 100.0 * self.available / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Pressure:
    """Percent of the last 10 s and 60 s in which some, or all, work waited for the resource."""

    some10: float
    some60: float
    full10: float
    full60: float


class Machine:
    """Looks at a machine, or at the container that we are in; each question once in a look.

    Args:
        host: the machine.
        proc: where its proc file system is mounted.
        sys: where its sys file system is mounted.

    Methods raise `NoPermission`, or `CannotTell` where the system does not offer the figure.
    """

    def __init__(self, host: Host, proc: str = "/proc", sys: str = "/sys") -> None:
        self._host = host
        self._proc = proc
        self._sys = sys
        self._answers = Answers()

    def memory(self) -> Memory:
        """Return how much memory there is and how much of it could still be taken."""
        return Memory(**self._ask("memory", eyes.memory, self._proc, self._sys))

    def pressure(self, kind: Literal["cpu", "memory", "io"]) -> Pressure | None:
        """Return the pressure on a resource, or None when this kernel does not count it."""
        found = self._ask(f"{kind} pressure", eyes.pressure, self._proc, kind)
        return None if found is None else Pressure(**found)

    def load(self) -> tuple[float, float, float]:
        """Return the load averages over 1, 5 and 15 minutes."""
        one, five, fifteen = self._ask("load", eyes.load)
        return one, five, fifteen

    def cpus(self) -> float:
        """Return how many processors may be used; a quota can make it a fraction."""
        return self._ask("processors", eyes.processors, self._proc, self._sys)

    def oom_kills(self) -> int:
        """Return how many processes were killed for lack of memory since boot."""
        return self._ask("kills for lack of memory", eyes.oom_kills, self._proc, self._sys)

    def booted(self) -> float:
        """Return when the machine was started, in seconds since 1970."""
        return self._ask("time of boot", eyes.booted, self._proc)

    def now(self) -> float:
        """Return the host's own clock at the first asking, in seconds since 1970."""
        return self._ask("clock", eyes.now)

    def clock_synchronised(self) -> bool | None:
        """Tell whether a time service sets the clock; None when the kernel does not say."""
        return self._ask("clock", eyes.synchronised)

    def zone(self) -> str:
        """Return the name of the time zone, or an empty string when none is set."""
        return self._ask("time zone", eyes.zone)

    def _ask(self, what: str, eye: Callable[..., T], *args: str) -> T:
        with in_words(what):
            return self._answers.once((eye, *args), partial(self._host.call, eye, *args))
