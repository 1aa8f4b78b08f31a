"""Which known issues show in the logs of DGMO and of its scripts, each read once for all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from healthchecks.dgmo.system import Dgmo
from plugins import Absent, NoPermission, NotThere, probe, table_beside
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.hits import Hits, LogHits, together
from plugins.endpoints.logs import Logs
from plugins.endpoints.signatures import Signature, load
from plugins.eyes import reading
from plugins.hosts import Host
from plugins.run import Run

# The program writes UTC and does not say so; the scripts write the host's own time.
_UTC, _LOCAL = "Z", ""


def _patterns(system: Dgmo) -> Iterator[tuple[str, str]]:
    """Yield the patterns of log files, each with the zone of its times."""
    yield os.path.join(system.log_folder, "*.log"), _UTC
    for store in system.stores:
        yield os.path.join(store.root, "logs", "*.log"), _LOCAL
    yield from ((pattern, _LOCAL) for pattern in system.settings.paths(system.settings.log_files))


def logs_kept(system: Dgmo, filesystem: Filesystem) -> Iterator[tuple[Entry, str]]:
    """Yield every log file that is there, with the zone of its times."""
    for pattern, zone in _patterns(system):
        folder, name = os.path.split(pattern)
        try:
            entries = filesystem.folder(folder)
        except NotThere:
            continue
        for entry in entries:
            if entry.kind == "file" and fnmatchcase(entry.name, name):
                yield entry, zone


@probe(deadline=60.0, every=30.0)
def log_hits(system: Dgmo, filesystem: Filesystem, logs: Logs, commands: Host, run: Run) -> LogHits:
    """Every known issue that shows in the logs of the time that is judged."""
    signatures = load(table_beside(__file__))
    since = commands.call(reading.now) - system.settings.log_hours * 3600.0
    found = tuple(logs_kept(system, filesystem))
    if not found:
        raise Absent("a log of DGMO", tuple(pattern for pattern, _ in _patterns(system)))
    # What was not written since then says nothing of the time that is judged.
    fresh = [(entry.path, zone) for entry, zone in found if entry.mtime >= since]
    return LogHits(together(_scans(fresh, signatures, logs, since, run)))


def _scans(
    paths: list[tuple[str, str]],
    signatures: tuple[Signature, ...],
    logs: Logs,
    since: float,
    run: Run,
) -> Iterator[Mapping[str, Hits]]:
    """Yield what each log shows; one that may not be read is told once the others were."""
    dark: NoPermission | None = None
    cursors = str(run.state / "cursors")
    for path, zone in paths:
        try:
            yield logs.scan(
                path, signatures, since=since, cursor_folder=cursors, zone=zone, follow=False
            ).hits
        except NotThere:
            continue  # the program clears its older ones away
        except NoPermission as why:
            dark = why
    if dark is not None:
        raise dark
