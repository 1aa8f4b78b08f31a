"""What is seen of the folders of copies: what is missing, open, foreign, cut short or too old."""

from __future__ import annotations

import os
from dataclasses import dataclass

from healthchecks.crash_protection.system import CrashProtection
from plugins import Absent, CannotTell, Measure, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.machine import Machine
from plugins.eyes import held
from plugins.hosts import Host

DAY = 86_400
MB = 1_000_000
# The monitor's own files in the folder itself: they say nothing of what was talked about.
_OWN = ("README.md", "monitor", "periodic_backup", "simple_monitor", "session_count")


@dataclass(frozen=True)
class Open:
    """A file or folder that others than its owner can use, and the mode that it should have."""

    path: str
    mode: int
    right: int
    seen: str
    ours: bool

    def __str__(self) -> str:
        return f"{printable(self.path)} is {self.mode:04o}, not {self.right:04o}"


@dataclass(frozen=True)
class Foreign:
    """A file or folder of another owner than the home folder's."""

    path: str
    owner: str
    uid: int
    gid: int
    seen: str
    root: bool

    def __str__(self) -> str:
        return f"{printable(self.path)} belongs to {printable(self.owner, 40)}"


@dataclass(frozen=True)
class Missing:
    """A folder that is not there; `blocked` says what stands in its place, "" when nothing does."""

    path: str
    blocked: str

    def __str__(self) -> str:
        blocked = f": a {self.blocked} stands there" if self.blocked else ""
        return f"{printable(self.path)}{blocked}"


@dataclass(frozen=True)
class Left:
    """A file that should not lie there any more, and why."""

    path: str
    why: str
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@dataclass(frozen=True)
class Budget:
    """What the copies take, in MB, and for how many conversations."""

    taken: Measure
    conversations: int
    biggest: tuple[str, ...]


def tree(system: CrashProtection, filesystem: Filesystem) -> tuple[Entry, ...]:
    """Return everything below the folder of copies, two levels deep, no link followed.

    Raises:
        Absent: there is no such folder.
    """
    top = filesystem.look(system.folder)
    if top is None:
        raise Absent("the folder of copies", (system.folder,))
    entries = filesystem.walk(system.folder, depth=3, limit=1_000_000)
    # Somebody may have put a folder of copies on another disk; a fix does not go there.
    linked = [
        one.path
        for one in entries
        if one.kind == "link"
        and os.path.dirname(one.path) == system.folder
        and _led_to(one.path, filesystem) == "folder"
    ]
    beyond = (filesystem.folder(path, limit=1_000_000, follow=True) for path in linked)
    return (*entries, *(one for some in beyond for one in some))


def _dressed(system: CrashProtection, filesystem: Filesystem) -> tuple[Entry, ...]:
    """Return the folder of copies and what is in it, files and folders only."""
    entries = tree(system, filesystem)
    top = filesystem.look(system.folder)
    return tuple(one for one in (top, *entries) if one and one.kind in {"file", "folder"})


def our_uid(commands: Host) -> int:
    """Return the number of the user that a fix would be taken as; -1 where nothing tells it."""
    if commands.is_local:
        return os.geteuid()
    told = commands.run(("id", "-u"), deadline=5.0).text.strip()
    return int(told) if told.isdigit() and told.isascii() else -1


@probe(deadline=20.0, every=60.0)
def open_copies(
    system: CrashProtection, filesystem: Filesystem, commands: Host
) -> tuple[Open, ...]:
    """The files wider than 0600 and folders wider than 0700 in the folder of copies."""
    entries = _dressed(system, filesystem)
    uid = our_uid(commands)
    closed = not entries or not entries[0].mode & 0o077
    return tuple(
        Open(one.path, one.mode, right, one.identity, uid in {0, one.uid})
        for one in entries
        if one.mode & 0o777 & ~(right := 0o700 if one.kind == "folder" else 0o600)
        and not (closed and _monitors_own(system, one))
    )


def _monitors_own(system: CrashProtection, entry: Entry) -> bool:
    """Tell whether it is a file of the monitor's, which the closed folder keeps from others."""
    beside = os.path.dirname(entry.path) == system.folder and entry.kind == "file"
    return beside and entry.name.startswith(_OWN)


