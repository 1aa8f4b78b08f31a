"""The string literals of a JSON text and where they stand, so that one can be changed alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]')


@dataclass(frozen=True)
class Literal:
    """A string value of a JSON text.

    Args:
        path: the keys and indexes that lead to it.
        start: where its opening quote stands, in bytes.
        raw: its bytes, quotes included.
    """

    path: tuple[str | int, ...]
    start: int
    raw: bytes = field(repr=False)

    @property
    def value(self) -> str:
        """The text that it stands for."""
        return str(json.loads(self.raw))


def literals(text: bytes) -> Iterator[Literal]:
    """Yield the string values (no keys) of a valid JSON text in the order of the text."""
    path: list[str | int] = []
    key: bytes | None = None
    wants_key: list[bool] = []
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token in (b"{", b"["):
            is_object = token == b"{"
            path.append("" if is_object else 0)
            wants_key.append(is_object)
        elif token in (b"}", b"]"):
            path.pop()
            wants_key.pop()
        elif token == b",":
            here = path[-1]
            if isinstance(here, int):
                path[-1] = here + 1
            else:
                wants_key[-1] = True
        elif token == b":":
            path[-1] = str(json.loads(key or b'""'))
            wants_key[-1] = False
        elif wants_key and wants_key[-1]:
            key = token
        else:
            yield Literal(tuple(path), found.start(), token)
