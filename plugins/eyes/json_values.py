"""What a JSON file holds, or what is wrong with it and at which byte.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import json
from typing import Any

LONGEST = 200
ENTRIES = 100_000
DEEP = "is nested too deeply for us"
_LARGEST = 1e18


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _some_number(_digits: str) -> float:
    return _LARGEST


_DECODE = json.JSONDecoder(parse_constant=_no_number).decode
# A number of five thousand digits is refused by int(), but not by JSON.
_DECODE_HUGE = json.JSONDecoder(parse_constant=_no_number, parse_int=_some_number).decode
_SHAPES = {"object": dict, "list": list}
_MARK = b"\xef\xbb\xbf"


def judged(content: bytes, shape: str) -> tuple[Any, str, str]:
    """Give (value, what is wrong, the encoding in which it would be right), "" for nothing.

    Args:
        content: of the file.
        shape: "object", "list" or "any".
    """
    try:
        value = _DECODE(content.decode())
    except (ValueError, RecursionError):
        value, why = _again(content)
        if why:
            return None, why, _encoding(content, shape)
    wanted = _SHAPES.get(shape)
    if wanted is not None and value.__class__ is not wanted:
        return None, f"JSON, but no {shape}", ""
    if shape == "list" and len(value) > ENTRIES:
        return None, f"a list of more than {ENTRIES} entries", ""
    return value, "", ""


def _again(content: bytes) -> tuple[Any, str]:
    """Give (value, "") of what was refused for a long number only, else (None, why)."""
    if not content:
        return None, "empty (0 bytes)"
    if not content.strip(b"\0"):
        return None, f"nothing but {len(content)} null bytes"
    if content.startswith(_MARK):
        return None, "a byte order mark stands before it, at byte 0"
    text = ""
    try:
        text = content.decode()
        return _DECODE_HUGE(text), ""
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        return None, _where(text, error)
    except RecursionError:
        return None, DEEP
    except ValueError as error:
        at = max(content.find(b"NaN"), content.find(b"Infinity"))
        return None, f"not JSON at byte {at}: {error}"


def _where(text: str, error: json.JSONDecodeError) -> str:
    """Give the byte at which it ends too early or goes wrong."""
    at = len(text[: error.pos].encode())
    if error.msg.startswith("Unterminated string"):
        return f"cut off at byte {len(text.encode())}, in the string that begins at byte {at}"
    if error.pos >= len(text.rstrip()):
        return f"cut off at byte {at}"
    return f"not JSON at byte {at} (line {error.lineno} column {error.colno})"


def _encoding(content: bytes, shape: str) -> str:
    """Give the encoding in which it is what it should be, "" when there is none.

    "utf-8" is of what is UTF-8 but for some bytes.
    """
    wanted = _SHAPES.get(shape, object)
    for encoding, mark in (("utf-8-sig", _MARK), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff")):
        if content.startswith(mark):
            return encoding if _is(content, encoding, wanted) else ""
    try:
        content.decode()
    except UnicodeDecodeError:
        # Letters of several bytes that are right make it UTF-8 with some bytes that are not: read
        # as ISO-8859-1 every one of those letters would be lost.
        encoding = "iso-8859-1" if content.decode(errors="ignore").isascii() else "utf-8"
        return encoding if _is(content, encoding, wanted, errors="replace") else ""
    return ""


def _is(content: bytes, encoding: str, wanted: type, errors: str = "strict") -> bool:
    try:
        return isinstance(_DECODE_HUGE(content.decode(encoding, errors)), wanted)
    except (ValueError, RecursionError):
        return False


def told_of(value: Any, field: str) -> Any:
    """Give what may be told of a value, or of a field of it (`outer.inner`).

    Short texts and plain numbers are themselves, None is not there, and anything else is the name
    of its kind in a list of one. Of `?field` no more than its kind is told.
    """
    told = value
    for name in filter(None, field.lstrip("?").split(".")):
        told = told.get(name) if isinstance(told, dict) else None
    if told is None:
        return None
    if isinstance(told, str):
        short = len(told) <= LONGEST and not field.startswith("?")
        return told if short else ["text"]
    if isinstance(told, bool):
        return ["truth value"]
    if isinstance(told, (int, float)):
        return told if -_LARGEST < told < _LARGEST else ["number"]
    return ["object" if isinstance(told, dict) else "list"]
