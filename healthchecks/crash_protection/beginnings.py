"""How far a conversation and a copy are the same: what was read once is not read again.

What is known of two files holds as long as both are what they were. Of files that only grew since,
what lies before is believed, when the last 4096 bytes of it are still the same in both.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from plugins.endpoints import history
from plugins.hands import prefixes
from plugins.hosts import Host
from plugins.kept import Kept

_AT_ONCE, _MOST = 64, 60_000
Row = tuple[str, str, int, int, int]  # both marks, the common bytes, both sizes


@dataclass(frozen=True, slots=True)
class Side:
    """One of two files: its path, the folder below which no link is followed, how it stands."""

    path: str
    top: str
    identity: str
    ctime_ns: int = 0

    @property
    def mark(self) -> str:
        """Changes with whatever is written to it: who sets its time back sets this forward."""
        return f"{self.identity}@{self.ctime_ns}"


@dataclass(frozen=True, slots=True)
class Common:
    """The bytes that two files begin with alike, both sizes, and `why` one could not be read."""

    bytes: int
    one: int
    other: int
    why: str = ""


@dataclass
class _Known:
    """What is known of pairs of paths, and when that was written down, on the monotonic clock."""

    rows: dict[tuple[str, str], Row]
    written: float = 0.0
    new: bool = False


class Beginnings:
    """Compares files of a host, and remembers what it saw.

    Args:
        host: where they are.
        kept: what this process remembers.
        folder: where it is written down for the next one.
        question: whose files these are.
        every: seconds between two times that it is written down.
    """

    def __init__(
        self, host: Host, kept: Kept, folder: str, question: tuple[str, ...], every: float = 0.0
    ) -> None:
        self._host, self._folder, self._question, self._every = host, folder, question, every
        known = kept.get("beginnings")
        if not isinstance(known, _Known):
            known = kept["beginnings"] = _Known(_recalled(folder, question))
        self._all = known

    def of(self, pairs: Iterable[tuple[Side, Side]]) -> list[Common]:
        """Return what each pair has in common."""
        asked = list(pairs)
        found = [self.known(one, other) for one, other in asked]
        unknown = [number for number, known in enumerate(found) if known is None]
        for first in range(0, len(unknown), _AT_ONCE):
            some = unknown[first : first + _AT_ONCE]
            for number, common in zip(some, self._read([asked[n] for n in some]), strict=True):
                found[number] = common
        self._write()
        return [common for common in found if common is not None]

    def learn(self, one: Side, other: Side, common: Common) -> None:
        """Remember what was found in another way."""
        row = (one.mark, other.mark, common.bytes, common.one, common.other)
        self._all.rows.pop((one.path, other.path), None)  # the newest are last
        self._all.rows[one.path, other.path] = row
        self._all.new = True
        while len(self._all.rows) > _MOST:
            del self._all.rows[next(iter(self._all.rows))]

    def known(self, one: Side, other: Side) -> Common | None:
        """Return what is known of two files without reading them."""
        row = self._all.rows.get((one.path, other.path))
        if row is None or row[:2] != (one.mark, other.mark):
            return None
        return Common(row[2], row[3], row[4])

    def _read(self, pairs: list[tuple[Side, Side]]) -> list[Common]:
        rows = [
            [one.path, one.top, other.path, other.top, self._believed(one, other)]
            for one, other in pairs
        ]
        found = []
        told = self._host.call(prefixes.compare, rows, deadline=300.0)
        for (one, other), row in zip(pairs, told, strict=True):
            size, other_size = row["sizes"]
            common = Common(row["common"], size, other_size, row["why"])
            if not common.why:
                first, second = zip(row["identities"], row["ctimes"], strict=True)
                self.learn(
                    Side(one.path, one.top, *first), Side(other.path, other.top, *second), common
                )
            found.append(common)
        return found

    def _believed(self, one: Side, other: Side) -> int:
        row = self._all.rows.get((one.path, other.path))
        if row is None or not (_grew(row[0], one.mark) and _grew(row[1], other.mark)):
            return 0
        return row[2]

    def _write(self) -> None:
        """Write down what is known, now and then."""
        now = time.monotonic()
        due = not self._all.written or now - self._all.written > self._every
        if self._all.new and due:
            self._all.written, self._all.new = now, False
            rows = [[*pair, *row] for pair, row in self._all.rows.items()]
            history.keep(self._folder, self._question, {"rows": rows})


def _recalled(folder: str, question: tuple[str, ...]) -> dict[tuple[str, str], Row]:
    rows = history.recall(folder, question).get("rows", ())
    return {(row[0], row[1]): (*row[2:],) for row in rows if len(row) == 7}


def _grew(before: str, now: str) -> bool:
    """Tell whether a mark is the one before, or that of the same file, longer by now."""
    if before == now:
        return True
    node, size, _ = before.rsplit(":", 2)
    other, longer, _ = now.rsplit(":", 2)
    return node == other and int(longer) > int(size)
