"""The parts of a shell script that have an end of their own: quotations, expansions."""

from __future__ import annotations

import re

from plugins import CannotTell

_CLOSERS = {"(": ")", "{": "}", '"': '"', "`": "`"}
# What counts while an inner part is skipped: outside of double quotes, and within.
_OUT = re.compile(r"""\\.|(?:(?<=\s)|(?<=\())\#[^\n]*|'[^']*'|"|\$?[({]|[)}]|`""", re.DOTALL)
_WITHIN = re.compile(r"""\\.|"|\$[({]|`""", re.DOTALL)
_PARAMETER = re.compile(
    r"(?:\([^)]*\))?[#!^=~]*([A-Za-z_]\w*|[@*0-9])?(\[[@*]\])?(?::?([-+=])([^\0]*))?", re.DOTALL
)


def mark(name: str) -> str:
    """Return the mark of `$name`."""
    return f"\0{name}[@]\0" if name in {"@", "*"} else f"\0{name}\0"


def parameter(inner: str) -> str:
    """Return the mark of `${…}`, with a default behind it."""
    match = _PARAMETER.match(inner)
    assert match is not None
    name, array, how, other = match.groups()
    if how == "+" and name and name not in other:
        return ""  # only where something is set that the script does not set
    said = (f"\0{name}{'[@]' if array or name in {'@', '*'} else ''}\0") if name else ""
    # A default stands beside what it is the default of.
    return f"{said} {other}" if how in {"-", "="} and other and "$" not in other else said


def unclosed(line: int) -> CannotTell:
    """Return what is raised where the end of the script comes first."""
    return CannotTell(f"what is opened in line {line} of the script is never closed")


def closed(text: str, at: int, opener: str) -> int:
    """Return the place behind what closes an inner part; 0 where nothing does."""
    closers = [_CLOSERS[opener]]
    while closers:
        match = (_WITHIN if closers[-1] == '"' else _OUT).search(text, at)
        if match is None:
            return 0
        at, seen = match.end(), match[0]
        if seen == closers[-1]:
            closers.pop()
            continue
        opens = seen[-1] in _CLOSERS and seen[0] not in "\\#'" and len(closers) < 1000
        if opens and (closers[-1] != "}" or seen != "("):
            closers.append(_CLOSERS[seen[-1]])
    return at
