"""A step that brings a text to UTF-8; what it was stays in the run's quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plugins.hands import content
from plugins.shell import line, quoted
from plugins.steps.contents import NewContent
from plugins.steps.step import Hands

_LIMIT = 64 << 20


@dataclass(frozen=True)
class Reencode(NewContent):
    """Write a text file anew in UTF-8.

    Args:
        path: the file.
        encoding: that it is in: "iso-8859-1", "utf-16" with its mark, "utf-8-sig", or "utf-8" with
            bytes that are none of it, which go.
    """

    encoding: str
    plain: ClassVar[bool] = True

    def put(self, hands: Hands) -> None:
        """Write it."""
        hands.use(content.reencode, self.path, hands.folders(), self.encoding, _LIMIT)

    def __str__(self) -> str:
        path = quoted(self.path)
        converted = line("iconv", "-f", self.encoding.upper(), "-t", "UTF-8", "--", self.path)
        if self.encoding == "utf-8-sig":
            converted = line("tail", "-c", "+4", "--", self.path)
        written = f'{converted} > "$new"'
        if self.encoding == "utf-8":
            # iconv writes all the rest, and says by its status that it left something out.
            converted = line("iconv", "-c", "-f", "UTF-8", "-t", "UTF-8", "--", self.path)
            written = f'{{ {converted} > "$new" || [ -s "$new" ]; }}'
        return (
            f'new=$(mktemp {quoted(f"{self.path}.XXXXXX")}) && cp -p -- {path} "$new"'
            f' && {written} && mv -- "$new" {path}'
        )
