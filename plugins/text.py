"""Text that came from a watched host, made safe to show.

Names, log lines and answers come from strangers. What is shown on a terminal, in HTML or in a
document passes through `printable`: no control character, no escape code, no line break and no
character that reorders its neighbours survives, and all of them stay visible as escapes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from plugins.redaction import redact

_BEYOND = 4096  # characters behind a cut that are looked at for the rest of a secret
# Bidirectional controls and invisible separators: they make a line read as what it is not.
_DECEIVING = "\u061c\u200b\u200e\u200f\ufeff\u2028-\u202e\u2066-\u2069"
_DANGEROUS = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_DECEIVING}]")


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character == "\n":
        return "\\n"
    if character == "\t":
        return " "
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0xA0 else f"\\u{code:04x}"


def printable(text: str | bytes, limit: int = 300) -> str:
    """Return the text on one line, every dangerous character as an escape.

    Args:
        text: anything; bytes are read as UTF-8, and what is not UTF-8 stays visible.
        limit: characters kept; what is cut is told by its count.
    """
    if isinstance(text, bytes):
        # Four bytes are enough for any character: a huge value is not decoded to be cut.
        text = text[: (limit + _BEYOND) * 4].decode("utf-8", "surrogateescape")
    cut = len(text) - limit
    if cut > 0:
        # Half a secret is not recognised any more, so it is masked before the cut, not after.
        unseen = text[limit + _BEYOND :]
        text = redact(text[: limit + _BEYOND])
        cut = len(unseen) + max(0, len(text) - limit)
    shown = _DANGEROUS.sub(_shown, text[:limit] if cut > 0 else text)
    return f"{shown[:limit]}… ({cut} more characters)" if cut > 0 else shown


EVIDENCE_MARK = "\n- "


def listed(sentence: str, items: Iterable[object]) -> str:
    """Build an assertion's message from a sentence and its evidence.

    The report splits the two again; an item cannot forge a second one, as line breaks in it
    are escaped.

    Args:
        sentence: what is wrong, without a full stop.
        items: what shows it, one thing each.
    """
    lines = [printable(str(item), 600) for item in items]
    return EVIDENCE_MARK.join([f"{printable(sentence, 600)}:" if lines else sentence, *lines])


def nearest(word: str, words: Sequence[str]) -> str:
    """Return `; did you mean X?` for the nearest of the words, or nothing."""
    close = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""
