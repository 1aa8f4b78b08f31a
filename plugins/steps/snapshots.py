"""Steps that take snapshots of Qdrant collections, and put collections back from them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from plugins.hands import qdrant_collections, qdrant_snapshots
from plugins.shell import line, quoted
from plugins.steps.places import Move
from plugins.steps.qdrant_dropping import DropOriginal, alone, whole_snapshot
from plugins.steps.qdrant_lines import OnQdrant, numbers_of, picked
from plugins.steps.step import Hands, Refusal, Step

_MAKING = 700.0
_MOVING = 6 * 3600.0


def _note(hands: Hands, what: str) -> str:
    """Return the file of the run that keeps what only the server could tell."""
    return os.path.join(os.path.dirname(hands.slot), what)


@dataclass(frozen=True)
class CreateSnapshot(OnQdrant):
    """Have the server make a snapshot of a collection, which stays on the server."""

    @property
    def brief(self) -> str:
        """What is made."""
        return f"make a snapshot of {quoted(self.collection)} on the server"

    def take(self, hands: Hands) -> None:
        """Make it."""
        words = (self.server, self.collection)
        made = hands.asked(qdrant_snapshots.create, *words, deadline=_MAKING)
        hands.asked(qdrant_snapshots.note, _note(hands, "snapshot"), made)
        hands.tell(f"the server made {made['name']}, {made['size']} bytes")

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that deletes it."""
        note = _note(hands, "snapshot")
        return (DeleteSnapshot(self.bare, self.collection, note, key=self.key),)

    def __str__(self) -> str:
        return self.curl("POST", "/snapshots?wait=true")


@dataclass(frozen=True)
class DeleteSnapshot(OnQdrant):
    """Delete the snapshot on the server that a `CreateSnapshot` made last.

    Args:
        note: the file that names it.
    """

    note: str

    def take(self, hands: Hands) -> None:
        """Delete it; refused when what has its name is not it. One that is gone is done."""
        made = hands.asked(qdrant_snapshots.noted, self.note)
        there = hands.asked(qdrant_snapshots.listed, self.server, self.collection)["snapshots"]
        found = [one for one in there if one["name"] == made["name"]]
        if found and found[0] != made:
            raise Refusal(f"{made['name']} on the server is not the snapshot that was made")
        if found:
            words = (self.server, self.collection, made["name"])
            hands.asked(qdrant_snapshots.delete, *words)

    def __str__(self) -> str:
        name = '"$(python3 -c \'import json,sys; print(json.load(sys.stdin)["name"])\' < '
        return f'{self.curl("DELETE", "/snapshots/")}{name}{quoted(self.note)})"'


