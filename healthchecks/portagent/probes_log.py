"""Which known issues show in Portagent's log files, and in what it prints.

Why it did not start stands on its console alone: in the journal of its unit, in what its container
printed, or in the file that its process prints to. Its times are UTC, whatever its zone is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping

from healthchecks.portagent.probes_container import container
from healthchecks.portagent.system import Portagent
from plugins import Absent, NotThere, Refused, probe, table_beside
from plugins.endpoints.engines import seconds
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.hits import Hits, LogHits, together
from plugins.endpoints.logs import Logs, hits_in
from plugins.endpoints.processes import Processes
from plugins.endpoints.signatures import load
from plugins.endpoints.systemd import Systemd
from plugins.hosts import Host
from plugins.run import Run

_ROTATIONS = range(1, 8)
_PRINTED = 4 << 20
_LINES = 20_000
_BANNER = b"AgentX Portal"


@probe(deadline=60.0, every=30.0)
def log_hits(
    system: Portagent,
    filesystem: Filesystem,
    processes: Processes,
    logs: Logs,
    systemd: Systemd,
    commands: Host,
    run: Run,
) -> LogHits:
    """Every known issue that shows in its log files and on its console, each record once."""
    signatures = load(table_beside(__file__))
    since = time.time() - system.settings.log_hours * 3600.0
    entries = tuple(log_files_kept(system, filesystem))
    printed = tuple(_console(system, filesystem, systemd, commands, since))
    if not entries and not printed:
        raise Absent("a log of Portagent", tuple(_places(system)))
    cursors = str(run.state / "cursors")
    scans = (
        logs.scan(one.path, signatures, since=since, cursor_folder=cursors, zone="Z", follow=False)
        for one in entries
        if one.mtime >= since
    )
    console = (hits_in(text, signatures) for text, _ in printed)
    shown = together(_each((scan.hits for scan in scans), console))
    starts = [began for _, began in printed if began]
    running = processes.one(system.pid) if system.pid else None
    return LogHits(shown, running.started if running is not None else max(starts, default=None))


def _each(*rows: Iterator[Mapping[str, Hits]]) -> Iterator[Mapping[str, Hits]]:
    for row in rows:
        yield from row


def _places(system: Portagent) -> Iterator[str]:
    """Yield where its log files stand, there or not, rotated ones too."""
    if system.settings.log_files:
        yield from system.settings.paths(system.settings.log_files)
    elif system.data_dir:
        newest = os.path.join(system.data_dir, "logs", "portagent.log")
        yield from (newest, *(f"{newest}.{number}" for number in _ROTATIONS))


def log_files_kept(system: Portagent, filesystem: Filesystem) -> Iterator[Entry]:
    """Yield its log files that are there."""
    for path in dict.fromkeys(_places(system)):
        try:
            entry = filesystem.look(path)
        except NotThere:
            continue
        if entry is not None and entry.kind == "file":
            yield entry


def _console(
    system: Portagent, filesystem: Filesystem, systemd: Systemd, commands: Host, since: float
) -> Iterator[tuple[bytes, float]]:
    """Yield what it printed since then, and when its container was started, 0 for none.

    Raises:
        CannotTell: what its container printed cannot be had.
    """
    if system.container:
        docker, one = container(system, commands)
        try:
            text = docker.printed(one.id, last=_LINES, since=since, limit=_PRINTED)
        except Refused:
            text = b""  # its log driver keeps nothing here
        runs = one.state == "running" and one.started
        yield text, seconds(one.started, one.name) if runs else 0.0
    elif system.unit:
        yield systemd.journal(system.unit, time.time() - since, _PRINTED), 0.0
    for path in system.outputs:
        try:
            text = filesystem.tail(path, _PRINTED)
        except NotThere:
            continue
        # Its lines have a time of day and no date: those of runs before this one are left out.
        yield text[max(0, text.rfind(_BANNER)) :], 0.0
