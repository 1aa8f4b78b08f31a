"""Folding and words: what makes a text the same whatever its case and however JSON wrote it.

A word is a run of letters, digits, `_` and bytes that are not ASCII. Who searches for a text needs
only look where each of its runs is part of a word; nothing that `grep -iF` finds in the bytes, and
nothing that a person reads in the decoded text, is missed so.
"""

from __future__ import annotations

import os
import re

# Letters and digits stay, capitals turn small, everything else parts words.
_PARTED = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() or code == 0x5F or code > 0x7F else 0x20
    for code in range(128)
) + bytes(range(128, 256))
# grep takes both of these for an i, as the upper case of the one and the lower of the other is.
_TURKISH = {0x130: "i", 0x131: "i"}
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*|.)", re.DOTALL)
# A pattern, as `in` takes ten times as long for two bytes of which the first is frequent.
_CODE, _PAIR, _RARE = (re.compile(one) for one in (rb"\\u", rb"\\\\", rb"\\[trbf]"))
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}
_HEX = b"0123456789abcdef"
# Stands for the end of a line where `\n` is turned into a line break of the text.
LINE_END = b"\x1e"


def folded(text: bytes) -> bytes:
    """Return the text without differences of case; bytes that are not UTF-8 stay as they are."""
    if text.isascii():
        return text.lower()
    letters = text.decode("utf-8", "surrogateescape").translate(_TURKISH).casefold()
    return letters.encode("utf-8", "surrogateescape")


def unescaped(text: bytes) -> bytes:
    """Return JSON text with its escapes resolved, as a person reads it; quotes of JSON stay."""
    return _ESCAPE.sub(_resolved, text) if b"\\" in text else text


def _resolved(escape: re.Match[bytes]) -> bytes:
    letter = escape[0][1:2]
    if letter == b"u" and len(escape[0]) > 2:
        codes = [int(part, 16) for part in escape[0][2:].split(b"\\u")]
        units = b"".join(code.to_bytes(2, "little") for code in codes)
        return units.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
    return _PLAIN.get(letter, letter)


def words_of(lines: bytes) -> set[bytes]:
    """Return the distinct words of whole lines of JSON: of their text, and of their bytes."""
    text = lines
    if b"\\" in text:
        if _CODE.search(text):
            found = set(folded(text).translate(_PARTED).split())
            return found | set(folded(unescaped(text)).translate(_PARTED).split())
        # No escape but these makes the letter behind the backslash stand for something else.
        if _PAIR.search(text):
            text = text.replace(b"\\\\", b" ")
        for letter in _PLAIN if _RARE.search(text) else (b"n",):
            text = text.replace(b"\\" + letter, b" ")
    return set((text if text.isascii() else folded(text)).translate(_PARTED).split())


def is_hex(word: bytes) -> bool:
    """Tell whether a word could be part of a UUID: most words that are in one place only are."""
    return not word.translate(None, _HEX)


class Needle:
    """A text to search for.

    Args:
        text: as the command line gives it, not empty.
    """

    def __init__(self, text: str) -> None:
        self._exact = os.fsencode(text)
        self.bytes = folded(self._exact)
        self._odd = any(byte < 0x20 or byte in b'"\\' for byte in self.bytes)
        parted = self.bytes.translate(_PARTED)
        forms = (self._forms(run) for run in re.finditer(rb"[^ ]+", parted))
        # The longest are in the fewest places.
        self.wants = tuple(sorted(filter(None, forms), key=lambda one: -len(one[-1])))

    def _forms(self, run: re.Match[bytes]) -> tuple[bytes, ...]:
        """Return what stands among words, each between line breaks, where this run is in a text.

        One of them does; () where anything may. What has a neighbour in the needle is a word's
        beginning or end. In the bytes, `\\n` before a word makes another word of it.
        """
        end = b"\n" if run.end() < len(self.bytes) else b""
        before = self.bytes[run.start() - 1 : run.start()]
        plain = (b"\n" if before else b"") + run[0] + end
        if before not in (b"", b"\\") or run[0][:1] not in _PLAIN:
            return (plain,)
        return (plain, b"\n" + run[0][1:] + end) if len(run[0]) > 1 else ()

    def exactly(self, lines: bytes) -> tuple[int, int] | None:
        """Return where the first line begins and ends that holds it as it was given."""
        at = -1 if b"\n" in self._exact else lines.find(self._exact)
        return _line(lines, 0, at) if at >= 0 else None

    def within(self, lines: bytes) -> tuple[int, int] | None:
        """Return where the first line begins and ends that holds it, in the bytes or the text."""
        low = folded(lines)
        at = low.find(self.bytes)
        if at >= 0 and b"\n" not in self.bytes:
            return _line(lines, low.count(b"\n", 0, at), at if lines.isascii() else -1)
        if self._reads_otherwise(lines):
            text = folded(unescaped(lines.replace(b"\n", LINE_END)))
            at = text.find(self.bytes)
            if at >= 0:
                return _line(lines, text.count(LINE_END, 0, at), -1)
        return None

    def _reads_otherwise(self, lines: bytes) -> bool:
        """Tell whether the text may hold it though the bytes do not."""
        return (
            self._odd or _CODE.search(lines) is not None or (b"/" in self.bytes and b"\\/" in lines)
        )


def _line(lines: bytes, number: int, at: int) -> tuple[int, int]:
    if at >= 0:
        start = lines.rfind(b"\n", 0, at) + 1
    else:
        start = 0
        for _ in range(number):
            start = lines.find(b"\n", start) + 1
    end = lines.find(b"\n", start)
    return start, len(lines) if end < 0 else end
