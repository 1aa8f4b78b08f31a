"""What the monitor's files say of it, whether that makes sense, and what they should say."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from healthchecks.crash_protection.system import CrashProtection
from plugins import NotThere
from plugins.endpoints.filesystem import Entry, Filesystem

STATE = "monitor_state.json"
PID_FILES = ("monitor.pid", "periodic_backup.pid", "simple_monitor.pid")
_STATE_LIMIT = 1 << 20
_PID_LIMIT = 4096
_CLAIMS = {"starting", "monitoring"}


@dataclass(frozen=True)
class Stray:
    """A file of the monitor's that says what is not so."""

    path: str
    seen: str


@dataclass(frozen=True)
class MonitorState:
    """What the monitor's state file says, and what of it is not so.

    Args:
        faults: in words.
        put_away: files that say nothing true.
        path, seen, mode: of the state file.
        rewritten: the state file as it should be, b"" where it should stay.
    """

    faults: tuple[str, ...]
    put_away: tuple[Stray, ...]
    path: str
    seen: str
    mode: int
    rewritten: bytes = field(repr=False)


@dataclass(frozen=True)
class Told:
    """A file of the monitor's: what stands there, what it says, and the pid in it."""

    path: str
    entry: Entry
    table: Mapping[str, Any] | None
    pid: int | None
    trouble: str


def state_told(system: CrashProtection, filesystem: Filesystem) -> Told | None:
    """Return what the state file says; None where there is none."""
    path = f"{system.folder}/{STATE}"
    entry = filesystem.look(path)
    if entry is None:
        return None
    if entry.kind != "file":
        return Told(path, entry, None, None, f"is a {entry.kind}, not a file")
    if entry.size > _STATE_LIMIT:
        return Told(path, entry, None, None, f"has {entry.size} bytes")
    try:
        # The content is read by its bytes: what is no UTF-8 is no JSON either.
        table = json.loads(filesystem.read(path, _STATE_LIMIT))
    except NotThere:
        return None
    except (ValueError, RecursionError):
        return Told(path, entry, None, None, "is not JSON")
    if not isinstance(table, dict):
        return Told(path, entry, None, None, "is not a JSON object")
    return Told(path, entry, table, _pid(table.get("monitor_pid")), "")


def pids_told(system: CrashProtection, filesystem: Filesystem) -> Iterator[Told]:
    """Yield what each pid file says."""
    for name in PID_FILES:
        path = f"{system.folder}/{name}"
        entry = filesystem.look(path)
        if entry is None:
            continue
        if entry.kind != "file" or entry.size > _PID_LIMIT:
            yield Told(path, entry, None, None, "is no small file")
            continue
        try:
            text = filesystem.read(path, _PID_LIMIT).decode("latin-1").strip()
        except NotThere:
            continue
        pid = _pid(text)
        yield Told(path, entry, None, pid, "" if pid else "holds no process id")


def _pid(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value) if isinstance(value, str) or abs(value) < 1 << 32 else ""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 11 else None


def seconds(text: object) -> float | None:
    """Return seconds since 1970 of an ISO time, None for what is none."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def judged(
    state: Told | None, own: Told | None, running: Set[int], now: float, limit: float
) -> MonitorState:
    """Judge a state file and monitor.pid.

    Args:
        state, own: what the two say; None where there is none.
        running: the processes that are monitors.
        now: seconds since 1970.
        limit: seconds within which a monitor must have begun.
    """
    faults: list[str] = []
    put_away: list[Told] = []
    changes: dict[str, object] = {}
    alive = {told.pid for told in (state, own) if told and told.pid in running}
    if state is not None and state.table is None:
        faults.append(f"monitor_state.json {state.trouble}")
        put_away.append(state)
    if own is not None and own.pid not in running:
        faults.append(f"monitor.pid: {own.trouble or f'process {own.pid} is no monitor that runs'}")
        put_away.append(own)
    if state is not None and state.table is not None:
        status = state.table.get("status")
        shown = status if isinstance(status, str) else "no status"
        if own is not None and own.pid in running and state.pid != own.pid:
            faults.append(f"it names process {state.pid}, and monitor.pid names {own.pid}")
            changes |= {"monitor_pid": own.pid} if state.pid not in running else {}
        elif shown in _CLAIMS and not alive:
            faults.append(f'it says "{shown}", and no such process runs')
            changes["status"] = "stopped"
        elif shown == "starting" and _late(state, now, limit):
            faults.append(f'process {state.pid} is "starting" since more than {limit:g} s')
    strays = tuple(Stray(told.path, told.entry.identity) for told in put_away)
    return MonitorState(tuple(faults), strays, *_rewritten(state, own, changes, alive))


def _late(state: Told, now: float, limit: float) -> bool:
    """Whether a start took too long, by what the file says or, where it does not, by its age."""
    told = seconds(state.table.get("start_time")) if state.table else None
    begun = state.entry.mtime if told is None or told > now else told
    return now - begun > limit


def _rewritten(
    state: Told | None, own: Told | None, changes: dict[str, object], alive: Set[int | None]
) -> tuple[str, str, int, bytes]:
    """Return path, identity, mode and content of the state file as it should be."""
    if state is not None and state.table is not None:
        if not changes:
            return "", "", 0, b""
        mode = state.entry.mode & 0o777 or 0o600
        return state.path, state.entry.identity, mode, _json({**state.table, **changes})
    # What was put away leaves nothing to judge by: what is so is written in its place.
    if state is None and (own is None or own.pid in alive):
        return "", "", 0, b""
    pid = next(iter(alive), None)
    status = "stopped" if pid is None else "monitoring"
    table = {"monitor_pid": pid, "status": status}
    path = state.path if state else f"{os.path.dirname(own.path)}/{STATE}" if own else ""
    return path, "", 0o600, _json(table)


def _json(table: Mapping[str, object]) -> bytes:
    return json.dumps(table, indent=2).encode() + b"\n"
