"""Whether the Claude CLI works."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import (
    Absent,
    CannotTell,
    Measure,
    NoPermission,
    TimedOut,
    ToolMissing,
    printable,
    probe,
)
from plugins.eyes import programs
from plugins.hosts import Host

_USUAL = "claude"


@dataclass(frozen=True)
class Version:
    """What the CLI said to `--version`.

    Args:
        path: the command.
        text: its version, "" where there is trouble.
        trouble: what is wrong, "" where it works.
        seconds: until it had answered.
    """

    path: str
    text: str
    trouble: str
    seconds: Measure | None = None


def cli_path(system: ClaudeDocker, commands: Host) -> str:
    """Return the CLI as a command, "" where none is found."""
    name = system.settings.claude
    command = system.settings.path(name) if "/" in name else name
    return "" if commands.call(programs.why_not, command, None, "/") else command


@probe(deadline=40.0, every=300.0)
def cli_version(system: ClaudeDocker, commands: Host) -> Version:
    """The version of the Claude CLI.

    Raises:
        Absent: there is none on this machine, and none is configured.
    """
    import time

    name, limit = system.settings.claude, system.settings.cli_seconds
    command = cli_path(system, commands)
    if not command and name == _USUAL:
        kind = "session containers have their own" if system.kit else "an editor may have its own"
        raise Absent(f"no Claude CLI is on PATH: {kind}", (name,))
    if not command:
        return Version(name, "", "it is configured, and not there or not executable")
    began = time.monotonic()
    env = {"DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1"}
    try:
        ran = commands.run((command, "--version"), env=env, deadline=limit, limit=1 << 16, cwd="/")
    except TimedOut:
        return Version(command, "", f"it does not answer within {limit:g} s")
    except (ToolMissing, NoPermission):
        return Version(command, "", "it cannot be started")
    except CannotTell as why:
        return Version(command, "", f"it cannot be started: {printable(str(why))}")
    seconds = Measure("claude --version", round(time.monotonic() - began, 3), "s", limit)
    said = printable(ran.complaint or ran.text.strip(), 300)
    if ran.status:
        return Version(command, "", f"it ends with status {ran.status}: {said}", seconds)
    if not any(letter.isdigit() for letter in ran.text):
        return Version(command, "", f"it tells no version: {said or 'nothing'}", seconds)
    return Version(command, printable(ran.text.strip(), 100), "", seconds)
