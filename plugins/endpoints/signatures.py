"""Signatures of known issues in logs: data, read from TOML and believed only when it is strict."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from plugins.eyes.stamps import LEVELS

_SEVERITIES = ("P0", "P1", "P2", "P3")
_REPEATS = "?*{"
_SHORTEST = 3
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|\d+|.)", re.DOTALL)


@dataclass(frozen=True)
class Signature:
    """How an issue that is known shows in a log.

    Attributes:
        key: its name in the table, a Python identifier.
        severity: P0 to P3.
        title: the healthy state's opposite, in a sentence.
        why: why it matters.
        hint: what a person would do.
        pattern: a regular expression over the bytes of one line, as they stand in the file.
        level: only lines of these levels ("error", "warn", …; any spelling); empty for all.
        fields: regular expressions over fields of a JSON line, as pairs of name and pattern.
        refs: links.
        versions: which versions of the watched program have it, in words; "" when not known.
        matches: lines that it must match.
        ignores: lines that it must not match.
        of_start: it kept the program from starting: it is over where one started later.
    """

    key: str
    severity: str
    title: str
    why: str
    hint: str
    pattern: str
    level: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    refs: tuple[str, ...] = ()
    versions: str = ""
    matches: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    of_start: bool = False

    @property
    def rule(self) -> list[Any]:
        """The row that the eye `plugins.eyes.scan.scan` takes, plain enough to travel."""
        levels = [LEVELS.get(word.lower(), word.lower()) for word in self.level]
        return [self.key, self.pattern, levels, dict(self.fields), list(fixed_words(self.pattern))]

    def fits(self, line: str | bytes) -> bool:
        """Whether a line shows the issue; what `Logs.scan` finds, on one line."""
        from plugins.eyes.scan import Reading

        raw = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
        reading = Reading([self.rule], None)
        reading.take(raw.replace(b"\n", b" ") + b"\n")
        return self.key in reading.tallies()


def load(path: str) -> tuple[Signature, ...]:
    """Return the signatures of a TOML file, in its order: one table `[issue.<key>]` each.

    Raises:
        ValueError: a key is unknown (the nearest right one is named), missing or of a wrong kind,
            or a pattern is no regular expression.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        document = tomllib.load(file)
    _only(document, ("issue",), "at the top")
    issues = document.get("issue", {})
    if not isinstance(issues, dict):
        raise ValueError("issue is no table")
    return tuple(_signature(key, table) for key, table in issues.items())


def _only(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            advice = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
            raise ValueError(f"unknown key {key!r} {where}{advice}")


def _signature(key: str, table: object) -> Signature:
    where = f"in [issue.{key}]"
    if not key.isidentifier() or not isinstance(table, dict):
        raise ValueError(f"{where}: a key is an identifier and holds a table")
    known = tuple(field.name for field in fields(Signature) if field.name != "key")
    _only(table, known, where)
    for name in ("severity", "title", "why", "hint", "pattern", "matches", "ignores"):
        if not table.get(name):
            raise ValueError(f"{name} is missing {where}")
    words = {name: _value(name, value, where) for name, value in table.items()}
    signature = Signature(key=key, **words)
    if signature.severity not in _SEVERITIES:
        raise ValueError(f"severity {where} is one of {', '.join(_SEVERITIES)}")
    for pattern in (signature.pattern, *(inner for _, inner in signature.fields)):
        try:
            re.compile(pattern.encode())
        except re.error as error:
            raise ValueError(f"pattern {where}: {error}") from None
    return signature


def _value(name: str, value: object, where: str) -> Any:
    if name in {"level", "refs", "matches", "ignores"}:
        rows = [value] if isinstance(value, str) and name == "level" else value
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise ValueError(f"{name} {where} is a list of strings")
        return tuple(rows)
    if name == "fields":
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise ValueError(f"{name} {where} is a table of strings")
        return tuple(value.items())
    if name == "of_start":
        if not isinstance(value, bool):
            raise ValueError(f"{name} {where} is true or false")
        return value
    if not isinstance(value, str):
        raise ValueError(f"{name} {where} is a string")
    return value


def fixed_words(pattern: str) -> tuple[str, ...]:
    """Return words of which every match holds at least one; none when that is not known.

    It need not be clever, only right: what stands in brackets or is repeated counts for nothing.
    """
    if re.search(r"\(\?[a-zA-Z]*[ix]", pattern):
        return ()
    words = []
    for branch in _branches(pattern):
        word = max(_runs(branch), key=len, default="")
        if len(word) < _SHORTEST:
            return ()
        words.append(word)
    return tuple(words)


def _pieces(pattern: str) -> list[tuple[str, int]]:
    """Cut a pattern into atoms, each with the depth of the groups that it stands in."""
    found = []
    depth = place = 0
    while place < len(pattern):
        atom = pattern[place]
        if atom == "\\":
            atom = _ESCAPE.match(pattern, place)[0]  # type: ignore[index]
        elif atom == "[":
            # A bracket right after the opening one, or after its ^, is an ordinary letter.
            end = place + (3 if pattern[place + 1 : place + 2] == "^" else 2)
            while end < len(pattern) and pattern[end] != "]":
                end += 2 if pattern[end] == "\\" else 1
            atom = pattern[place : end + 1]
        elif atom == "{" and (counted := re.match(r"\{\d*,?\d*\}", pattern[place:])):
            atom = counted[0]
        depth += atom == "("
        found.append((atom, depth))
        depth -= atom == ")"
        place += len(atom)
    return found


def _branches(pattern: str) -> list[list[tuple[str, int]]]:
    found: list[list[tuple[str, int]]] = [[]]
    for atom, depth in _pieces(pattern):
        if atom == "|" and not depth:
            found.append([])
        else:
            found[-1].append((atom, depth))
    return found


def _runs(branch: list[tuple[str, int]]) -> list[str]:
    """Return the stretches of plain letters outside of all groups."""
    found = [""]
    for atom, depth in branch:
        if atom[0] in _REPEATS:
            # The letter before may be missing, or come again.
            found[-1:] = [found[-1][:-1], ""]
        elif depth or atom in {".", "^", "$", "+"} or atom[0] == "[":
            found.append("")
        elif atom[0] == "\\":
            if atom[1].isalnum():
                found.append("")
            else:
                found[-1] += atom[-1]
        else:
            found[-1] += atom
    return found
