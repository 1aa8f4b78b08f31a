"""What the profiles of shells set."""

from __future__ import annotations

import re
from collections.abc import Iterator

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import NotThere
from plugins.endpoints.filesystem import Filesystem

_COMMENT = re.compile(r"(?:^|\s)#.*")
_LINE = 4096  # characters: nobody reads on behind them


def profiles(system: ClaudeDocker, filesystem: Filesystem) -> Iterator[tuple[str, str]]:
    """Yield path and text of each profile that is there; raises kinds of `CannotTell`."""
    for path in system.settings.paths(system.settings.shell_profiles):
        try:
            yield path, filesystem.text(path, follow=True)
        except NotThere:
            continue


def assigned(text: str, name: str) -> tuple[int, str]:
    """Return (line from 1, value) of the last line that sets a variable; (0, "") where none does.

    A later `unset` takes it back. The value ends at the first blank.
    """
    word = re.escape(name)
    order = re.compile(
        rf"(?P<off>\bunset\s+(?:-v\s+)?{word}\b|\bset\s+-\w*e\w*\s+{word}\b)"
        rf"|(?:(?<![\w$]){word}=|\bset(?:env)?\s+(?:-\S+\s+)*{word}\s+)[\"']?(?P<on>[^\s\"';&|]*)"
    )
    last = (0, "")
    for number, line in enumerate(text.splitlines(), 1):
        if name in line:
            for found in order.finditer(_COMMENT.sub("", line[:_LINE])):
                last = (0, "") if found["off"] is not None else (number, found["on"])
    return last
