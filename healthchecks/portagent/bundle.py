"""What the guide gathers of Portagent: its logs, what its container printed, and its unit."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.portagent.probes_container import container
from healthchecks.portagent.probes_log import log_files_kept
from healthchecks.portagent.system import Portagent
from plugins.bundle.collecting import LAST, File, Text, collect, numbered
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host

_LINES = 100  # as the guide asks for them


@collect()
def logs(system: Portagent, filesystem: Filesystem) -> Iterator[File]:
    """The ends of its log files."""
    yield from numbered("log", (entry.path for entry in log_files_kept(system, filesystem)))
    yield from numbered("output", system.outputs)


@collect(deadline=20.0)
def printed(system: Portagent, commands: Host) -> Iterator[Text]:
    """The last lines that its container printed."""
    if system.container:
        docker, one = container(system, commands)
        said = docker.printed(one.id, last=_LINES, limit=LAST)
        whole = said if len(said) < LAST else said[: said.rfind(b"\n") + 1]
        yield Text("printed.txt", f"docker logs --tail {_LINES}", whole, part=True)


@collect()
def unit(system: Portagent) -> Iterator[File]:
    """The file of its unit; files of variables are left out."""
    if system.unit_file:
        yield File("unit.txt", system.unit_file, follow=True)
