"""What may be wrong with a world's Qdrant, planted on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Canned(NamedTuple):
    """An answer that is given whatever was asked.

    Args:
        status: of HTTP.
        kind: the content type.
        body: as bytes.
        headers: further ones.
    """

    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Faults:
    """Everything is well as long as nothing is set; it may be changed while the server runs.

    The keys of `slow` and `answers`, and what `hung` and `dripping` hold, are endings of paths,
    such as "points/query"; "" is every path.

    Args:
        slow: seconds before an answer begins.
        hung: paths that are never answered.
        dripping: paths whose answer comes a byte at a time.
        answers: paths that are answered so whatever was asked.
        status: the status that every collection tells, "" for its own.
        optimizer: the error that its optimizer tells.
        counts: what a collection tells of itself in place of its own counts, such as
            {"indexed_vectors_count": 0}.
        exact: what an exact count tells, None for the truth.
        full: whether writing is answered by 507.
        upserts_left: how many writes of points are still taken, before the server errs; None for
            all.
        loses: of every so many points that are written one is lost in silence; 0 for none.
        cut: the share of a snapshot after which its download breaks off; None for all of it.
        short: whether a download that is cut ends as if it were whole.
        checksum: the checksum that snapshots are said to have, "" for their own.
        without_checksums: whether none is told, as older servers do.
        old: whether it answers as servers before 1.5 did: no /healthz, no points/query.
    """

    slow: dict[str, float] = field(default_factory=dict)
    hung: tuple[str, ...] = ()
    dripping: tuple[str, ...] = ()
    answers: dict[str, Canned] = field(default_factory=dict)
    status: str = ""
    optimizer: str = ""
    counts: dict[str, int | None] = field(default_factory=dict)
    exact: int | None = None
    full: bool = False
    upserts_left: int | None = None
    loses: int = 0
    cut: float | None = None
    short: bool = False
    checksum: str = ""
    without_checksums: bool = False
    old: bool = False

    def delay(self, path: str) -> float:
        """Return how many seconds an answer waits."""
        return sum(seconds for ending, seconds in self.slow.items() if path.endswith(ending))

    def hangs(self, path: str) -> bool:
        """Tell whether nothing is ever answered."""
        return path.endswith(self.hung) if self.hung else False

    def drips(self, path: str) -> bool:
        """Tell whether the answer comes a byte at a time."""
        return path.endswith(self.dripping) if self.dripping else False

    def canned(self, path: str) -> Canned | None:
        """Return the answer that is given whatever was asked."""
        return next((said for ending, said in self.answers.items() if path.endswith(ending)), None)

    @property
    def foreign(self) -> bool:
        """Whether answers are not those that Qdrant's own description promises."""
        return bool(self.answers or self.dripping or self.old)
