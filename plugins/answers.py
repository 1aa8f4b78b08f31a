"""Questions under way: each is asked in a thread of its own and given up at its deadline."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from plugins.crashes import guarded
from plugins.crew import Crew
from plugins.outcomes import NoFact, TimedOut


class NotReached(NoFact):
    """The run's own deadline passed before the look was over."""


class Answer:
    """One question under way: begun in a thread, waited for by whoever needs it.

    Args:
        what: what is looked at, in a few words.
        deadline: seconds.
        ask: looks.
        after: another question that `ask` waits for first; its time is not counted here.
        crew: whose threads look; without one, it is a thread for this question alone.
    """

    def __init__(
        self,
        what: str,
        deadline: float,
        ask: Callable[[], Any],
        after: Answer | None = None,
        crew: Crew | None = None,
    ) -> None:
        self.what = what
        self.deadline = deadline
        self.seconds = 0.0
        self._ask: Callable[[], Any] | None = ask
        self._after = after
        self._value: Any = None
        self._error: NoFact | None = None
        self._done = threading.Event()
        self._asked = self._over = time.monotonic()
        self.original = self
        (crew or Crew(idle=0.0)).begin(self._look)

    def given_up(self) -> Answer:
        """Return an answer that stands for this one, which hangs, in a later round."""
        other = copy.copy(self)
        other.original, other._after = self.original, None
        other._done = threading.Event()
        other._error = TimedOut(f"looking at {self.what}", self.deadline)
        other._done.set()
        return other

    def _look(self) -> None:
        if self._after is not None:
            self._after.wait(math.inf)
        began = time.monotonic()
        ask, self._ask = self._ask, None
        assert ask is not None
        try:
            self._value = guarded(f"looking at {self.what}", ask)
        except NoFact as why:
            self._error = why
        self._over = time.monotonic()
        self.seconds = self._over - began
        self._done.set()
        self._after = None  # an answer that is kept keeps nothing else

    @property
    def _ends(self) -> float:
        """When it is given up, on the monotonic clock."""
        after = self._after
        return (after.over if after is not None else self._asked) + self.deadline

    @property
    def over(self) -> float:
        """When it was over, or will be given up."""
        return self._over if self._done.is_set() else self._ends

    @property
    def met(self) -> NoFact | None:
        """What the look met instead of a fact; None while it goes on."""
        return self._error

    def ended(self) -> bool:
        """Tell whether the look itself is over; one that was given up may go on."""
        return self._done.is_set()

    def done(self) -> bool:
        """Tell whether the look is over or past its deadline."""
        return self._done.is_set() or time.monotonic() > self._ends

    def wait(self, until: float) -> None:
        """Wait until the look is over, its deadline, or a moment on the monotonic clock."""
        after = self._after
        if after is not None:
            after.wait(until)
        while not self._done.is_set():
            left = min(self._ends, until) - time.monotonic()
            if left <= 0:
                return
            self._done.wait(left)

    def get(self, until: float) -> Any:
        """Wait for the answer.

        Args:
            until: the run's own deadline on the monotonic clock.

        Raises:
            NoFact: what the look met; `TimedOut` past its deadline, `NotReached` past the run's.
        """
        self.wait(until)
        if not self._done.is_set():
            self.seconds = time.monotonic() - self._asked
            if time.monotonic() < self._ends:
                raise NotReached(f"{self.what} was still being looked at")
            raise TimedOut(f"looking at {self.what}", self.deadline)
        if self._error is not None:
            # Each raise adds to a traceback: a fact that is kept for days must not grow.
            raise self._error.with_traceback(None)
        return self._value

    def let_go(self) -> None:
        """Keep what was met as a sentence only: its traceback holds all that the look held."""
        if self._error is not None:
            self._error.__traceback__ = self._error.__cause__ = self._error.__context__ = None
