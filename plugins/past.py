"""What earlier runs knew, in plain data: of one check, and of a whole run.

The history fills it in before anything is shown; whoever shows it needs no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Past:
    """What the history knows of one check, as it came to its finding.

    Args:
        change: against the run that it is compared with: "new" (ill now, and was not), "worse"
            (ill then, and of a lower severity), "still" (ill then too), "fixed" (ill then, and well
            now), "" for what was and is not ill, or was not judged then.
        since: ISO moment since when its outcome has been what it is, "" when no run tells.
        first_seen: ISO moment at which it was first seen ill, "" for never.
        last_seen: ISO moment at which it was last seen ill, "" for never.
        flapping: it changed its mind so often in the last runs that the change says little.
    """

    change: str = ""
    since: str = ""
    first_seen: str = ""
    last_seen: str = ""
    flapping: bool = False


@dataclass(frozen=True)
class RunBefore:
    """One earlier run over the same host.

    Args:
        id: its id, as the journal has it.
        started: ISO moment.
        status: its exit status.
        seconds: how long it took.
        states: system -> the worst that was known of it: "P0" to "P3" where it was ill,
            "cannot_tell", "absent", or "healthy"; {} of a run that left out some of its checks.
    """

    id: str
    started: str
    status: int
    seconds: float
    states: Mapping[str, str] = field(default_factory=dict)
