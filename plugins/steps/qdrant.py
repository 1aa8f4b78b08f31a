"""Steps that make, copy and drop Qdrant collections; nothing is dropped that has no copy."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from plugins.hands import qdrant_collections, qdrant_points
from plugins.shell import quoted
from plugins.steps.qdrant_lines import OnQdrant, copied, numbers_of
from plugins.steps.step import Hands, Refusal, Step

_AT_A_TIME = 5.0  # seconds of copying between two lines of progress
_ROUND_TRIP = 900.0


@dataclass(frozen=True)
class CreateCollection(OnQdrant):
    """Make an empty collection.

    Args:
        body: of the request, JSON.
        indexes: (field of the payload, its schema as JSON).
    """

    body: str
    indexes: tuple[tuple[str, str], ...] = ()

    @property
    def brief(self) -> str:
        """What is made."""
        return f"make the collection {quoted(self.collection)}"

    def take(self, hands: Hands) -> None:
        """Make it; refused when it is there already."""
        rows = [list(row) for row in self.indexes]
        hands.asked(qdrant_collections.create, self.server, self.collection, self.body, rows)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that drops it if it is still empty."""
        del hands
        return (DropEmpty(self.bare, self.collection, key=self.key),)

    def __str__(self) -> str:
        return " && ".join((self.curl("PUT", "", self.body), *self.indexed()))

    def indexed(self) -> tuple[str, ...]:
        """Return the lines that make the indexes."""
        return tuple(
            self.curl("PUT", "/index?wait=true", f'{{"field_name":{json.dumps(name)},{said}}}')
            for name, said in ((name, f'"field_schema":{schema}') for name, schema in self.indexes)
        )


@dataclass(frozen=True)
class DropEmpty(OnQdrant):
    """Drop a collection that holds nothing."""

    @property
    def brief(self) -> str:
        """What is dropped."""
        return f"drop the collection {quoted(self.collection)} while it is empty"

    def take(self, hands: Hands) -> None:
        """Drop it; refused when it holds points."""
        hands.asked(qdrant_collections.drop, self.server, self.collection, 0)

    def __str__(self) -> str:
        return f"{self.holds(0)} && {self.curl('DELETE', '')}"


@dataclass(frozen=True)
class CopyCollection(CreateCollection):
    """Make a collection and copy the points of another one into it; each is read back.

    Ids, payloads and vectors stay as they are; what it could not finish it drops again.

    Args:
        source: the collection that is copied, which is only read.
        total: how many points the source must hold, so that no writing meanwhile is lost.
        fitting: how many of them have the vector that is moved; the others are left out.
        moved: (name of a vector in the source, "" for that without one; its name in the copy), or
            () where the two have the same names.
        onto: the collection is there already, and gets the points that it lacks.
    """

    source: str = field(kw_only=True)
    total: int = field(kw_only=True)
    fitting: int = field(kw_only=True)
    moved: tuple[str, ...] = ()
    onto: bool = False

    @property
    def brief(self) -> str:
        """What is copied."""
        return f"copy {self.fitting} points of {quoted(self.source)} to {quoted(self.collection)}"

    def take(self, hands: Hands) -> None:
        """Copy them."""
        self._unchanged(hands)
        if not self.onto:
            CreateCollection.take(self, hands)
        try:
            self._copy(hands)
            self._unchanged(hands)
        except Refusal as why:
            raise Refusal(f"{why}{self._cleared(hands)}") from None

    def _copy(self, hands: Hands) -> None:
        at, done, left = None, 0, 0
        names = (self.server, self.source, self.collection, list(self.moved), self.onto)
        while True:
            words = (*names, at, _AT_A_TIME)
            told = hands.asked(qdrant_points.copy_some, *words, deadline=_ROUND_TRIP)
            at, done, left = told["next"], done + told["copied"], left + told["left"]
            hands.tell(f"{self.collection}: {done} of {self.fitting} points are copied")
            if at is None:
                break
            if done + left > self.total:
                raise Refusal(f"{self.source} gives more points than it counts")
        (number,) = numbers_of(hands, self, self.collection)
        short = number < done if self.onto else number != done
        if short or done != self.fitting or done + left != self.total:
            raise Refusal(
                f"{self.collection} holds {number} points: {done} of {self.fitting} were copied"
            )

    def _unchanged(self, hands: Hands) -> None:
        (number,) = numbers_of(hands, self, self.source)
        if number != self.total:
            was = f"{self.source} held {self.total} points when it was looked at"
            raise Refusal(f"{was}, and holds {number} now: somebody writes to it")

    def _cleared(self, hands: Hands) -> str:
        if self.onto:
            return ""
        try:
            hands.asked(qdrant_collections.drop_unfinished, self.server, self.collection)
        except Refusal as why:
            return f"; what was copied of it stays in {self.collection} ({why})"
        return ""

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that drops the copy, if the source still holds all of it."""
        from plugins.steps.qdrant_dropping import DropCopy

        del hands
        if self.onto:
            return ()
        return (DropCopy(self.bare, self.collection, self.source, key=self.key),)

    def __str__(self) -> str:
        made = () if self.onto else (CreateCollection.__str__(self),)
        lines = (*made, copied(self.of(self.source), self, self.moved))
        out = self.total - self.fitting
        left = f" # {self.fitting} points fit; {out} stay in the snapshot alone" if out else ""
        counted = () if self.onto else (self.holds(self.fitting),)
        return f"{' && '.join((*lines, *counted))}{left}"
