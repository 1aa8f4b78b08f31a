"""What is gathered of Pocket Agent: its server's log and its configuration; no message."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.pocket_agent.system import PocketAgent
from plugins import NotThere
from plugins.bundle.collecting import LAST, File, Text, collect, numbered
from plugins.endpoints.systemd import Systemd

_HOUR = 3600.0


@collect()
def logs(system: PocketAgent, systemd: Systemd) -> Iterator[File | Text]:
    """The end of the server's log files, or its unit's journal of the hours that are judged."""
    yield from numbered("log", system.logs)
    if not system.logs and system.unit:
        since = system.settings.log_hours * _HOUR
        try:
            said = systemd.journal(system.unit, since, LAST)
        except NotThere:
            return
        yield Text("journal.txt", f"journalctl -u {system.unit}", said, part=True)


@collect()
def configuration(system: PocketAgent) -> Iterator[File]:
    """The configuration of the server."""
    if system.config:
        yield File("configuration.txt", system.config, follow=True)
