"""What is seen of the synchronisation: whether both sides hold the same, and its lock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from healthchecks.claude_docker.probes_containers import of_sessions
from healthchecks.claude_docker.probes_launcher import library_of
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, CannotTell, probe
from plugins.endpoints.docker import Docker
from plugins.endpoints.engines import ALIVE
from plugins.endpoints.errors import in_words
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.history import keep, recall
from plugins.endpoints.machine import Machine
from plugins.eyes import locks, twins
from plugins.hosts import Host
from plugins.run import Run

LIMIT = 500_000
_SHOWN = 40
# One folder is a copy of the other where at least every so many-th file of it is the same.
_COPIED = 5


@dataclass(frozen=True)
class Drift:
    """How the staging folder stands to Claude's folder.

    Args:
        compared: pairs that are the same.
        unsafe: names of what the next synchronisation would lose or has lost, and why.
        behind: names of what was written in Claude's folder and not yet staged.
    """

    compared: int
    unsafe: tuple[str, ...]
    behind: tuple[str, ...]


@dataclass(frozen=True)
class Lock:
    """A lock that is left behind.

    Args:
        path: of the lock file.
        seen: the identity of the file.
        seconds: since it was last written.
    """

    path: str
    seen: str
    seconds: float


@probe(deadline=120.0)
def drift(system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run) -> Drift:
    """What differs between Claude's folder and the staging folder, by content."""
    for path in (system.state_dir, system.config_dir):
        entry = filesystem.look(path)
        if entry is None or entry.kind not in {"folder", "link"}:
            raise Absent("a staging folder beside Claude's own", (path,))
    if commands.call(locks.look, system.settings.path(system.settings.sync_lock))["held"]:
        raise CannotTell("a synchronisation is under way")
    told = compared(system, commands, str(run.state / "cursors"))
    if told["alike"] * _COPIED < told["others"] and not _synchronises(system, filesystem):
        raise Absent("a synchronisation of the two folders", (system.config_dir, system.state_dir))
    found = sorted_out(system, filesystem, told, _session_runs(system, commands))
    if told["unread"] and not found.unsafe:
        name, words = told["unread"][0]
        raise CannotTell(f"{name} cannot be compared: {words}")
    return found


def _synchronises(system: ClaudeDocker, filesystem: Filesystem) -> bool:
    """Tell whether anything shows that the two folders were ever made the same.

    Today's kit mounts its folder and never synchronises it: there they are two separate things.
    """
    settings = system.settings
    logs = (path for path in settings.paths(settings.text_logs) if "sync" in path)
    signs = (library_of(system, filesystem), settings.path(settings.last_backup), *logs)
    return any(path and filesystem.exists(path) for path in signs)


def compared(system: ClaudeDocker, commands: Host, cursors: str) -> dict[str, Any]:
    """Return the eye's answer; what is proven is kept in a folder of cursors on this machine."""
    leaves = [*system.settings.sync_leaves, *system.settings.sync_rewrites]
    question = ("twins", commands.spec, system.config_dir, system.state_dir, *leaves)
    known = recall(cursors, question).get("same", {}) if commands.is_local else {}
    args = (system.config_dir, system.state_dir, leaves, known, LIMIT)
    with in_words(system.config_dir, LIMIT):
        told = commands.call(twins.compare, *args, deadline=110.0)
    if commands.is_local and told["same"] != known:
        keep(cursors, question, {"same": told["same"]})
    return told


def _session_runs(system: ClaudeDocker, commands: Host) -> bool:
    docker = Docker(commands, system.settings.docker_url)
    try:
        return any(one.state in ALIVE for one in of_sessions(docker, system))
    except CannotTell:
        return False


def sorted_out(
    system: ClaudeDocker, filesystem: Filesystem, told: dict[str, Any], runs: bool
) -> Drift:
    """Sort the differences by what they mean; while a session runs, it writes to the staging."""
    only_host, only_staged, differ = told["only_one"], told["only_other"], told["differ"]
    newest = told["newest_other"]
    unsafe = [f"missing in the staging folder: {name}" for name, at in only_host if at <= newest]
    behind = [f"new since it was staged: {name}" for name, at in only_host if at > newest]
    if only_host and not told["others"]:
        unsafe.append("the staging folder is empty")
    if not runs:
        unsafe += [f"only in the staging folder: {name}" for name, _ in only_staged]
    for name, host, staged in differ:
        if host > staged:
            behind.append(f"changed since it was staged: {name}")
        elif host == staged:
            unsafe.append(f"different, though of one time: {name}")
        elif not runs:
            unsafe.append(f"different, and newer in the staging folder: {name}")
    unsafe += _configuration(system, filesystem)
    return Drift(told["alike"], _some(unsafe), _some(behind))


def _configuration(system: ClaudeDocker, filesystem: Filesystem) -> list[str]:
    """Judge the file that lies elsewhere on the host, and whose paths are rewritten."""
    host = filesystem.look(system.config_file)
    staged = filesystem.look(os.path.join(system.state_dir, ".claude.json"))
    if host is None or not host.size:
        return []
    if staged is None:
        return ["missing in the staging folder: .claude.json"]
    return [] if staged.size else ["empty in the staging folder: .claude.json"]


def _some(names: list[str]) -> tuple[str, ...]:
    more = len(names) - _SHOWN
    return tuple(names[:_SHOWN]) + ((f"and {more} more",) if more > 0 else ())


@probe
def lost_lock(system: ClaudeDocker, commands: Host, machine: Machine) -> Lock | None:
    """The lock of the synchronisation where nobody holds it and it is old; None where all is well.

    One that is no regular file is none that the kit made, and is left alone.
    """
    path = system.settings.path(system.settings.sync_lock)
    if not path or not system.kit:
        raise Absent("a kit that synchronises", (path,))
    with in_words(path, 0):
        told = commands.call(locks.look, path)
    if told["kind"] in {"absent", "other"} or told["held"]:
        return None
    seconds = machine.now() - told["mtime"]
    # One from the future is as young as can be.
    if seconds <= system.settings.sync_lock_seconds:
        return None
    return Lock(path, told["identity"], seconds)
