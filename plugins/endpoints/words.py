"""A quick search for many words at once, by Hyperscan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.eyes.scan import Search


def finder(words: tuple[bytes, ...]) -> Search:
    """Return a search that gives each place of each word in a block; see `plugins.eyes.scan`.

    One is made for each log: two threads must not search with the same.
    """
    import hyperscan

    database = hyperscan.Database()
    database.compile(
        expressions=[re.escape(word) for word in words],
        ids=list(range(len(words))),
        flags=[0] * len(words),
    )

    def search(block: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []

        def met(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((number, end - 1))

        database.scan(block, match_event_handler=met)
        return found

    return search
