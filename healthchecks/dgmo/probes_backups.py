"""The lock of the session backup."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.dgmo.system import Dgmo
from plugins import NotThere, TooBig, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Processes

_LONGEST_PID = 64  # bytes
_JUST_NOW = 60.0  # seconds in which a script may still write its number into its lock
_REUSED = 2.0  # seconds by which a process is younger than the lock that names it


@dataclass(frozen=True)
class StaleLock:
    """A lock that nobody holds.

    Args:
        path: the lock.
        why: what shows it.
        seen: its identity.
    """

    path: str
    why: str
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@probe
def stale_locks(
    system: Dgmo, filesystem: Filesystem, processes: Processes, machine: Machine
) -> tuple[StaleLock, ...]:
    """The lock of the session backup, where no backup is under way."""
    path = system.settings.path(system.settings.backup_lock)
    entry = filesystem.look(path)
    if entry is None:
        return ()
    if entry.kind != "file":
        return (StaleLock(path, f"it is a {entry.kind}, no file", entry.identity),)
    try:
        text = filesystem.read(path, _LONGEST_PID).decode("latin-1").strip()
    except NotThere:
        return ()  # the backup has just ended
    except TooBig:
        text = "?"
    if not (text.isascii() and text.isdigit()):
        if machine.now() - entry.mtime < _JUST_NOW:
            return ()
        return (StaleLock(path, "it names no process", entry.identity),)
    holder = processes.one(int(text))
    if holder is None or holder.zombie:
        return (StaleLock(path, f"process {text}, which it names, is no more", entry.identity),)
    if holder.started > entry.mtime + _REUSED:
        why = f"process {text} was started after it, and is another"
        return (StaleLock(path, why, entry.identity),)
    return ()
