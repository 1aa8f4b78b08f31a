"""What was left behind: former staging folders, and an order to debug."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatch

from healthchecks.claude_docker.documents import folder
from healthchecks.claude_docker.logins import is_on
from healthchecks.claude_docker.shell_profiles import assigned, profiles
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, NotThere, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host


@dataclass(frozen=True)
class Leftover:
    """A folder or file that was the staging folder once.

    Args:
        path: where it is.
        seen: its identity.
    """

    path: str
    seen: str

    def __str__(self) -> str:
        return printable(self.path)


@probe
def staging_leftovers(system: ClaudeDocker, filesystem: Filesystem) -> tuple[Leftover, ...]:
    """What is called like the staging folder, with a mark behind its name that it is over."""
    top, name = os.path.split(system.state_dir)
    if not name or filesystem.look(top) is None:
        raise Absent("a folder of staging folders", (top,))
    live = _led_to(filesystem, system.state_dir)
    found = []
    for entry in folder(filesystem, top):
        was = any(
            fnmatch(entry.name, f"{name}{mark}") for mark in system.settings.staging_leftovers
        )
        # What the live name leads to is no leftover, whatever it is called.
        holds = f"{live}/".startswith(f"{_led_to(filesystem, entry.path)}/")
        if was and entry.kind in ("folder", "file") and not holds:
            found.append(Leftover(entry.path, entry.identity))
    return tuple(found)


def _led_to(filesystem: Filesystem, path: str) -> str:
    try:
        return filesystem.resolve(path)
    except NotThere:
        return path


@probe
def debug_orders(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> tuple[str, ...]:
    """Where debugging is switched on: our own environment, and the shells' profiles."""
    names = system.settings.debug_variables
    found = [f"our own environment: {name}" for name in names if commands.is_local and _set(name)]
    for path, text in profiles(system, filesystem):
        for name in names:
            line, value = assigned(text, name)
            if line and is_on(value):
                found.append(f"{path}, line {line}: {name}")
    return tuple(found)


def _set(name: str) -> bool:
    return is_on(os.environ.get(name, ""))
