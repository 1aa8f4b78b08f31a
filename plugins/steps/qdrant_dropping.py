"""Steps that drop Qdrant collections, when all of what they hold is seen to stand elsewhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from plugins.eyes import checksums, plain_tars
from plugins.hands import qdrant_collections, qdrant_points, qdrant_snapshots
from plugins.outcomes import NoFact
from plugins.shell import line, quoted
from plugins.steps.qdrant import CopyCollection
from plugins.steps.qdrant_lines import OnQdrant, numbers_of
from plugins.steps.step import Hands, Refusal, Step

_AT_A_TIME = 5.0  # seconds of comparing between two lines of progress
_ROUND_TRIP = 900.0
_READING = 3600.0


@dataclass(frozen=True)
class DropCopy(OnQdrant):
    """Drop a collection of which another one holds every point, with the same payload.

    Args:
        other: that collection.
        body, indexes: as `CreateCollection` has them: by these the copy can be made again; "" where
            it need not be.
    """

    other: str
    body: str = ""
    indexes: tuple[tuple[str, str], ...] = ()

    @property
    def brief(self) -> str:
        """What is dropped."""
        return f"drop {quoted(self.collection)}, all of which is in {quoted(self.other)}"

    def take(self, hands: Hands) -> None:
        """Drop it; refused when the other one lacks a point. One that is gone is done."""
        there, other = numbers_of(hands, self, self.collection, self.other)
        if there < 0:
            return
        if other < there:
            held = f"{self.other} holds {other}" if other >= 0 else f"{self.other} is not there"
            raise Refusal(f"{self.collection} holds {there} points, and {held}: it is not dropped")
        _contained(hands, self, self.collection, self.other, there)
        hands.asked(qdrant_collections.drop, self.server, self.collection, there)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that makes it again."""
        if not self.body:
            return ()
        there, other = numbers_of(hands, self, self.collection, self.other)
        if there < 0:
            return ()
        again: dict[str, Any] = {"source": self.other, "total": other, "fitting": other}
        words = (self.bare, self.collection, self.body, self.indexes)
        return (CopyCollection(*words, key=self.key, **again),)

    def __str__(self) -> str:
        there = f"[ {self.of(self.other).counted} -ge {self.counted} ]"
        return f"{there} && {self.curl('DELETE', '')}"


@dataclass(frozen=True)
class DropOriginal(OnQdrant):
    """Drop a collection that stands in a verified snapshot on this host.

    Args:
        snapshot: the path of that, with its checksum beside it.
        total: how many points the collection must hold, so that no writing meanwhile is lost.
        copy: a collection that must stand beside it, "" for none.
        fitting: how many points that one must hold.
    """

    snapshot: str
    total: int
    copy: str = ""
    fitting: int = 0

    @property
    def brief(self) -> str:
        """What is dropped."""
        return f"drop the collection {quoted(self.collection)}, kept in {quoted(self.snapshot)}"

    def take(self, hands: Hands) -> None:
        """Read the snapshot to its end once more, compare, count, and drop the collection."""
        whole_snapshot(hands, self.snapshot)
        if self.copy:
            (number,) = numbers_of(hands, self, self.copy)
            if number != self.fitting:
                raise Refusal(f"{self.copy} holds {number} points, not {self.fitting}")
            # What was written over since it was copied has the same number of points.
            _contained(hands, self, self.copy, self.collection, number)
        hands.asked(qdrant_snapshots.mark, alone(hands.slot, self.snapshot))
        try:
            hands.asked(qdrant_collections.drop, self.server, self.collection, self.total)
        except Refusal as why:
            raise Refusal(f"{why}; {self._stands(hands)}") from None

    def _stands(self, hands: Hands) -> str:
        """Return what became of a collection whose dropping failed; put it back if it is gone."""
        try:
            (number,) = numbers_of(hands, self, self.collection)
            if number >= self.total:
                hands.asked(qdrant_snapshots.unmark, alone(hands.slot, self.snapshot))
                return f"{self.collection} is still there"
            if number >= 0:
                # A memory server makes its collection anew when it finds none.
                held = f"what it held stands in {self.snapshot}"
                return f"{self.collection} holds {number} points by now; {held}"
            for back in self.inverse(hands):
                back.take(hands)
        except Refusal as why:
            return f"{self.collection} may be gone: it stands in {self.snapshot} ({why})"
        return f"{self.collection} was gone, and was put back from {self.snapshot}"

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that puts it back from the snapshot."""
        from plugins.steps.snapshots import RestoreSnapshot

        del hands
        words = (self.bare, self.collection, self.snapshot)
        return (RestoreSnapshot(*words, key=self.key, total=self.total),)

    def __str__(self) -> str:
        copied_ = (self.of(self.copy).holds(self.fitting),) if self.copy else ()
        listed = f"{line('tar', '-tf', self.snapshot)} > /dev/null"
        words = (listed, self.holds(self.total), *copied_, self.curl("DELETE", ""))
        return " && ".join(words)


def alone(slot: str, snapshot: str) -> str:
    """Return the mark of a run which says that what it dropped stands in a snapshot alone.

    Args:
        slot: of a step of the run.
        snapshot: its path.
    """
    return os.path.join(os.path.dirname(slot), f"dropped-{os.path.basename(snapshot)}")


def _contained(hands: Hands, step: OnQdrant, name: str, other: str, there: int) -> None:
    """Refuse when another collection lacks one of the points of one, or has it otherwise."""
    at, seen = None, 0
    while True:
        words = (step.server, name, other, at, _AT_A_TIME)
        told = hands.asked(qdrant_points.contained, *words, deadline=_ROUND_TRIP)
        at, seen = told["next"], seen + told["seen"]
        if told["lost"]:
            lost = f"point {told['lost']} of {name} is not in {other} as it is there"
            raise Refusal(f"{lost}: nothing is dropped")
        hands.tell(f"{name}: {seen} of {there} points stand in {other}")
        if at is None:
            break
        if seen > there:
            raise Refusal(f"{name} gives more points than it counts")
    if seen < there:
        raise Refusal(f"{name} counts {there} points and gives {seen}: nothing is dropped")


def whole_snapshot(hands: Hands, path: str, sha256: str = "", size: int = -1) -> str:
    """Read a snapshot on the host to its end, and return its checksum.

    Args:
        hands: whose host it is on.
        path: of the snapshot.
        sha256: that it must have; "" for the one beside it, where one is.
        size: bytes that it must have, -1 for any.

    Raises:
        Refusal: it is not whole, or not what it was.
    """
    try:
        told = hands.host.call(plain_tars.read_plain, path, _READING, deadline=_READING + 10)
        known = sha256 or hands.host.call(checksums.beside, path)
    except (OSError, NoFact) as error:
        raise Refusal(f"{path}: {error}") from None
    fault = told["fault"] or ("it could not be read in time" if told["late"] else "")
    if not fault and not told["members"]:
        fault = "it holds nothing"
    if not fault and size not in (-1, told["bytes"]):
        fault = f"it has {told['bytes']} bytes, and not {size}"
    if not fault and known not in ("", told["sha256"]):
        fault = "its SHA-256 is not what it should be"
    if fault:
        raise Refusal(f"{path}: {fault}")
    checksum: str = told["sha256"]
    return checksum
