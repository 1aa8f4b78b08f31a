"""What is seen of message logs from outside, of the links to them, and of interrupted writes."""

from __future__ import annotations

import os.path
from dataclasses import dataclass

from healthchecks.pocket_agent.message_folders import (
    GUIDES_LIVE,
    LINK,
    MessageFolder,
    ProjectTree,
    message_folders,
    project_tree,
)
from healthchecks.pocket_agent.system import PocketAgent
from plugins import printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.eyes import held, reading
from plugins.hosts import Host

DAY = 86_400


@dataclass(frozen=True)
class Leftover:
    """A file that lies where it should not.

    Args:
        path: the file.
        why: what it is, in a few words.
        seen: its identity.
    """

    path: str
    why: str
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@dataclass(frozen=True)
class WrongLink:
    """A current.jsonl that does not lead to the newest message log.

    Args:
        path: the link, there or not.
        why: what is wrong, in a few words.
        seen: the link's identity, "" when it is not there.
        newest: the name that it should lead to, "" when there is no log.
        blocking: the stale current.jsonl.tmp, None when there is none.
    """

    path: str
    why: str
    seen: str
    newest: str
    blocking: Leftover | None

    def __str__(self) -> str:
        return f"{printable(self.path)} {self.why}"


@dataclass(frozen=True)
class OldLog:
    """A rotated message log that should be smaller or gone, and why."""

    path: str
    why: str
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@probe(deadline=20.0)
def wrong_links(
    system: PocketAgent, filesystem: Filesystem, commands: Host
) -> tuple[WrongLink, ...]:
    """The current.jsonl of each project that dangles, is blocked or leads to an older log."""
    tree = project_tree(system, filesystem)
    latest = commands.call(reading.now) - system.settings.residue_seconds
    folders = message_folders(system, tree)
    found = tuple(link for folder in folders if (link := _wrong_link(folder, latest)))
    tree.told(found)
    return found


def _wrong_link(folder: MessageFolder, latest: float) -> WrongLink | None:
    link, temporary = folder.entries.get(LINK), folder.entries.get(f"{LINK}.tmp")
    if folder.guide:
        return _needless(folder, link)
    newest = folder.newest
    blocking = None
    if temporary and temporary.mtime < latest:
        blocking = Leftover(temporary.path, "blocks the link", temporary.identity)
    why = _fault_of(folder, link, newest, latest)
    if blocking and not why:
        why = "cannot be renewed: a stale current.jsonl.tmp stands in its way"
    if not why:
        return None
    path = os.path.join(folder.path, LINK)
    return WrongLink(path, why, link.identity if link else "", newest, blocking)


def _needless(folder: MessageFolder, link: Entry | None) -> WrongLink | None:
    """The link that leads nowhere in a folder of the guide's, whose live log is no link."""
    target = link.target.removeprefix("./") if link and link.kind == "link" else ""
    if link is None or not target or "/" in target or target in folder.entries:
        return None
    why = f"leads to {printable(target)}, which is not there"
    return WrongLink(link.path, why, link.identity, "", None)


def _fault_of(folder: MessageFolder, link: Entry | None, newest: str, latest: float) -> str:
    if link is None or link.kind != "link":
        return ""
    target = link.target.removeprefix("./")
    if "/" in target:
        return f"leads out of its folder, to {printable(link.target)}"
    if target not in folder.entries:
        return f"leads to {printable(target)}, which is not there"
    # While the server rotates, the new log is there a moment before the link to it.
    if target < newest and folder.entries[newest].mtime < latest:
        return f"leads to {printable(target)}, and {printable(newest)} is newer"
    return ""


@probe(deadline=20.0)
def empty_strays(system: PocketAgent, filesystem: Filesystem) -> tuple[Leftover, ...]:
    """Each empty messages_current.jsonl, which the real server never writes."""
    strays = _strays(system, filesystem)
    return tuple(Leftover(e.path, "empty", e.identity) for e in strays if not e.size)


@probe(deadline=20.0)
def full_strays(system: PocketAgent, filesystem: Filesystem) -> tuple[Leftover, ...]:
    """Each messages_current.jsonl, or current.jsonl that is no link, with something in it."""
    strays = _strays(system, filesystem)
    return tuple(Leftover(e.path, f"{e.size} bytes", e.identity) for e in strays if e.size)


