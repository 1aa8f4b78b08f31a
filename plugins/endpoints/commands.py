"""The command of a server, as it runs or as a systemd unit would run it, and files of variables."""

from __future__ import annotations

import os.path
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

_VARIABLE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_COMMENT = re.compile(r"\s+#.*")


@dataclass(frozen=True)
class Command:
    """A server's command, as it runs or as its unit would run it.

    Args:
        argv: its words.
        environment: the variables of it that are ours to see.
        folder: its working folder, absolute; "" when unknown.
        executable: its executable's path; "" when unknown.
        user: the name or number of its user; "" when unknown.
        pid: its process; 0 when it does not run.
        ports: the TCP ports that it listens on.
        outputs: the regular files that it prints to.
        environment_files: the files with more variables that its unit names.
    """

    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    folder: str = ""
    executable: str = ""
    user: str = ""
    pid: int = 0
    ports: tuple[int, ...] = ()
    outputs: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()

    def flag(self, *names: str) -> str:
        """Give the value of a flag, given as `--name value` or `--name=value`; "" without it."""
        wanted = {f"{dashes}{name}" for name in names for dashes in ("--", "-")}
        for at, word in enumerate(self.argv):
            left, equals, right = word.partition("=")
            if left in wanted:
                following = self.argv[at + 1 : at + 2]
                return right if equals else (following[0] if following else "")
        return ""

    def absolute(self, path: str, folder: str = "") -> str:
        """Give a path as this command would take it: relative to its working folder."""
        if not path:
            return ""
        return os.path.normpath(os.path.join(self.folder or folder or "/", path))


C = TypeVar("C", bound=Command)


def unit_command(text: str, kind: type[C]) -> C:
    """Read a command out of a systemd unit; drop-ins are not read.

    Args:
        text: the unit's file.
        kind: `Command`, or a system's own kind of it.
    """
    argv: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    files: list[str] = []
    folder = user = ""
    for line in text.replace("\\\n", " ").splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or line.lstrip().startswith(("#", ";")):
            continue
        if name == "ExecStart" and value:
            argv = _words(value.lstrip("-@:+!"))
        elif name == "Environment":
            pairs = (word.partition("=") for word in _words(value))
            environment |= {left: right for left, _, right in pairs}
        elif name == "EnvironmentFile":
            files = [*files, value.lstrip("-")] if value else []
        elif name == "WorkingDirectory":
            folder = value.lstrip("-") if value.lstrip("-").startswith("/") else ""
        elif name == "User":
            user = value
    executable = argv[0] if argv else ""
    named = tuple(files)
    return kind(argv, environment, folder, executable, user, environment_files=named)


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def variables_in(text: str) -> dict[str, str]:
    """Read the lines NAME=value of a .env file or a unit's EnvironmentFile; others are not ours.

    Values may stand in quotes; the last line of a name wins.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        named = _VARIABLE.fullmatch(line.strip())
        if named is None:
            continue
        value = named[2]
        quote = value[:1]
        end = value.find(quote, 1) if quote in {'"', "'", "`"} else -1
        found[named[1]] = value[1:end] if end > 0 else _COMMENT.sub("", value).strip()
    return found
