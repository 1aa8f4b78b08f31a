"""Every conversation and every copy of one: where they stand; `keys` says by which names."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from healthchecks.crash_protection.keys import ENDING, named_apart, short, stamped
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.volume import VOLUME, Origin, Unseen, volume_origin
from plugins.endpoints.filesystem import Filesystem, Sighting
from plugins.endpoints.inside import Inside
from plugins.hands import prefixes
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.outcomes import CannotTell, NotThere, WrongKind
from plugins.text import printable

_DAY = 86_400
PLACES = ("realtime", "crash-recovery", "conversations", "exports")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation where Claude writes it.

    Args:
        session: the stem of its file's name; of Claude's own it is the session's id.
        key: the stem of its copies' names.
        path: of its file; in a container, where `container` says which.
        within: the folder of origin, through which no link is followed.
        project: the name of its project's folder.
        sub_agent: whether it is one's, below the session that called it.
        where: "host" or "volume".
        container: the id of the container that it is read through, "" for a file of the host.
        size, mtime_ns: bytes, and nanoseconds since 1970.
        identity: changes when another thing stands at the path, or its content was written.
        ctime_ns: when it was last written or dressed, whatever its own time says; 0 in a container.
    """

    session: str
    key: str
    path: str
    within: str
    project: str
    sub_agent: bool
    where: str
    container: str
    size: int
    mtime_ns: int
    identity: str
    ctime_ns: int

    @property
    def node(self) -> str:
        """The device and inode in the identity."""
        return self.identity.rsplit(":", 2)[0]

    def __str__(self) -> str:
        return printable(self.path)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a conversation.

    Args:
        session: the key of the conversation that it is one of, as its name tells.
        path: of its file.
        place: the name of the folder that it stands in.
        stamp: when it was taken, seconds since 1970, as its name tells; None in other places.
        ctime_ns: when it was last written or dressed, nanoseconds since 1970.
    """

    session: str
    path: str
    place: str
    stamp: float | None
    size: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    identity: str

    @property
    def node(self) -> str:
        """The device and inode in the identity."""
        return self.identity.rsplit(":", 2)[0]

    def __str__(self) -> str:
        return printable(self.path)


@dataclass(frozen=True)
class Survey:
    """All that is there.

    Args:
        conversations: by path.
        copies: by path.
        unseen: what of the origins could not be looked at.
        odd: (path, what it is) of names among the copies that are no regular files.
        folders: the folders of copies that are there.
    """

    conversations: tuple[Conversation, ...]
    copies: tuple[Copy, ...]
    unseen: tuple[Unseen, ...] = ()
    odd: tuple[tuple[str, str], ...] = ()
    folders: frozenset[str] = frozenset()

    def copies_of(self, place: str) -> dict[str, list[Copy]]:
        """Return the copies in one place by their conversation's key, each list by time."""
        found: dict[str, list[Copy]] = defaultdict(list)
        for copy in self.copies:
            if copy.place == place:
                found[copy.session].append(copy)
        for copies in found.values():
            copies.sort(key=lambda copy: (copy.stamp or 0.0, copy.size, copy.path))
        return found


def survey(
    system: CrashProtection,
    filesystem: Filesystem,
    commands: Host,
    memo: Kept | None = None,
) -> Survey:
    """Look at every origin and every place of copies; nothing is read but what shares a name.

    Args:
        system: names the places.
        filesystem, commands: of the host.
        memo: kept between the rounds of a process, for what a container holds.

    Raises:
        CannotTell: the folder of copies cannot be looked at. Of an origin that is `unseen`.
    """
    copies, odd, folders = copies_in(system, filesystem)
    conversations, unseen = _conversations(system, filesystem, commands, memo)
    copies = _no_second_names(conversations, copies, odd)
    named = named_apart(conversations, copies, lambda pairs: _begins(pairs, system, commands))
    missing = any(one.doubtful for one in unseen) and _originals_missing(system, named, copies)
    unseen = [replace(one, doubtful=False) for one in unseen if missing or not one.doubtful]
    return Survey(tuple(named), tuple(copies), tuple(unseen), tuple(odd), frozenset(folders))


def _no_second_names(
    conversations: Iterable[Conversation], copies: Iterable[Copy], odd: list[tuple[str, str]]
) -> list[Copy]:
    """Return the copies that are files of their own: what happens to a file, happens to its
    second name (hard link), which protects nothing."""
    originals = {one.node for one in conversations if not one.container}
    own = []
    for copy in copies:
        if copy.node in originals:
            odd.append((copy.path, "is the conversation itself (hard link)"))
        else:
            own.append(copy)
    return own


