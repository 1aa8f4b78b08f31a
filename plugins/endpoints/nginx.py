"""Reads nginx's configuration language: words, quotes, comments and braces; it opens no file.

It is tolerant: what nginx itself would refuse still gives the directives that can be made out, for
a check of one location must not be silenced by a slip in another file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_DEEPEST = 50  # nginx itself nests a handful of blocks; more is no configuration

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@dataclass(frozen=True)
class Directive:
    """One directive: its words, its file, the 1-based line it begins on, and its block if any."""

    name: str
    words: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None


@dataclass
class _Open:
    """A block whose closing brace has not come yet."""

    head: list[str] = field(default_factory=list)
    line: int = 0
    inside: list[Directive] = field(default_factory=list)


def parse(text: str, file: str) -> tuple[Directive, ...]:
    """The directives of one file, nested as its braces say; blocks left open end with the file."""
    stack = [_Open()]
    words: list[str] = []
    begun = 0
    for sign, line, quoted in _tokens(text):
        if quoted or sign not in {";", "{", "}"}:
            begun = begun if words else line
            words.append(sign)
            continue
        if sign == "{" and len(stack) < _DEEPEST:
            stack.append(_Open(words, begun or line))
        elif words:
            stack[-1].inside.append(Directive(words[0], tuple(words[1:]), file, begun))
        if sign == "}" and len(stack) > 1:
            _close(stack, file)
        words, begun = [], 0
    if words:
        stack[-1].inside.append(Directive(words[0], tuple(words[1:]), file, begun))
    while len(stack) > 1:
        _close(stack, file)
    return tuple(stack[0].inside)


def seconds(word: str) -> float | None:
    """A time such as `300`, `90s`, `1h30m` or `7d` in seconds; None when it is not one."""
    total, digits, rest = 0.0, "", word
    while rest:
        if rest[0].isdigit():
            digits, rest = digits + rest[0], rest[1:]
            continue
        unit = rest[:2] if rest[:2] in _UNITS else rest[:1]
        if not digits or unit not in _UNITS:
            return None
        total, digits, rest = total + int(digits) * _UNITS[unit], "", rest[len(unit) :]
    return total + (int(digits) if digits else 0) if word else None


def _close(stack: list[_Open], file: str) -> None:
    """Turns the innermost open block into a directive of the one around it."""
    done = stack.pop()
    head = done.head or [""]
    stack[-1].inside.append(
        Directive(head[0], tuple(head[1:]), file, done.line, tuple(done.inside))
    )


def _tokens(text: str) -> Iterator[tuple[str, int, bool]]:
    """Each word, brace and semicolon with its line, and whether it stood in quotes."""
    at, line, end = 0, 1, len(text)
    while at < end:
        sign = text[at]
        if sign.isspace():
            line += sign == "\n"
            at += 1
        elif sign == "#":
            at = _line_end(text, at)
        elif sign in ";{}":
            yield sign, line, False
            at += 1
        else:
            word, stop = _quoted(text, at) if sign in "\"'" else _bare(text, at)
            yield word, line, sign in "\"'"
            line += text.count("\n", at, stop)
            at = stop


def _line_end(text: str, at: int) -> int:
    """Where the line that `at` stands in ends."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The text within the quotes that open at `at`, and the place behind them."""
    word: list[str] = []
    quote, here = text[at], at + 1
    while here < len(text) and text[here] != quote:
        if text[here] == "\\" and here + 1 < len(text):
            here += 1
        word.append(text[here])
        here += 1
    return "".join(word), here + 1


def _bare(text: str, at: int) -> tuple[str, int]:
    """The unquoted word at `at`, in which `${name}` is not a brace, and the place behind it."""
    here = at
    while here < len(text) and not text[here].isspace() and text[here] not in ";{}":
        if text.startswith("${", here):
            closing = text.find("}", here)
            here = len(text) - 1 if closing < 0 else closing
        elif text[here] == "\\":
            here += 1
        here += 1
    return text[at:here], min(here, len(text))
