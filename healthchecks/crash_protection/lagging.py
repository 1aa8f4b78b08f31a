"""For how long what a copy lacks has been there, and how long it may be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from healthchecks.crash_protection.monitors import EVERY
from healthchecks.crash_protection.probes_monitor import monitors_running
from healthchecks.crash_protection.system import CrashProtection
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.hands import prefixes
from plugins.hosts import Host
from plugins.outcomes import CannotTell

if TYPE_CHECKING:
    from healthchecks.crash_protection.places import Conversation
    from healthchecks.crash_protection.probes_copies_current import Standing

_STAMP = re.compile(r'"timestamp"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)"')
_PIECE = 64 << 10  # the time stands behind what was said
_ROUNDS = 3


def shortest(system: CrashProtection) -> float:
    """Return the seconds that a copy may lag whatever runs."""
    return float(_ROUNDS * system.settings.interval)


def patience(
    system: CrashProtection, filesystem: Filesystem, processes: Processes, commands: Host
) -> float:
    """Return the seconds that a copy may lag: some rounds of the monitor that runs."""
    every = system.settings.interval
    running, _ = monitors_running(system, filesystem, processes, commands)
    rounds = [EVERY.get(one.kind, every) for one in running if not one.suspended]
    return _ROUNDS * max(every, min(rounds, default=every))


def with_lag(
    rows: list[Standing], limit: float, commands: Host, engine: str, now: float
) -> list[Standing]:
    """Find out for how long what a copy lacks has been there."""
    late = [row for row in rows if row.relation in ("none", "behind")]
    young = [row for row in late if abs(now - row.conversation.mtime_ns / 1e9) <= limit]
    here = [row for row in young if not row.conversation.container]
    asked = [
        [row.conversation.path, row.conversation.within, row.copy.size if row.copy else 0, _PIECE]
        for row in here
    ]
    pieces = commands.call(prefixes.pieces, asked) if asked else []
    first = {
        row.conversation.path: _first(piece, now) for row, piece in zip(here, pieces, strict=True)
    }
    for row in young:
        one = row.conversation
        if one.container and row.relation == "none":
            first[one.path] = _first(_beginning(one, commands, engine), now)
    for number, row in enumerate(rows):
        if row.relation in ("none", "behind"):
            lag = _lag(row, first.get(row.conversation.path), limit, now)
            rows[number] = replace(row, lag=lag)
    return rows


def _beginning(one: Conversation, commands: Host, engine: str) -> str:
    """Return the first piece of a conversation in a container, "" where it is not to be had."""

    def take(blocks: Iterable[bytes]) -> bytes:
        return next(iter(blocks), b"")[:_PIECE]

    try:
        piece = Docker(commands, engine).read_inside(one.container, one.path, take, deadline=5.0)
    except (CannotTell, OSError, ValueError):
        return ""
    return piece.decode("latin-1")


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