@probe(deadline=20.0, every=60.0)
def foreign_copies(
    system: CrashProtection, filesystem: Filesystem, commands: Host
) -> tuple[Foreign, ...]:
    """What in the folder of copies belongs to another user than the home folder."""
    home = filesystem.look(system.settings.path("~"))
    if home is None:
        raise Absent("a home folder", (system.settings.path("~"),))
    if home.kind == "link":
        home = filesystem.look(filesystem.resolve(home.path)) or home
    root = our_uid(commands) == 0
    return tuple(
        Foreign(one.path, one.owner, home.uid, home.gid, one.identity, root)
        for one in _dressed(system, filesystem)
        if one.uid != home.uid
    )


@probe
def missing_folders(system: CrashProtection, filesystem: Filesystem) -> tuple[Missing, ...]:
    """The folders of copies that are not there; a link that leads to a folder is one."""
    wanted = (
        system.folder,
        system.conversations,
        system.realtime,
        system.crash_recovery,
        system.exports,
    )
    found = []
    for path in wanted:
        entry = filesystem.look(path)
        kind: str = entry.kind if entry else ""
        if kind == "link":
            kind = _led_to(path, filesystem)
        if kind != "folder":
            found.append(Missing(path, kind))
    return tuple(found)


def _led_to(path: str, filesystem: Filesystem) -> str:
    try:
        entry = filesystem.look(filesystem.resolve(path))
    except CannotTell:
        return "link that leads nowhere"
    return entry.kind if entry else "link that leads nowhere"


@probe(deadline=20.0, every=60.0)
def cut_copies(
    system: CrashProtection, filesystem: Filesystem, machine: Machine, commands: Host
) -> tuple[Left, ...]:
    """Temporary files that no copy under way can own: old enough, and held open by nobody."""
    now, settings = machine.now(), system.settings
    candidates = {
        one.path: one
        for one in tree(system, filesystem)
        if one.kind in {"file", "link"} and one.name.endswith(".tmp")
        # A time ahead of the clock says nothing of a file's age; far ahead, it never would.
        if not -settings.clock_tolerance < now - one.mtime < settings.residue_seconds
    }
    busy = set(commands.call(held.open_now, list(candidates))) if candidates else set()
    return tuple(
        Left(path, f"{one.size} bytes, {_ago(now - one.mtime)}", one.identity)
        for path, one in candidates.items()
        if path not in busy
    )


def _ago(seconds: float) -> str:
    if seconds < 0:
        return "dated in the future"
    for unit, length in (("days", DAY), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit} old"
    return f"{seconds:.0f} seconds old"


@probe(deadline=20.0, every=3600.0)
def old_summaries(
    system: CrashProtection, filesystem: Filesystem, machine: Machine
) -> tuple[Left, ...]:
    """Exports and metadata that are older than what the backup's own clearing leaves."""
    now, days = machine.now(), system.settings.keep_days
    folders = (system.exports, system.metadata)
    return tuple(
        Left(one.path, f"{(now - one.mtime) / DAY:.0f} days old", one.identity)
        for one in tree(system, filesystem)
        if one.kind == "file" and os.path.dirname(one.path) in folders
        if now - one.mtime > days * DAY
    )


@probe(deadline=20.0, every=600.0)
def budget(system: CrashProtection, filesystem: Filesystem) -> Budget:
    """How much the copies take, and how much they may.

    What several copies of large conversations take by right is no excess: the longest copy of each
    counts several times.
    """
    longest: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for one in tree(system, filesystem):
        if one.kind != "file":
            continue
        sizes[one.path] = one.size
        if one.name.endswith(".jsonl"):
            session = one.name.removesuffix(".jsonl")
            if os.path.dirname(one.path) == system.crash_recovery:
                session = session.rpartition("_")[0] or session
            longest[session] = max(longest.get(session, 0), one.size)
    settings = system.settings
    share = max(1.0, len(longest) / max(1, settings.budget_conversations))
    own = settings.budget_copies * sum(longest.values()) / MB
    limit = max(settings.budget_mb * share, own)
    taken = Measure("the copies take", round(sum(sizes.values()) / MB, 1), "MB", round(limit, 1))
    biggest = sorted(sizes, key=lambda path: -sizes[path])[:5]
    words = tuple(f"{printable(path)}: {sizes[path] / MB:.1f} MB" for path in biggest)
    return Budget(taken, len(longest), words)
