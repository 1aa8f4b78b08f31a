"""What signatures of known issues met in logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from plugins.endpoints.signatures import Signature


@dataclass(frozen=True)
class Hits:
    """How often something showed in a log.

    Attributes:
        count: lines, from the wanted time on.
        first_seen, last_seen: seconds since 1970, None when no line has a time; `first_seen` is
            good to the hour when there are more than 1000.
        lines: the newest three, printable and at most 300 characters each.
    """

    count: int
    first_seen: float | None
    last_seen: float | None
    lines: tuple[str, ...]

    def __add__(self, other: Hits) -> Hits:
        """Return what two logs show together."""
        older, newer = sorted((self, other), key=lambda hits: hits.last_seen or 0.0)
        begun = [at for at in (self.first_seen, other.first_seen) if at is not None]
        lines = (*older.lines, *newer.lines)[-3:]
        return Hits(self.count + other.count, min(begun, default=None), newer.last_seen, lines)


NO_HITS = Hits(0, None, None, ())


@dataclass(frozen=True)
class LogHits:
    """What showed in some logs in the time that is judged, by the key of the signature.

    Args:
        hits: by key.
        started: since when the program runs, in seconds since 1970; None when it does not.
    """

    hits: Mapping[str, Hits] = field(hash=False)
    started: float | None = None

    def of(self, signature: Signature) -> Hits:
        """How a signature shows; what kept a program from starting is over where one runs."""
        hits = self.hits.get(signature.key, NO_HITS)
        over = signature.of_start and self.started is not None
        return NO_HITS if over and (hits.last_seen or 0.0) < (self.started or 0.0) else hits


def together(scans: Iterable[Mapping[str, Hits]]) -> dict[str, Hits]:
    """Return what several logs show, each given by the keys of its signatures."""
    found: dict[str, Hits] = {}
    for seen in scans:
        for key, hits in seen.items():
            found[key] = found.get(key, NO_HITS) + hits
    return found
