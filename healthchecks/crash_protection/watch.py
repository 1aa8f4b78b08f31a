"""What a watch does for conversations: it copies what was added to them, and says that it lives."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from healthchecks.crash_protection.keys import ENDING
from healthchecks.crash_protection.monitor_state import STATE, pids_told, state_told
from healthchecks.crash_protection.monitors import kind_of
from healthchecks.crash_protection.probes_copies_current import Protection
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.taking import Taking
from plugins.duties import Beat, duty
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.eyes import files
from plugins.hosts import Host
from plugins.outcomes import NoFact
from plugins.steps import Step, Write

_AT_ONCE = 64  # copies in one step: what an undo takes back together
_MOST = 1_000_000


@duty
def copy_what_changed(protection: Protection, system: CrashProtection) -> Iterator[Step]:
    """Copy what was added to every conversation, old or new, and keep crash copies of it."""
    taking = Taking(system, protection)
    for row in protection.standing:
        if row.idle:
            yield from taking.room(row)
    yield from taking.copies(protection.standing, at_once=_AT_ONCE)


def beat(system: CrashProtection, beat: Beat) -> Iterator[Write]:
    """Write the state file by which others know a monitor, unless another one lives.

    There is no monitor.pid: only a monitor in the background has one, and takes it away at its end.
    """
    host = Host(system.settings.on)
    if _another_lives(system, host, beat.pid):
        return
    table = {
        "monitor_pid": beat.pid,
        "start_time": beat.started,
        "last_backup": beat.last_taken or None,
        "conversations_tracked": _tracked(system, host),
        "status": "stopped" if beat.ended else "monitoring",
    }
    content = json.dumps(table, indent=2).encode() + b"\n"
    yield Write(f"{system.folder}/{STATE}", content, 0o600)


def _another_lives(system: CrashProtection, host: Host, own: int) -> bool:
    filesystem = Filesystem(host)
    processes = Processes(host)
    told = [state_told(system, filesystem), *pids_told(system, filesystem)]
    for pid in {one.pid for one in told if one and one.pid} - {own}:
        process = processes.one(pid)
        if process and not process.zombie and kind_of(process):
            return True
    return False


def _tracked(system: CrashProtection, host: Host) -> int:
    try:
        names = host.call(files.names_in, system.realtime, _MOST)
    except (OSError, NoFact):
        return 0
    return sum(os.path.splitext(name)[1] == ENDING for name in names)
