"""Shell lines: how a step is shown to a person who wants to type it."""

from __future__ import annotations

import os
import re
import shlex


def quoted(word: str | bytes) -> str:
    """Return a word as bash reads it back, byte for byte.

    A word with control characters or bytes that are not UTF-8 is written as $'…', so that it can be
    shown on a terminal and still be typed.
    """
    raw = os.fsencode(word) if isinstance(word, str) else word
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and (text or not raw):
        return shlex.quote(text)
    return "$'" + re.sub(rb"[^ -&(-\[\]-~]", lambda m: b"\\%03o" % m[0][0], raw).decode() + "'"


def line(*words: str) -> str:
    """Return one command as a line for bash."""
    return " ".join(map(quoted, words))


def printed(content: bytes) -> str:
    """Return the command by which bash prints these bytes; a NUL fits into no word of its own."""
    if b"\0" not in content:
        return f"printf %s {quoted(content)}"
    octal = re.sub(rb"[^ -$&(-\[\]-~]", lambda m: b"\\%03o" % m[0][0], content).decode()
    return f"printf -- '{octal}'"
