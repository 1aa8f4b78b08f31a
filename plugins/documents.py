"""Configuration in JSON, read as strictly as JSON.parse reads it; what it holds stays unsaid."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Never

from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.outcomes import CannotTell, NotThere, WrongKind

# Claude keeps the history of every project in its configuration: that of years is still smaller.
LIMIT = 64 << 20
# Every quantifier is possessive and every end may be missing: a stranger's text takes linear time.
_JSONC = re.compile(r""""(?:[^"\\]|\\.)*+"?|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?""", re.DOTALL)
_LAST_COMMA = re.compile(r""""(?:[^"\\]|\\.)*+"?|,(?=\s*+[\]}])""", re.DOTALL)


@dataclass(frozen=True)
class Document:
    """A JSON file that stands somewhere.

    Args:
        path: as it was asked for.
        entry: the file itself, links followed.
        trouble: why it is no JSON object, "" where it is one; nothing of its content.
        text: its bytes; b"" where it is no file.
        value: the object; {} where there is trouble.
    """

    path: str
    entry: Entry
    trouble: str
    text: bytes = field(default=b"", repr=False)
    value: dict[str, Any] = field(default_factory=dict, repr=False)


def document(filesystem: Filesystem, path: str, comments: bool = False) -> Document | None:
    """Read a JSON file, None where there is none; raises kinds of `CannotTell`.

    With `comments` it is JSONC, which may have comments, and a comma behind the last value.
    """
    if filesystem.look(path) is None:
        return None
    try:
        entry = filesystem.look(filesystem.resolve(path))
    except NotThere:
        entry = None
    except WrongKind:
        entry = filesystem.look(path)  # a link that leads in a circle
    if entry is None:  # a link that leads nowhere, or it went meanwhile
        return None
    if entry.kind != "file":
        return Document(path, entry, f"it is a {entry.kind}, no file")
    try:
        text = filesystem.read(entry.path, LIMIT)
    except NotThere:
        return None
    trouble, value = parsed(text, comments)
    return Document(path, entry, trouble, text, value)


def known(filesystem: Filesystem, path: str) -> Document | None:
    """Read a JSON object; None where there is none or we cannot tell."""
    try:
        found = document(filesystem, path) if path else None
    except CannotTell:
        return None
    return None if found is None or found.trouble else found


def parsed(text: bytes, comments: bool = False) -> tuple[str, dict[str, Any]]:
    """Return (why it is no JSON object, the object); raises `CannotTell` for what we cannot read.

    JSON is what JSON.parse takes: NaN and Infinity are none of it. `comments` is as `document`
    takes it.
    """
    if not text.strip():
        return ("it is empty (0 bytes)" if not text else "it holds nothing but blanks"), {}
    try:
        words = text.decode("utf-8-sig")
        value = json.loads(plain(words) if comments else words, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return f"it is not JSON: it breaks at line {error.lineno} column {error.colno}", {}
    except UnicodeDecodeError as error:
        return f"it is not UTF-8 at byte {error.start}", {}
    except RecursionError:
        raise CannotTell("a JSON file is nested too deeply for us") from None
    except ValueError as error:
        if "constant" in str(error):
            return "it is not JSON: a number is none", {}
        raise CannotTell("a number in a JSON file is too long for us") from None
    if not isinstance(value, dict):
        return f"it is JSON, but no object: {_KINDS.get(type(value), 'a number')}", {}
    return "", value


def plain(text: str) -> str:
    """Return JSONC as JSON: blanks stand for comments and last commas, so that places stay."""

    def blank(found: re.Match[str]) -> str:
        word = found[0]
        return word if word.startswith('"') else re.sub(r"[^\n]", " ", word)

    return _LAST_COMMA.sub(blank, _JSONC.sub(blank, text))


_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _no_constant(name: str) -> Never:
    raise ValueError(f"the constant {name}")


def mapping(value: object, *keys: str) -> dict[str, Any]:
    """Return the object below some keys; {} where anything else stands on the way."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
