"""What is seen of the launcher and of the library that it synchronises by: text, never run."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from healthchecks.claude_docker.docker_runs import DockerRun, docker_runs
from healthchecks.claude_docker.script import MARK, Command, commands
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, CannotTell, printable, probe
from plugins.endpoints.filesystem import Filesystem

LIMIT = 256 << 10
_REWRITES, _STAGES = "fix_mcp_paths", "sync_claude_config_in"


@dataclass(frozen=True)
class Runs:
    """The `docker run` commands of a launcher that lack something.

    Args:
        launcher: its path.
        lacking: each in words.
    """

    launcher: str
    lacking: tuple[str, ...]


@dataclass(frozen=True)
class Wiring:
    """How paths are rewritten: the library, and what is wrong with it ("" when nothing is)."""

    library: str
    trouble: str


def _launcher(system: ClaudeDocker) -> str:
    if not system.launcher:
        settings = system.settings
        places = (settings.launcher,) if settings.launcher else settings.default_launchers
        raise Absent("a launcher", settings.paths(places))
    return system.launcher


def _read(filesystem: Filesystem, path: str) -> str:
    # A launcher is often a link into a checkout.
    return filesystem.read(path, LIMIT, follow=True).decode("utf-8", "surrogateescape")


def _runs(system: ClaudeDocker, filesystem: Filesystem) -> tuple[DockerRun, ...]:
    path = _launcher(system)
    found = docker_runs(_read(filesystem, path))
    if not found:
        raise Absent("a `docker run` in the launcher", (path,))
    return found


def _judged(system: ClaudeDocker, lacking: list[str], unknown: list[DockerRun]) -> Runs:
    if unknown and not lacking:
        run = unknown[0]
        what = printable(MARK.sub(r"$\1", run.unknown), 60)
        raise CannotTell(
            f"the launcher does not say what {what} holds, in line {run.line}"
            f" of {printable(system.launcher)}"
        )
    return Runs(system.launcher, tuple(lacking))


@probe
def staying_runs(system: ClaudeDocker, filesystem: Filesystem) -> Runs:
    """The launcher's `docker run` commands whose containers stay when they end."""
    open_ = [run for run in _runs(system, filesystem) if not run.always("--rm")]
    lacking = [str(run) for run in open_ if not run.unknown]
    return _judged(system, lacking, [run for run in open_ if run.unknown])


@probe
def unlimited_runs(system: ClaudeDocker, filesystem: Filesystem) -> Runs:
    """The launcher's `docker run` commands of sessions that set no limits."""
    runs = _runs(system, filesystem)
    prefixes = system.settings.container_prefixes
    # A launcher may run a word or two of the image for itself: that is no session.
    sessions = [run for run in runs if any(prefix in run.name for prefix in prefixes)]
    lacking, unknown = [], []
    for run in sessions or runs:
        missing = []
        if not run.always("--memory", "-m"):
            missing.append("--memory")
        if not run.always("--cpus", "--cpu-quota"):
            missing.append("--cpus")
        if missing and run.unknown:
            unknown.append(run)
        elif missing:
            lacking.append(f"{run}: no {' and no '.join(missing)}")
    return _judged(system, lacking, unknown)


@probe
def path_rewriting(system: ClaudeDocker, filesystem: Filesystem) -> Wiring:
    """Whether the function that stages Claude's configuration rewrites the paths in it."""
    path = library_of(system, filesystem) or _launcher(system)
    if not filesystem.exists(path):
        if system.settings.sync_library:
            return Wiring(path, "it is not there")
        raise Absent("a library that synchronises", (path,))
    return Wiring(path, _unwired(commands(_read(filesystem, path))))


def library_of(system: ClaudeDocker, filesystem: Filesystem) -> str:
    """Return where the library that synchronises is, or would be; "" where nothing tells."""
    if system.settings.sync_library:
        return system.settings.path(system.settings.sync_library)
    if not system.launcher:
        return ""
    folder = os.path.dirname(filesystem.resolve(system.launcher))
    return os.path.join(folder, "lib", "sync.sh")


def _unwired(found: list[Command]) -> str:
    bodies: dict[str, list[Command]] = {}
    for command in found:
        bodies.setdefault(command.function, []).append(command)
    if _STAGES not in bodies:
        return f"it has no function {_STAGES}"
    if _REWRITES not in bodies:
        return f"it has no function {_REWRITES}"
    # It may be called by a function that is called.
    seen, waiting = {_STAGES}, [_STAGES]
    while waiting:
        for command in bodies[waiting.pop()]:
            name = _called(command.words)
            if name == _REWRITES:
                return ""
            if name in bodies and name not in seen:
                seen.add(name)
                waiting.append(name)
    return f"{_STAGES} does not call {_REWRITES}"


def _called(words: list[str]) -> str:
    """Return the name of what a command runs, behind settings and words like `command`."""
    for word in words:
        if not re.match(r"[A-Za-z_]\w*=", word) and word not in {"command", "builtin", "time"}:
            return word
    return ""
