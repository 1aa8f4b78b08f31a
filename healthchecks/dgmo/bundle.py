"""What the guide gathers before an escalation: DGMO's logs and its configuration; no session."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.dgmo.probes_log import logs_kept
from healthchecks.dgmo.system import Dgmo
from plugins.bundle.collecting import File, collect, numbered
from plugins.endpoints.filesystem import Filesystem

_NEWEST = 8


@collect()
def logs(system: Dgmo, filesystem: Filesystem) -> Iterator[File]:
    """The ends of the newest logs."""
    entries = [entry for entry, _ in logs_kept(system, filesystem)]
    newest = sorted(entries, key=lambda entry: entry.mtime_ns, reverse=True)[:_NEWEST]
    yield from numbered("log", (entry.path for entry in newest))


@collect()
def configuration(system: Dgmo) -> Iterator[File]:
    """The configuration files."""
    yield from numbered("configuration", system.config_files, last=0)