def _originals_missing(
    system: CrashProtection, conversations: Iterable[Conversation], copies: Iterable[Copy]
) -> bool:
    """Tell whether a copy of these days has no conversation that is seen: another origin has it."""
    seen = {one.key for one in conversations}
    oldest = time.time() - system.settings.recover_days * _DAY
    return any(
        copy.place == "realtime" and copy.session not in seen and copy.mtime_ns / 1e9 >= oldest
        for copy in copies
    )


def copies_in(
    system: CrashProtection, filesystem: Filesystem
) -> tuple[list[Copy], list[tuple[str, str]], set[str]]:
    """Return the copies in all places, what else has a copy's name there, and the places."""
    copies: list[Copy] = []
    odd: list[tuple[str, str]] = []
    folders: set[str] = set()
    if filesystem.look(system.folder) is not None:
        folders.add(system.folder)
    for place in PLACES if folders else ():
        folder = f"{system.folder}/{place}"
        try:
            below = filesystem.below(folder, ENDING, depth=1, follow=False)
        except NotThere:
            continue
        except WrongKind as error:
            odd.append((folder, str(error)))
        else:
            copies += (_copy(seen, place) for seen in below.files)
            odd += below.odd
        folders.add(folder)
    return copies, odd, folders


def _copy(seen: Sighting, place: str) -> Copy:
    name = os.path.basename(seen.path)
    key, stamp = name[: -len(ENDING)], None
    if place == "crash-recovery":
        key, stamp = stamped(name)
        stamp = seen.mtime_ns / 1e9 if stamp is None else stamp
    return Copy(
        key,
        seen.path,
        place,
        stamp,
        seen.size,
        seen.mtime_ns,
        seen.ctime_ns,
        seen.mode,
        seen.identity,
    )


def _conversations(
    system: CrashProtection,
    filesystem: Filesystem,
    commands: Host,
    memo: Kept | None,
) -> tuple[list[Conversation], list[Unseen]]:
    """Return every conversation of every origin, one file only once, under its plain key."""
    found: list[Conversation] = []
    unseen: list[Unseen] = []
    origin, why = volume_origin(system, filesystem, commands, memo)
    unseen += why
    origins = [*origin, *(Origin(path, "host") for path in system.origins)]
    for one in origins:
        try:
            rows, missed = _files_of(one, filesystem)
            found += (_conversation(one, row) for row in rows)
            unseen += missed
        except NotThere:
            continue  # nobody has talked there yet
        except CannotTell as error:
            unseen.append(Unseen(one.folder, str(error), VOLUME if one.where == "volume" else ""))
    once = {
        one.node if one.where == "host" or not one.container else one.path: one
        for one in reversed(found)
    }
    return sorted(once.values(), key=lambda one: (one.where != "volume", one.path)), unseen


def _files_of(
    origin: Origin, filesystem: Filesystem
) -> tuple[Sequence[Sighting | Inside], list[Unseen]]:
    if origin.container:
        return origin.files, []
    below = filesystem.below(origin.folder, ENDING)
    missed = [Unseen(path, words) for path, words in (*below.odd, *below.unread)]
    return below.files, missed


def _conversation(origin: Origin, row: Sighting | Inside) -> Conversation:
    parts = row.path[len(origin.folder) :].strip("/").split("/")
    project = parts[0] if len(parts) > 1 else ""
    stem = parts[-1][: -len(ENDING)]
    above = [part for part in parts[1:-1] if part != "subagents"]
    key = ".".join([*above, stem])
    identity = (
        row.identity
        if isinstance(row, Sighting)
        else f"{origin.container}:{row.path}:{row.size}:{row.mtime_ns}"
    )
    return Conversation(
        stem,
        short(key),
        row.path,
        origin.folder,
        project,
        len(parts) > 2,
        origin.where,
        origin.container,
        row.size,
        row.mtime_ns,
        identity,
        row.ctime_ns if isinstance(row, Sighting) else 0,
    )


def _begins(
    pairs: list[tuple[Copy, Conversation]], system: CrashProtection, commands: Host
) -> list[bool]:
    rows = [[copy.path, system.folder, one.path, one.within, 0] for copy, one in pairs]
    told = commands.call(prefixes.compare, rows, deadline=300.0)
    return [not row["why"] and row["common"] == row["sizes"][0] for row in told]
