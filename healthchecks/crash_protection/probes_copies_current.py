"""What is seen of conversations and their copies: how each pair stands."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from healthchecks.crash_protection import spacing
from healthchecks.crash_protection.beginnings import Beginnings, Common, Side
from healthchecks.crash_protection.keys import ENDING
from healthchecks.crash_protection.places import Conversation, Copy, Survey, survey
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.volume import Unseen, engine_url
from plugins import Absent, Blocked, CannotTell, printable, probe
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.hands import prefixes
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.run import Run

_STAMP = re.compile(r'"timestamp"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)"')
_PIECE = 4096
_WRITTEN_EVERY = 60.0  # seconds: a watch has no need of what is written down
LAGGING = 3  # rounds of the monitor


@dataclass(frozen=True, slots=True)
class Standing:
    """How a conversation and its copies stand.

    Args:
        conversation: the one.
        copy: in realtime/, None where there is none.
        relation: none, same, behind (the copy is a beginning of it), shorter (it is shorter than
            the copy), differs, or unread.
        common: bytes from the beginning that both have.
        lag: seconds since what the copy lacks was written; of "none", since the first line was.
        crash: its crash copies, the newest last.
        idle: those of them that another file begins with, and that file; looked for only where
            there may be too many.
        why: it is unread.
    """

    conversation: Conversation
    copy: Copy | None
    relation: str
    common: int = 0
    lag: float = 0.0
    crash: tuple[Copy, ...] = ()
    idle: tuple[tuple[Copy, str], ...] = ()
    why: str = ""

    def __str__(self) -> str:
        name = str(self.conversation)
        match self.relation:
            case "none":
                return f"{name}: no copy in realtime/"
            case "behind":
                lacks = self.conversation.size - (self.copy.size if self.copy else 0)
                return f"{name}: its copy lacks {lacks} bytes"
            case "shorter":
                size = self.copy.size if self.copy else 0
                return f"{name}: {self.conversation.size} bytes, its copy has {size}: {self.copy}"
            case "differs":
                return f"{self.copy}: after byte {self.common} it is not {name}"
        return name


@dataclass(frozen=True)
class Protection:
    """All conversations, and how their copies stand.

    Args:
        now: seconds since 1970.
        standing: every conversation.
        unseen: what of the origins could not be looked at, or not read.
        odd: path -> what stands under a copy's name that is no file.
        names: the paths of all copies.
        missing: folders of copies that are not there, parents first.
        engine: where the Docker engine is asked, "" for nowhere.
    """

    now: float
    standing: tuple[Standing, ...]
    unseen: tuple[Unseen, ...]
    odd: dict[str, str]
    names: frozenset[str]
    missing: tuple[str, ...]
    engine: str

    def whole(self) -> None:
        """Return when everything could be seen.

        Raises:
            Blocked, CannotTell: something could not; Absent: there is nothing to protect.
        """
        for one in self.unseen:
            if one.by:
                raise Blocked(one.by, str(one))
        if self.unseen:
            more = f", and {len(self.unseen) - 1} more" if len(self.unseen) > 1 else ""
            raise CannotTell(f"{printable(str(self.unseen[0]))}{more}")
        if not self.standing:
            raise Absent("a conversation to protect")


@probe(deadline=55.0)
def protection(
    system: CrashProtection, filesystem: Filesystem, commands: Host, kept: Kept, run: Run
) -> Protection:
    """How every conversation and its copies stand; of what did not change nothing is read."""
    now = time.time()
    seen = survey(system, filesystem, commands, kept)
    question = ("beginnings", commands.spec, system.folder)
    every = _WRITTEN_EVERY if run.watches else 0.0
    beginnings = Beginnings(commands, kept, str(run.state / "cursors"), question, every)
    rows = _paired(system, seen, beginnings, commands)
    rows = _lagging(rows, system, commands, now)
    rows = _idle(rows, system, beginnings, now)
    unread = [Unseen(str(row.conversation), row.why) for row in rows if row.relation == "unread"]
    wanted = (system.folder, system.realtime, system.crash_recovery)
    return Protection(
        now,
        tuple(rows),
        (*seen.unseen, *unread),
        dict(seen.odd),
        frozenset(copy.path for copy in seen.copies),
        tuple(folder for folder in wanted if folder not in seen.folders),
        engine_url(system, commands) if any(one.container for one in seen.conversations) else "",
    )


def _paired(
    system: CrashProtection, seen: Survey, beginnings: Beginnings, commands: Host
) -> list[Standing]:
    realtime = {key: copies[0] for key, copies in seen.copies_of("realtime").items()}
    crash = seen.copies_of("crash-recovery")
    both = [(one, realtime[one.key]) for one in seen.conversations if one.key in realtime]
    here = [pair for pair in both if not pair[0].container]
    sides = [(_origin(one), _copy(copy, system)) for one, copy in here]
    told = dict(zip((one.path for one, _ in here), beginnings.of(sides), strict=True))
    for one, copy in both:
        if one.container:
            told[one.path] = _through(one, _copy(copy, system), beginnings, system, commands)
    rows = []
    for one in seen.conversations:
        copies = tuple(crash.get(one.key, ()))
        taken, common = realtime.get(one.key), told.get(one.path, Common(0, 0, 0))
        relation = "none" if taken is None else _relation(common)
        rows.append(Standing(one, taken, relation, common.bytes, crash=copies, why=common.why))
    return rows


def _origin(one: Conversation) -> Side:
    return Side(one.path, one.within, one.identity)


def _copy(copy: Copy, system: CrashProtection) -> Side:
    return Side(copy.path, system.folder, copy.identity)


def _relation(common: Common) -> str:
    if common.why:
        return "unread"
    if common.one < common.other:
        return "shorter"
    if common.bytes < common.other:
        return "differs"
    return "same" if common.one == common.other else "behind"


def _through(
    one: Conversation,
    copy: Side,
    beginnings: Beginnings,
    system: CrashProtection,
    commands: Host,
) -> Common:
    """Return what a conversation in a container and its copy have in common."""
    side = Side(f"{one.container}:{one.path}", "", one.identity)
    known = beginnings.known(side, copy)
    if known is not None:
        return known
    docker = Docker(commands, engine_url(system, commands))
    try:
        common, size = docker.read_inside(
            one.container, one.path, lambda blocks: prefixes.against(blocks, copy.path, copy.top)
        )
    except (CannotTell, OSError, ValueError) as error:
        return Common(0, 0, 0, str(error))
    found = Common(common, size, int(copy.identity.rsplit(":", 2)[1]))
    beginnings.learn(side, copy, found)
    return found


def _lagging(
    rows: list[Standing], system: CrashProtection, commands: Host, now: float
) -> list[Standing]:
    """Find out for how long what a copy lacks has been there."""
    limit = LAGGING * system.settings.interval
    late = [row for row in rows if row.relation in ("none", "behind")]
    young = [
        row
        for row in late
        if abs(now - row.conversation.mtime_ns / 1e9) <= limit and not row.conversation.container
    ]
    asked = [
        [row.conversation.path, row.conversation.within, row.copy.size if row.copy else 0, _PIECE]
        for row in young
    ]
    pieces = commands.call(prefixes.pieces, asked) if asked else []
    first = {
        row.conversation.path: _first(piece, now) for row, piece in zip(young, pieces, strict=True)
    }
    for number, row in enumerate(rows):
        if row.relation in ("none", "behind"):
            lag = _lag(row, first.get(row.conversation.path), limit, now)
            rows[number] = replace(row, lag=lag)
    return rows


def _first(piece: str, now: float) -> float | None:
    """Return the first time that is written in a piece of a conversation, unless it is to come."""
    told = _STAMP.search(piece)
    if told is None:
        return None
    try:
        moment = datetime.fromisoformat(told[1]).timestamp()
    except ValueError:
        return None
    return moment if moment <= now + 2 else None


def _lag(row: Standing, first: float | None, limit: float, now: float) -> float:
    written = row.conversation.mtime_ns / 1e9
    idle = abs(now - written)
    if first is not None:
        return max(0.0, now - first)
    if idle > limit or row.copy is None:
        return idle
    # Nothing says when the first of it was written: at the earliest after the copy was taken.
    return max(idle, written - row.copy.mtime_ns / 1e9)


def _idle(
    rows: list[Standing], system: CrashProtection, beginnings: Beginnings, now: float
) -> list[Standing]:
    """Find the crash copies that hold nothing of their own, where there may be too many."""
    most, apart = system.settings.crash_copies, system.settings.crash_spacing
    pairs: dict[int, list[tuple[Copy, Copy]]] = defaultdict(list)
    for number, row in enumerate(rows):
        stamps = [copy.stamp or 0.0 for copy in row.crash]
        full = len(stamps) == most and fresh(row) and spacing.due(stamps, now, apart)
        if len(stamps) > most or full or spacing.of_one_moment(stamps, most):
            longest = max(row.crash, key=lambda copy: (copy.size, copy.stamp or 0.0))
            kept = row.copy if row.copy and row.copy.size >= longest.size else longest
            pairs[number] = [(copy, kept) for copy in row.crash if copy.path != kept.path]
    flat = [(number, *pair) for number, some in pairs.items() for pair in some]
    told = beginnings.of((_copy(one, system), _copy(kept, system)) for _, one, kept in flat)
    idle: dict[int, list[tuple[Copy, str]]] = defaultdict(list)
    for (number, one, kept), common in zip(flat, told, strict=True):
        if not common.why and common.bytes == common.one:
            idle[number].append((one, kept.path))
    for number, some in idle.items():
        rows[number] = replace(rows[number], idle=tuple(some))
    return rows


def fresh(row: Standing) -> bool:
    """Tell whether a conversation has something that its newest crash copy has not."""
    if row.relation == "unread":
        return False
    one = row.conversation
    if row.relation == "shorter":
        return not any((c.size, c.mtime_ns) == (one.size, one.mtime_ns) for c in row.crash)
    return not any(copy.size == one.size for copy in row.crash)


def realtime_path(system: CrashProtection, one: Conversation) -> str:
    """Return where the copy of a conversation stands, or is to stand."""
    return f"{system.realtime}/{one.key}{ENDING}"


def late(rows: Iterable[Standing], system: CrashProtection) -> list[Standing]:
    """Return those without a current copy."""
    limit = LAGGING * system.settings.interval
    return [row for row in rows if row.relation in ("none", "behind") and row.lag > limit]
