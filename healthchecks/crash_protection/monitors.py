"""Which processes are monitors: the shell ones of several kinds, and a watch of these checks.

A process is known by the program, the script or the shell text that it runs. A pid alone says
nothing: the kernel gives it to somebody else after a restart.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from plugins.endpoints.processes import Process

Kind = Literal["guide", "periodic", "simple", "watch", ""]

SYSTEM = os.path.basename(os.path.dirname(__file__))
# Seconds between two rounds of the shell ones; what stands in the settings is the others'.
EVERY: Mapping[Kind, float] = {"periodic": 30.0, "simple": 15.0}
SHELL_KINDS = frozenset({"guide", "periodic", "simple"})
_WORDS: tuple[tuple[Kind, str], ...] = (
    ("guide", "monitor_conversations|conversation-monitor"),
    ("periodic", "periodic"),
    ("simple", "simple-realtime|simple_monitor"),
)
_SHELLS = {"bash", "dash", "sh", "zsh", "ash", "ksh"}
# What a monitor's script does besides monitoring, and ends.
_ASIDE = {"status", "stop", "recover", "help", "--help", "list"}
_STARTS = re.compile(
    r"conversation-monitor|monitor_conversations|simple-realtime|simple_monitor"
    r"|(?:^|[\s/'\"])periodic(?:[-_][\w-]+|\.sh)|(?:backup|monitor|realtime)\S*\s+periodic\b"
    r"|claude-backup-alias\S*\s+monitor\s+start|claude-docker-persistent\S*\s+(?:monitor\s+)?start"
    r"|crash-recovery-guide\S*\s+recover"
)


def kind_of(process: Process) -> Kind:
    """Return what kind of monitor a process is, "" when it is none."""
    if is_watch(process.argv):
        return "watch"
    told = _told(process)
    for kind, words in _WORDS:
        if re.search(words, told):
            return kind
    return ""


def _told(process: Process) -> str:
    """Return the text that says what a shell runs, or a program's and script's names."""
    words = [os.path.basename(word) for word in process.argv[:1]]
    if words and words[0].lstrip("-") in _SHELLS:
        text = shell_text(process.argv)
        if text:
            return text
    if _ASIDE & set(process.argv[1:4]):
        return ""
    names = process.programs
    # A program that shows or edits such a file is none; nor is the file's name its own.
    return "\n".join(sorted(names))


def shell_text(argv: Sequence[str]) -> str:
    """Return the text that a shell was given with -c, "" where it was given none."""
    for place, word in enumerate(argv[1:], 1):
        if re.fullmatch(r"-[a-zA-Z]*c[a-zA-Z]*", word):
            return argv[place + 1] if place + 1 < len(argv) else ""
        if not word.startswith(("-", "+")):
            return ""
    return ""


def is_watch(argv: Sequence[str]) -> bool:
    """Tell whether a command line is a watch of these checks that takes copies."""
    words = list(argv)
    if not any(os.path.basename(word) in {"pytest", "py.test", "-mpytest"} for word in words):
        return False
    if not any(word == "--watch" or word.startswith("--watch=") for word in words):
        return False
    systems = _values(words, "--system")
    fixes = _values(words, "--fix")
    return bool(fixes) and fixes[-1] != "plan" and (not systems or SYSTEM in systems)


def systems_file(argv: Sequence[str]) -> str:
    """Return the systems file that a watch was given, "" for none."""
    return next(reversed(_values(argv, "--systems")), "")


def _values(words: Sequence[str], option: str) -> list[str]:
    """Return the values that an option was given; "" for one that stands alone."""
    found = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word == option:
            found.append("" if after.startswith("-") else after)
    return found


def starts_a_monitor(command: str) -> bool:
    """Tell whether a unit's or a cron entry's command starts a monitor of any kind."""
    return bool(_STARTS.search(f"{command} ")) or is_watch(re.split(r"[\s'\"]+", command))