def _strays(system: PocketAgent, filesystem: Filesystem) -> tuple[Entry, ...]:
    tree = project_tree(system, filesystem)
    found = []
    for folder in message_folders(system, tree):
        if folder.guide or not (system.dialect == "json" or folder.newest):
            continue
        both = (folder.entries.get(name) for name in (GUIDES_LIVE, LINK))
        found += [entry for entry in both if entry and entry.kind == "file"]
    tree.told(found)
    return tuple(found)


@probe(deadline=20.0)
def leftovers(system: PocketAgent, filesystem: Filesystem, commands: Host) -> tuple[Leftover, ...]:
    """Temporary files and locks that no write under way can own: old enough and not held open."""
    tree = project_tree(system, filesystem)
    now, settings = commands.call(reading.now), system.settings
    entries = (*filesystem.folder(system.data_dir, follow=True), *tree.entries)
    candidates = {
        entry.path: entry
        for entry in entries
        if _temporary(entry, guide=system.dialect == "yaml")
        # A time ahead of the clock says nothing of a file's age; far ahead, it never would.
        and not -settings.clock_tolerance < now - entry.mtime < settings.residue_seconds
    }
    busy = set(commands.call(held.open_now, list(candidates))) if candidates else set()
    found = tuple(
        Leftover(path, _described(entry, now), entry.identity)
        for path, entry in candidates.items()
        if path not in busy
    )
    tree.told(found)
    return found


def _temporary(entry: Entry, *, guide: bool) -> bool:
    name = entry.name
    # The real server's is the business of the check of its link.
    if entry.kind not in {"file", "link"} or (name == f"{LINK}.tmp" and not guide):
        return False
    return name.endswith(".tmp") or name.startswith(".tmp-") or name == ".lock"


def _described(entry: Entry, now: float) -> str:
    size = "1 byte" if entry.size == 1 else f"{entry.size} bytes"
    what = "a lock that nobody holds" if entry.name == ".lock" else size
    return f"{what}, {_age(now - entry.mtime)}"


def _age(seconds: float) -> str:
    if seconds < 0:
        return "dated in the future"
    if seconds < 2 * DAY:
        return f"{seconds / 3600:.1f} hours old"
    return f"{seconds / DAY:.0f} days old"


@probe(deadline=20.0)
def plain_logs(system: PocketAgent, filesystem: Filesystem, commands: Host) -> tuple[OldLog, ...]:
    """Rotated message logs that are old or large, and not compressed."""
    settings, now = system.settings, commands.call(reading.now)
    tree, rotated = _rotated(system, filesystem)
    found = []
    for entry, doubled in rotated:
        age, mebibytes = now - entry.mtime, entry.size / (1 << 20)
        if doubled or age > settings.archive_days * DAY or entry.path.endswith(".gz"):
            continue
        if age > settings.log_days * DAY:
            found.append(OldLog(entry.path, _age(age), entry.identity))
        elif mebibytes > settings.log_mib:
            found.append(OldLog(entry.path, f"{mebibytes:.0f} MiB", entry.identity))
    tree.told(found)
    return tuple(found)


@probe(deadline=20.0)
def ancient_logs(system: PocketAgent, filesystem: Filesystem, commands: Host) -> tuple[OldLog, ...]:
    """Rotated message logs, compressed or not, that nobody will ask for again."""
    now = commands.call(reading.now)
    limit = system.settings.archive_days * DAY
    tree, rotated = _rotated(system, filesystem)
    found = tuple(
        OldLog(entry.path, _age(now - entry.mtime), entry.identity)
        for entry, _ in rotated
        if now - entry.mtime > limit
    )
    tree.told(found)
    return found


@probe(deadline=20.0)
def doubled_logs(system: PocketAgent, filesystem: Filesystem) -> tuple[OldLog, ...]:
    """Rotated message logs that are there plain and compressed."""
    tree, rotated = _rotated(system, filesystem)
    found = tuple(
        OldLog(entry.path, "its .gz is there too", entry.identity)
        for entry, doubled in rotated
        if doubled
    )
    tree.told(found)
    return found


def _rotated(
    system: PocketAgent, filesystem: Filesystem
) -> tuple[ProjectTree, list[tuple[Entry, bool]]]:
    """Give the tree and its rotated logs, each with whether its own .gz stands beside it."""
    tree = project_tree(system, filesystem)
    found: list[tuple[Entry, bool]] = []
    for folder in message_folders(system, tree):
        packed = (e for e in folder.entries.values() if e.path.endswith(".jsonl.gz"))
        whole = (*folder.rotated(), *(entry for entry in packed if entry.kind == "file"))
        found += [(entry, f"{entry.name}.gz" in folder.entries) for entry in whole]
    return tree, found