@dataclass(frozen=True)
class TakeSnapshot(OnQdrant):
    """Bring a snapshot of a collection to this host: made, fetched, read to its end, compared.

    The server's own copy of one that was made for it is deleted afterwards.

    Args:
        path: the file, mode 0600; its checksum comes to stand beside it, as PATH.checksums.
        total: how many points the collection must hold, -1 for any.
        name: of one that the server has already, "" to have one made.
    """

    path: str
    total: int = -1
    name: str = ""

    @property
    def brief(self) -> str:
        """What is taken where to."""
        return f"take a snapshot of {quoted(self.collection)} to {quoted(self.path)}"

    @property
    def targets(self) -> tuple[str, ...]:
        """The file, and its checksum."""
        return (self.path, f"{self.path}.checksums")

    def take(self, hands: Hands) -> None:
        """Take it; nothing of it stays when it is not whole."""
        if self.name:
            self._fetch(hands, self._told(hands))
            return
        words = (self.server, self.collection)
        (number,) = numbers_of(hands, self, self.collection)
        if number < 0 or self.total not in (-1, number):
            raise Refusal(f"{self.collection} holds {number} points by now, and not {self.total}")
        made = hands.asked(qdrant_snapshots.create, *words, deadline=_MAKING)
        name, size = made["name"], made["size"]
        hands.tell(f"the server made {name}, {size} bytes")
        try:
            self._fetch(hands, made)
        finally:
            try:
                hands.asked(qdrant_snapshots.delete, *words, name)
            except Refusal as why:
                hands.tell(f"{name} stays on the server: {why}")
        if self.total >= 0 and numbers_of(hands, self, self.collection) != [self.total]:
            raise Refusal(f"somebody writes to {self.collection}")

    def _told(self, hands: Hands) -> dict[str, Any]:
        """Return what the server tells of the snapshot that it has already."""
        words = (self.server, self.collection)
        rows = hands.asked(qdrant_snapshots.listed, *words)["snapshots"]
        found: list[dict[str, Any]] = [row for row in rows if row["name"] == self.name]
        if not found:
            raise Refusal(f"there is no snapshot {self.name} on the server")
        return found[0]

    def _fetch(self, hands: Hands, made: dict[str, Any]) -> None:
        args = (self.server, self.collection, made["name"], made["size"], self.path)
        came = hands.asked(qdrant_snapshots.fetch, *args, hands.folders(), deadline=_MOVING)
        temporary, sha256 = came["temporary"], made["checksum"] or came["sha256"]
        try:
            whole_snapshot(hands, temporary, sha256, made["size"])
            hands.tell(f"it was fetched, and is whole: {came['size']} bytes, SHA-256 {sha256}")
            hands.asked(qdrant_snapshots.settle, temporary, self.path, sha256, hands.folders())
        except Refusal as why:
            hands.asked(qdrant_snapshots.let_go, temporary, hands.folders())
            raise Refusal(f"{made['name']}: {str(why).removeprefix(temporary)}") from None

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that puts it away, if the collection stands without it."""
        args = (self.bare, self.collection, self.path, hands.slot)
        return (PutAwaySnapshot(*args, key=self.key, total=max(self.total, 0)),)

    def __str__(self) -> str:
        path, fetched = quoted(self.path), self.curl("", "/snapshots/", "", "-o", self.path)
        summed = f'sum="$(printf %s "$made" | {picked("checksum")})"'
        own = f'{{ [ "$sum" != None ] || sum="$(sha256sum < {path} | cut -c1-64)"; }}'
        noted = f"printf 'SHA256:%s:%s\\n' \"$sum\" {quoted(os.path.basename(self.path))}"
        deleted = self.curl("DELETE", "/snapshots/")
        made = self.curl("POST", "/snapshots?wait=true")
        name = f'name="$(printf %s "$made" | {picked("name")})"'
        if self.name:
            made, name, deleted = "echo", f"name={quoted(quote(self.name, safe=''))}", ""
            summed = "sum=None"
        return (
            f"made=$({made}) && {name}"
            f' && (umask 077; {fetched}"$name") && {summed} && {own}'
            f" && (umask 077; {noted} > {path}.checksums)"
            f' && echo "$sum  "{path} | sha256sum -c --quiet'
            f" && {line('tar', '-tf', self.path)} > /dev/null"
            + (f' && {deleted}"$name"' if deleted else "")
        )


@dataclass(frozen=True)
class PutAwaySnapshot(OnQdrant):
    """Move a snapshot that was taken into the quarantine, if its collection stands.

    Args:
        path: the snapshot.
        slot: where to.
        total: how many points the collection must hold at least.
    """

    path: str
    slot: str
    total: int = 0

    def take(self, hands: Hands) -> None:
        """Move it, and its checksum; refused when what it holds may stand nowhere else."""
        told = hands.asked(qdrant_snapshots.marked, alone(self.slot, self.path))
        if told["marked"]:
            raise Refusal(f"{self.collection} was dropped and not put back from it: it stays")
        (number,) = numbers_of(hands, self, self.collection)
        if number < self.total:
            raise Refusal(f"{self.collection} is not what it was: {self.path} stays")
        Move(f"{self.path}.checksums", f"{self.slot}.checksums").take(hands)
        Move(self.path, self.slot).take(hands)

    def __str__(self) -> str:
        stands = f"[ {self.counted} -ge {self.total} ]"
        return f'{stands} && mv -n -- {quoted(self.path)}{{,.checksums}} "$(mktemp -d)/"'


@dataclass(frozen=True)
class RestoreSnapshot(OnQdrant):
    """Put a collection that is not there back from a snapshot.

    Args:
        path: the snapshot on this host, which is uploaded, or where `location` is given the one
            that this is read from.
        total: how many points must come, -1 for any.
        location: a URI by which the server itself reads the snapshot; "" to upload it.
    """

    path: str
    total: int = field(default=-1, kw_only=True)
    location: str = field(default="", kw_only=True)

    @property
    def brief(self) -> str:
        """What is put back."""
        return f"put {quoted(self.collection)} back from {quoted(self.location or self.path)}"

    def take(self, hands: Hands) -> None:
        """Put it back, and count; what came of a broken attempt is dropped again."""
        sha256 = whole_snapshot(hands, self.path) if self.path else ""
        if numbers_of(hands, self, self.collection) != [-1]:
            raise Refusal(f"{self.collection} is there: it is not written over")
        words: tuple[Any, ...] = (self.server, self.collection)
        hands.tell(f"{self.collection} is put back from {self.location or self.path}")
        try:
            if self.location:
                args = (*words, self.location, sha256)
                came = hands.asked(qdrant_snapshots.recover, *args, deadline=_MOVING)
            else:
                args = (*words, self.path, sha256, hands.folders())
                came = hands.asked(qdrant_snapshots.upload, *args, deadline=_MOVING)
            if self.total not in (-1, came["points"]):
                raise Refusal(f"{came['points']} points came, and not {self.total}")
            hands.asked(qdrant_snapshots.note, _note(hands, "restored"), came)
            hands.asked(qdrant_snapshots.unmark, alone(hands.slot, self.path))
        except Refusal as why:
            raise Refusal(f"{why}{self._cleared(hands)}") from None
        hands.tell(f"{self.collection} holds {came['points']} points")

    def _cleared(self, hands: Hands) -> str:
        try:
            hands.asked(qdrant_collections.drop_unfinished, self.server, self.collection)
        except Refusal as why:
            return f"; {self.collection} may be there in part ({why})"
        return ""

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that drops it, if it is still what came."""
        note = _note(hands, "restored")
        return (DropRestored(self.bare, self.collection, self.path, note, key=self.key),)

    def __str__(self) -> str:
        if self.location:
            body = f'{{"location":"{self.location}","priority":"snapshot"}}'
            return self.curl("PUT", "/snapshots/recover?wait=true", body)
        sent = ("-F", f"snapshot=@{self.path}")
        return self.curl("POST", "/snapshots/upload?wait=true&priority=snapshot", "", *sent)


@dataclass(frozen=True)
class DropRestored(OnQdrant):
    """Drop a collection that a `RestoreSnapshot` put back, if it holds what came.

    Args:
        path: the snapshot, which must still be whole; "" where it is the server's.
        note: the file that says how many points came.
    """

    path: str
    note: str

    def take(self, hands: Hands) -> None:
        """Drop it."""
        came = hands.asked(qdrant_snapshots.noted, self.note)
        if not self.path:
            raise Refusal(f"{self.collection} stands in no snapshot of this host: it stays")
        # What was written since may have as many points: it is kept, with the run.
        beside = os.path.join(os.path.dirname(hands.slot), f"undone-{time.time_ns()}.snapshot")
        words = (self.url, self.collection, beside, came["points"])
        TakeSnapshot(*words, key=self.key).take(hands)
        DropOriginal(*words, key=self.key).take(hands)

    def __str__(self) -> str:
        listed = f"{line('tar', '-tf', self.path)} > /dev/null && " if self.path else ""
        return f"{listed}{self.curl('DELETE', '')}"
