"""The journals of one watch: it never ends, so it begins a new one when the one in use is long."""

from __future__ import annotations

from plugins.journal import shed
from plugins.run import Run, new_id

LARGEST = 4 << 20


class Journals:
    """The journals of one watch, the newest of them in use.

    Args:
        run: whose id names the journal in use.
        largest: bytes from which on a journal is not written on.
    """

    def __init__(self, run: Run, largest: int = LARGEST) -> None:
        self._run = run
        self._largest = largest
        self._former: list[str] = []

    def renew(self) -> None:
        """Begin a new journal where the one in use is long; let go of those that hold nothing."""
        path = self._run.state / "journal" / f"{self._run.id}.jsonl"
        try:
            if path.stat().st_size < self._largest:
                return
        except OSError:
            return
        self._former.append(self._run.id)
        self._run.id = new_id()
        self._former = shed(self._run.state, self._former)
