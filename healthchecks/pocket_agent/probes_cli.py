"""The Claude CLI as the server's user finds it."""

from __future__ import annotations

import os.path
from dataclasses import dataclass

from healthchecks.pocket_agent.seat import RUNS
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Blocked, CannotTell, NoPermission, NotThere, WrongKind, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.hosts import Host

_SYSTEMD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Cli:
    """Where the server finds the CLI, empty where it does not, and what stands in the way.

    Args:
        name: its name or path as configured.
        path: where it is.
        user: the server's user, empty when unknown.
        troubles: each place that was looked at and why it does not serve.
    """

    name: str
    path: str
    user: str
    troubles: tuple[str, ...]


@probe
def cli(system: PocketAgent, commands: Host, processes: Processes, filesystem: Filesystem) -> Cli:
    """The CLI at its configured place, or on the PATH of the server's own process."""
    name = system.claude or "claude"
    folders = () if "/" in name else _search_path(system, processes)
    absolute = os.path.join(system.start_folder or "/", name)
    places = (absolute,) if "/" in name else tuple(os.path.join(each, name) for each in folders)
    troubles: list[str] = []
    hidden: NoPermission | None = None
    groups = _groups(system, commands)
    for place in dict.fromkeys(places):
        try:
            trouble = _trouble(place, system, groups, filesystem)
        except NoPermission as met:
            hidden = met
            continue
        if not trouble:
            return Cli(name, place, system.user, ())
        troubles.append(f"{place}: {trouble}")
    if hidden:
        raise hidden
    return Cli(name, "", system.user, tuple(troubles) or ("PATH is empty",))


def _search_path(system: PocketAgent, processes: Processes) -> tuple[str, ...]:
    """The folders in which the server looks for programs.

    Raises:
        Blocked: it does not run, and nothing else tells its PATH.
        CannotTell: its process may not be looked into.
    """
    hidden: CannotTell | None = None
    path = system.search_path
    for pid in system.pids:
        try:
            path = processes.environment(pid, ("PATH",)).get("PATH", "") or path
        except CannotTell as met:
            hidden = met
    if not path and hidden:
        raise hidden
    if not path and not system.pids:
        if not system.unit:
            raise Blocked(RUNS, "the server does not run, and only its process tells its PATH")
        path = _SYSTEMD_PATH
    return tuple(filter(None, path.split(":")))


def _groups(system: PocketAgent, host: Host) -> tuple[int, ...]:
    """The groups of the server's user."""
    try:
        ran = host.run(("id", "-G", "--", system.user), deadline=5.0) if system.user else None
    except CannotTell:
        ran = None
    return tuple(int(word) for word in ran.text.split() if word.isdigit()) if ran else ()


def _trouble(
    place: str, system: PocketAgent, groups: tuple[int, ...], filesystem: Filesystem
) -> str:
    """Why the program at a place cannot be run by the server's user; empty when it can."""
    found = filesystem.look(place)
    if found is None:
        return "not there"
    try:
        real = filesystem.look(filesystem.resolve(place))
    except NotThere:
        return f"a link to {found.target}, which is not there"
    except WrongKind:
        return "a loop of links"
    if real is None or real.kind != "file":
        return "no file"
    if system.uid is None:
        return "" if real.mode & 0o111 else "not executable by anybody"
    may = filesystem.may(real.path, system.uid, groups, "x")
    return "" if may else f"not executable by {system.user} (mode {real.mode:04o})"
