"""Systems: from the shipped systems.toml and the user's own file to objects that probes can use."""

from __future__ import annotations

import dataclasses
import importlib
import os
from dataclasses import dataclass
from typing import Any, Protocol, cast

from plugins.configuration import Configuration
from plugins.eyes import reading
from plugins.hosts import Host
from plugins.queries import queries_in


@dataclass(frozen=True)
class Uses:
    """What a present system uses of its host; the `host` system looks after these.

    Args:
        folders: where its data lies.
        ports: TCP ports that it listens on.
        names: host names of the endpoints that it is configured with.
        tools: programs that it needs on PATH.
        programs: names of the executables of its own processes.
        docker: whether it needs the Docker engine.
        backups: folders and archives that hold its backups.
        roots: trees in which a fix may write.
        recovery: further trees and files that a recovery procedure may write, and no fix.
    """

    folders: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    docker: bool = False
    backups: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    recovery: tuple[str, ...] = ()


class Found(Protocol):
    """What every system's own frozen dataclass has."""

    @property
    def uses(self) -> Uses:
        """What it uses of its host."""


class UnderHome:
    """Settings with a home folder, which their paths are taken from."""

    home: str

    def path(self, path: str) -> str:
        """Give a path of the settings as an absolute one; "" stays ""."""
        return under_home(self.home, path)

    def paths(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Give paths of the settings as absolute ones."""
        return tuple(self.path(path) for path in paths)


def under_home(home: str, path: str) -> str:
    """Return a path of the configuration as an absolute one.

    Args:
        home: the home folder that the system's settings name, itself with `~` or without.
        path: absolute, below `~`, or relative to home; empty stays empty.
    """
    base = os.path.expanduser(home or "~")
    if not path:
        return ""
    if path == "~" or path.startswith("~/"):
        path = path[2:]
    return os.path.normpath(os.path.join(base, os.path.expanduser(path)))


def settings_of(configuration: Configuration, system: str) -> Any:
    """Return the system's own `Settings`, filled from its table of the configuration."""
    module = importlib.import_module(f"healthchecks.{system}.system")
    table = configuration.tables[system]
    names = [item.name for item in dataclasses.fields(module.Settings)]
    values = {name: table[name].value for name in names if name in table}
    return module.Settings(**{name: _frozen(value) for name, value in values.items()})


def _frozen(value: Any) -> Any:
    """Return a value of the configuration as settings hold it."""
    if isinstance(value, dict):
        return queries_in(value)
    return tuple(value) if isinstance(value, list) else value


def find(configuration: Configuration, system: str, host: Host, *, wanted: bool = False) -> Found:
    """Look for a system on its host.

    Args:
        configuration: the systems files in force.
        system: its name.
        host: where it is looked for.
        wanted: somebody asked for it by name, which means `enabled = true` where that is "auto".

    Raises:
        Absent: it does not live there; says where was looked.
        CannotTell: the host cannot be looked at.
    """
    module = importlib.import_module(f"healthchecks.{system}.system")
    settings = settings_of(configuration, system)
    if wanted and settings.enabled == "auto":
        settings = dataclasses.replace(settings, enabled="yes")
    if not host.is_local and f"{settings.home}/".startswith("~/"):
        # Our own home folder says nothing of another machine's.
        there = host.call(reading.home) + settings.home[1:]
        settings = dataclasses.replace(settings, home=there)
    return cast("Found", module.find(settings, host))
