"""What earlier runs over the host in small came to, in a real history."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from plugins.finding import Finding, Measure, Outcome, Severity

from .system import GIB

if TYPE_CHECKING:
    from plugins.run import Run


def keep_room(run: Run, folder: str, times: Mapping[int, float]) -> None:
    """Keep runs that saw more or less room than there is, in the history that this run will read.

    Args:
        run: over the same host.
        folder: whose file system has the room.
        times: for days ago, how many times the free room of now was free.
    """
    from plugins.history.store import Ran, Store
    from plugins.history.subject import Subject

    seen = os.statvfs(folder)
    store, subject = Store(run.state, 90, None), Subject.of(run)
    for days in sorted(times, reverse=True):
        gib = seen.f_bavail * seen.f_frsize / GIB * times[days]
        ran = Ran(
            id=f"{days:03d}",
            started=time.time() - 86_400.0 * days,
            seconds=1.0,
            status=0,
            tally={"states": {}},
            findings=(_room(Measure(f"free on {folder}", round(gib, 2), "GiB")),),
        )
        store.keep(subject, ran)


def _room(measure: Measure) -> Finding:
    title = "Every file system that holds a watched system's data has room"
    words = ("host.disks_have_room", "host", Severity.P1, Outcome.HEALTHY, title)
    return Finding(*words, measures=(measure,))
