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
        encoding: that it is in: "iso-8859-1", "utf-16" with its mark, or "utf-8-sig".
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
        return (
            f'new=$(mktemp {quoted(f"{self.path}.XXXXXX")}) && cp -p -- {path} "$new"'
            f' && {converted} > "$new" && mv -- "$new" {path}'
        )
