"""Whether a Claude runs that keeps its configuration in memory, and will write it anew."""

from __future__ import annotations

import os

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import CannotTell
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Process, Processes

_WHERE = ("HOME", "CLAUDE_CONFIG_DIR")


def running(system: ClaudeDocker, processes: Processes, filesystem: Filesystem) -> int:
    """Return the id of a process that runs Claude with this configuration; 0 where none is known.

    Those in containers have the staging folder's, and where processes cannot be seen none is known.
    """
    names = {"claude", "claude.exe", os.path.basename(system.settings.claude)}
    try:
        found = processes.by_program(tuple(names))
    except CannotTell:
        return 0
    return next((one.pid for one in found if _uses(one, system, processes, filesystem)), 0)


def _uses(
    process: Process, system: ClaudeDocker, processes: Processes, filesystem: Filesystem
) -> bool:
    if process.container:
        return False
    try:
        said = processes.environment(process.pid, _WHERE)
        above = said.get("CLAUDE_CONFIG_DIR") or said.get("HOME") or ""
        own = filesystem.resolve(os.path.dirname(system.config_file))
        return bool(above) and filesystem.resolve(above) == own
    except CannotTell:
        return False
