"""What interrupted restores and consolidations left behind."""

from __future__ import annotations

import os
from dataclasses import dataclass

from healthchecks.dgmo.system import Dgmo
from plugins import CannotTell, NoPermission, NotThere, TooBig, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Processes

# The restore script keeps its logs and its copies from before a restore there: somebody may
# need them.
_KEPT = "session-restore-logs"
_NAMES = 100_000


@dataclass(frozen=True)
class Leftover:
    """A temporary folder or file that nobody uses any more.

    Args:
        path: where it is.
        hours: since anything in it was written.
        seen: its identity.
    """

    path: str
    hours: float
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: nothing was written there for {self.hours:.0f} hours"


@probe(deadline=30.0)
def temporary_leftovers(
    system: Dgmo, filesystem: Filesystem, machine: Machine, processes: Processes
) -> tuple[Leftover, ...]:
    """The temporary folders that are older than what may still be under way."""
    limit, now = system.settings.temporary_hours, machine.now()
    used = [one.cwd for one in processes.all() if one.cwd]
    found = []
    for path in system.temporary:
        entry = filesystem.look(path)
        if entry is None or entry.kind not in {"folder", "file"} or entry.name == _KEPT:
            continue
        hours = (now - _newest(filesystem, entry)) / 3600
        if hours > limit and not any(f"{cwd}/".startswith(f"{path}/") for cwd in used):
            found.append(Leftover(path, hours, entry.identity))
    return tuple(found)


def _newest(filesystem: Filesystem, entry: Entry) -> float:
    """Return when something of it was written last; it is as young as now where it is too large."""
    if entry.kind == "file":
        return entry.mtime
    try:
        below = filesystem.walk(entry.path, limit=_NAMES, lenient=True)
    except NotThere:
        return entry.mtime
    except (NoPermission, TooBig) as why:
        raise CannotTell(f"{os.path.basename(entry.path)}: {why}") from None
    return max([entry.mtime, *(one.mtime for one in below)])
