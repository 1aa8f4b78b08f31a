"""Threads that look: one that is free looks again, and where none is free there is one more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

IDLE_S = 60.0


class Crew:
    """Does pieces of work at once, each in a thread; none waits for another one's end.

    To begin a thread is dearer than most looks, and a watch looks again and again. There are as
    many threads as there was work at once: one that hangs is gone for good, and one that has had
    nothing to do for a while ends.

    Args:
        idle: seconds for which a thread without work is kept.
    """

    def __init__(self, idle: float = IDLE_S) -> None:
        self._idle_s = idle
        self._lock = threading.Lock()
        self._free = 0  # threads that wait for work which nobody has promised them
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def begin(self, work: Callable[[], None]) -> None:
        """Begin a piece of work; it must not raise anything."""
        with self._lock:
            promised = self._free > 0
            self._free -= promised
        self._work.put(work)
        if not promised:
            # A daemon: a look at a dead mount must not keep the program from ending.
            threading.Thread(target=self._go_on, daemon=True, name="looks").start()

    def _go_on(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=self._idle_s)
            except Empty:
                if self._dismissed():
                    return
                continue
            work()
            del work  # what was seen is not kept by who looked
            with self._lock:
                self._free += 1

    def _dismissed(self) -> bool:
        with self._lock:
            if self._free == 0:  # work was promised to it at the last moment
                return False
            self._free -= 1
            return True
