"""What is seen of conversations and their copies: how each pair stands."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass, replace

from healthchecks.crash_protection import spacing
from healthchecks.crash_protection.beginnings import Beginnings, Common, Side
from healthchecks.crash_protection.engine import engine_url
from healthchecks.crash_protection.keys import ENDING
from healthchecks.crash_protection.lagging import patience, shortest, with_lag
from healthchecks.crash_protection.places import Conversation, Copy, Survey, survey
from healthchecks.crash_protection.system import VOLUME_MARK, CrashProtection
from healthchecks.crash_protection.volume import Unseen
from plugins import Absent, Blocked, CannotTell, printable, probe
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.hands import prefixes
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.run import Run

_PATIENCE = 30.0  # seconds for one conversation in a container, while those of the host wait
_WRITTEN_EVERY = 60.0  # seconds: a watch has no need of what is written down


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
        limit: seconds that a copy may lag.
        standing: every conversation.
        unseen: what of the origins could not be looked at, or not read.
        odd: path -> what stands under a copy's name that is no file.
        names: the paths of all copies.
        missing: folders of copies that are not there, parents first.
        engine: where the Docker engine is asked, "" for nowhere.
        unmarked: where to write that conversations stand in the volume, "" where it is written.
    """

    now: float
    limit: float
    standing: tuple[Standing, ...]
    unseen: tuple[Unseen, ...]
    odd: dict[str, str]
    names: frozenset[str]
    missing: tuple[str, ...]
    engine: str
    unmarked: str = ""

    def judged(self) -> None:
        """Return when there was something to judge.

        Raises:
            Blocked, CannotTell: no conversation was seen, and not everywhere could be looked.
            Absent: there is nothing to protect.
        """
        if not self.standing:
            self.whole()
            raise Absent("a conversation to protect")

    @property
    def late(self) -> tuple[Standing, ...]:
        """Those without a current copy."""
        lacking = (row for row in self.standing if row.relation in ("none", "behind"))
        return tuple(row for row in lacking if row.lag > self.limit)

    @property
    def in_the_way(self) -> tuple[str, ...]:
        """What stands in the place of a copy, or of a folder of copies, in words."""
        wanted = {f"{row.conversation.key}{ENDING}" for row in self.late}
        return tuple(
            printable(why if path in why else f"{path} {why}")
            for path, why in sorted(self.odd.items())
            if not path.endswith(ENDING) or os.path.basename(path) in wanted
        )

    def whole(self) -> None:
        """Return when everything could be seen; raises Blocked, CannotTell."""
        unseen = [one for one in self.unseen if not one.doubtful]
        for one in unseen:
            if one.by:
                raise Blocked(one.by, str(one))
        if unseen:
            more = f", and {len(unseen) - 1} more" if len(unseen) > 1 else ""
            raise CannotTell(f"{printable(str(unseen[0]))}{more}")


@probe(deadline=55.0)
def protection(
    system: CrashProtection,
    filesystem: Filesystem,
    processes: Processes,
    commands: Host,
    kept: Kept,
    run: Run,
) -> Protection:
    """How every conversation and its copies stand; of what did not change nothing is read."""
    now = time.time()
    seen = survey(system, filesystem, commands, kept)
    question = ("beginnings", commands.spec, system.folder)
    every = _WRITTEN_EVERY if run.watches else 0.0
    beginnings = Beginnings(commands, kept, str(run.state / "cursors"), question, every)
    rows = _paired(system, seen, beginnings, commands)
    contained = any(one.container for one in seen.conversations)
    engine = engine_url(system.settings, commands) if contained else ""
    limit = shortest(system)
    rows = with_lag(rows, limit, commands, engine, now)
    # To ask who runs is to look at every process: in most rounds nothing hangs on it.
    if any(max(row.lag, _uncopied(row, now)) > limit for row in rows):
        limit = patience(system, filesystem, processes, commands)
        rows = with_lag(rows, limit, commands, engine, now)
    rows = _idle(rows, system, beginnings, now)
    unread = [Unseen(str(row.conversation), row.why) for row in rows if row.relation == "unread"]
    wanted = (system.folder, system.realtime, system.crash_recovery)
    return Protection(
        now,
        limit,
        tuple(rows),
        (*seen.unseen, *unread),
        dict(seen.odd),
        frozenset(copy.path for copy in seen.copies),
        tuple(folder for folder in wanted if folder not in seen.folders),
        engine,
        _unmarked(system, seen, filesystem),
    )


def _uncopied(row: Standing, now: float) -> float:
    """Return the seconds since a conversation without a crash copy was last written."""
    return 0.0 if row.crash else now - row.conversation.mtime_ns / 1e9


def _unmarked(system: CrashProtection, seen: Survey, filesystem: Filesystem) -> str:
    settings, mark = system.settings, f"{system.folder}/{VOLUME_MARK}"
    of_engine = settings.volume and not settings.volume_folder
    there = of_engine and any(one.where == "volume" for one in seen.conversations)
    return mark if there and filesystem.look(mark) is None else ""


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
    return Side(one.path, one.within, one.identity, one.ctime_ns)


def _copy(copy: Copy, system: CrashProtection) -> Side:
    return Side(copy.path, system.folder, copy.identity, copy.ctime_ns)


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
    docker = Docker(commands, engine_url(system.settings, commands))
    try:
        common, size = docker.read_inside(
            one.container,
            one.path,
            lambda blocks: prefixes.against(blocks, copy.path, copy.top),
            deadline=_PATIENCE,
        )
    except (CannotTell, OSError, ValueError) as error:
        return Common(0, 0, 0, str(error))
    found = Common(common, size, int(copy.identity.rsplit(":", 2)[1]))
    beginnings.learn(side, copy, found)
    return found


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
