"""What earlier runs would have kept, for worlds in which something grew from look to look."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from plugins.endpoints import history


def remembered(
    state: Path, question: tuple[str, ...], life: list[object], mib: Sequence[float]
) -> None:
    """Keep looks at the memory of one life of something, an hour and a little apart.

    Args:
        state: the state folder of the run that is to find them.
        question: as `plugins.endpoints.growth.grown` asks it.
        life: what tells one life from the next.
        mib: what was seen, the oldest first; the newest is about an hour old.
    """
    hours = range(len(mib), 0, -1)
    looks = [[time.time() - 3700 * hour, each] for hour, each in zip(hours, mib, strict=True)]
    history.keep(str(state / "cursors"), question, {"process": life, "looks": looks})
