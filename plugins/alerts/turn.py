"""One run at a time tells the receivers of a host: two at once would tell everything twice."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from plugins.journal import private_folder

_NAP_S = 0.05


@dataclass
class Turn:
    """The right to tell, which ends with the process that has it.

    Args:
        folder: the state folder.
        host: the spec of the host that is looked at.
        longest: seconds after which who has it was stopped, or hangs, and is waited for no more.
    """

    folder: Path
    host: str
    longest: float
    _held: int = -1
    _since: float = 0.0

    def taken(self) -> bool:
        """Take it, without waiting; tell whether we may tell now.

        Where no lock can be had at all, and where another run has had it for too long, we may:
        better twice than never.
        """
        if self._held >= 0:
            return True
        try:
            descriptor = os.open(self._path(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as why:
            os.close(descriptor)
            if not isinstance(why, BlockingIOError):
                return True  # a file system without locks
            self._since = self._since or time.monotonic()
            return time.monotonic() - self._since >= self.longest
        self._held, self._since = descriptor, 0.0
        return True

    def awaited(self, seconds: float) -> None:
        """Wait for it, but not longer than so many seconds: we tell then all the same."""
        ends = time.monotonic() + seconds
        while not self.taken() and time.monotonic() < ends:
            time.sleep(_NAP_S)

    def over(self) -> None:
        """Let the next one tell."""
        if self._held >= 0:
            with contextlib.suppress(OSError):
                os.close(self._held)
        self._held, self._since = -1, 0.0

    def _path(self) -> Path:
        name = hashlib.sha256(self.host.encode()).hexdigest()[:12]
        return private_folder(self.folder) / f"alerts-{name}.lock"
