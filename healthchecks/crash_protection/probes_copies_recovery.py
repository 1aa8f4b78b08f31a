"""What the shipped recovery would put in the place of each copy, and what would be lost by it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from healthchecks.crash_protection.places import Conversation, Copy, Survey, survey
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.volume import Unseen
from plugins import Absent, CannotTell, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.records import RecordFile, record_files
from plugins.hosts import Host
from plugins.kept import Kept

_FIELD, _SECONDS = "type", 15.0


@dataclass(frozen=True)
class Loss:
    """A copy that the shipped recovery would take, and a better one."""

    taken: str
    better: str
    why: str

    def __str__(self) -> str:
        return f"{printable(self.taken)} {self.why} {printable(self.better)}"


@dataclass(frozen=True)
class Recovery:
    """What would be lost, and what of the origins could not be seen that may have it."""

    losses: tuple[Loss, ...]
    unseen: tuple[Unseen, ...]

    def whole(self) -> None:
        """Return when everything could be seen; raises CannotTell."""
        if self.unseen:
            raise CannotTell(printable(str(self.unseen[0])))


@probe(deadline=40.0)
def shipped_recovery(
    system: CrashProtection, filesystem: Filesystem, commands: Host, kept: Kept
) -> Recovery:
    """What would be lost by the recovery that is shipped: it takes the newest crash copy.

    What its conversation still has itself is not lost.
    """
    seen = survey(system, filesystem, commands, kept)
    chosen = _chosen(seen)
    if not chosen:
        raise Absent("a crash copy", (system.crash_recovery,))
    origins: dict[str, Conversation] = {one.key: one for one in seen.conversations}
    groups: dict[str, list[Copy]] = defaultdict(list)
    for copy in seen.copies:
        groups[copy.session].append(copy)
    risky = {
        key: copy
        for key, copy in chosen.items()
        if key not in origins or origins[key].size < max(one.size for one in groups[key])
    }
    # Where an origin is out of sight, nobody knows what it has.
    known = {key: copy for key, copy in risky.items() if key in origins or not seen.unseen}
    paths = [one.path for key in known for one in groups[key] if one.path != known[key].path]
    told = _judged(commands, [*paths, *(copy.path for copy in known.values())])
    losses = (_loss(copy, groups[key], told) for key, copy in known.items())
    unseen = seen.unseen if len(known) < len(risky) else ()
    return Recovery(tuple(loss for loss in losses if loss), unseen)


def _chosen(seen: Survey) -> dict[str, Copy]:
    """Return the copy that it would take for each session: what stands before the first `_`."""
    chosen: dict[str, Copy] = {}
    for copy in seen.copies:
        if copy.place == "crash-recovery":
            session = os.path.basename(copy.path).partition("_")[0]
            if session not in chosen or copy.mtime_ns > chosen[session].mtime_ns:
                chosen[session] = copy
    return {session: copy for session, copy in chosen.items() if copy.session == session}


def _judged(commands: Host, paths: Iterable[str]) -> dict[str, RecordFile]:
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in sorted(paths):
        by_folder[os.path.dirname(path)].append(path)
    told: dict[str, RecordFile] = {}
    for some in by_folder.values():
        # Other probes keep what they know of all files of these folders; this one asks for a few.
        rows = record_files(commands, some, _FIELD, cursor_folder=None, deadline=_SECONDS)
        told |= {row.path: row for row in rows}
    return told


def _loss(taken: Copy, copies: list[Copy], told: dict[str, RecordFile]) -> Loss | None:
    def sound(copy: Copy) -> bool:
        row = told[copy.path]
        return not (row.bad or row.trouble) and copy.size > 0

    best = max(copies, key=lambda copy: (sound(copy), copy.size))
    if sound(best) and not sound(taken):
        return Loss(taken.path, best.path, f"is damaged (line {told[taken.path].bad}), and not")
    if best.size > taken.size and sound(best) == sound(taken):
        return Loss(taken.path, best.path, f"has {best.size - taken.size} bytes less than")
    return None
