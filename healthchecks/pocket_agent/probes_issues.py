"""Which known issues show in the server's log, each log read once for all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from healthchecks.pocket_agent.probes_server_log import no_log
from healthchecks.pocket_agent.records import tells_failed_start
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, NotThere, probe, table_beside
from plugins.endpoints.hits import NO_HITS, Hits, together
from plugins.endpoints.logs import Logs, hits_in
from plugins.endpoints.processes import Processes
from plugins.endpoints.signatures import Signature, load
from plugins.endpoints.systemd import Systemd
from plugins.run import Run

_JOURNAL = 4 << 20


@dataclass(frozen=True)
class LogHits:
    """What showed in the logs of the window that is judged.

    Args:
        hits: by the key of the signature.
        started: since when the server runs, in seconds since 1970; None when it does not.
    """

    hits: Mapping[str, Hits] = field(hash=False)
    started: float | None

    def of(self, signature: Signature) -> Hits:
        """How a signature shows; what kept a server from starting is over where one runs."""
        hits = self.hits.get(signature.key, NO_HITS)
        if self.started is None or signature.severity != "P0":
            return hits
        over = (hits.last_seen or 0.0) < self.started or all(map(tells_failed_start, hits.lines))
        return NO_HITS if over else hits


@probe(deadline=40.0)
def log_hits(
    system: PocketAgent,
    processes: Processes,
    logs: Logs,
    systemd: Systemd,
    run: Run,
) -> LogHits:
    """Every known issue that shows in the server's log files, or in its unit's journal."""
    signatures = load(table_beside(__file__))
    window = system.settings.log_hours * 3600.0
    found = together(_scans(system, signatures, logs, window, str(run.state / "cursors")))
    if not system.logs:
        found = _journal(system, signatures, systemd, window)
    starts = (one.started for one in processes.all() if one.pid in system.pids)
    return LogHits(found, min(starts, default=None))


def _scans(
    system: PocketAgent,
    signatures: tuple[Signature, ...],
    logs: Logs,
    window: float,
    cursors: str,
) -> Iterator[Mapping[str, Hits]]:
    """What each log file shows."""
    since = time.time() - window
    found = False
    for path in system.logs:
        try:
            yield logs.scan(path, signatures, since=since, cursor_folder=cursors).hits
        except NotThere:
            continue
        found = True
    if system.logs and not found:
        raise no_log(system)


def _journal(
    system: PocketAgent, signatures: tuple[Signature, ...], systemd: Systemd, window: float
) -> dict[str, Hits]:
    """What the unit's own messages show."""
    if not system.unit:
        raise Absent("a log of the server: no file, and no unit with a journal")
    return hits_in(systemd.journal(system.unit, window, _JOURNAL), signatures)
