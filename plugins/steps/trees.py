"""Steps that copy what somebody wants to keep: whole trees, and keys of a document."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import ClassVar

from plugins.hands import documents, trees
from plugins.shell import line, quoted
from plugins.steps.contents import NewContent
from plugins.steps.places import Move
from plugins.steps.step import Hands, OnFile, Step


@dataclass(frozen=True)
class CopyTree(OnFile):
    """Copy a folder to a name that is free, for its owner alone; compared before it counts.

    Args:
        path: the copy.
        source: the folder. It may be in use.
    """

    source: str

    def take(self, hands: Hands) -> None:
        """Copy it; refused when something of that name is there, or the disk has no room."""
        self.ask(hands)
        hands.use(trees.copy_tree, self.source, self.path, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that moves the copy into the quarantine."""
        return (Move(self.path, hands.slot),)

    def __str__(self) -> str:
        # A link that names the folder is followed, as those in it are not: hence the dot.
        inside = os.path.join(self.source, ".")
        made = line("mkdir", "-m", "700", "--", self.path)
        copied = line("cp", "-a", "--", inside, self.path)
        return f"{made} && {copied} && chmod -R go-rwx -- {quoted(self.path)}"


@dataclass(frozen=True)
class TakeOver(NewContent):
    """Give a JSON file the values that keys have in another one; the values are never shown.

    Args:
        path: the file that is written anew; its other keys stay.
        source: the file that the values come from.
        keys: of the object itself.
    """

    source: str
    keys: tuple[str, ...]
    plain: ClassVar[bool] = True

    def put(self, hands: Hands) -> None:
        """Write it."""
        folders = [*hands.folders(), os.path.dirname(self.source)]
        hands.use(documents.take_over, self.path, self.source, list(self.keys), folders)

    def __str__(self) -> str:
        keys = json.dumps(list(self.keys))
        given = "if ($from | has($key)) then .[$key] = $from[$key] else . end"
        program = f".[1] as $from | reduce {keys}[] as $key (.[0]; {given})"
        path = quoted(self.path)
        return (
            f"new=$(mktemp {quoted(f'{self.path}.XXXXXX')})"
            f' && cp -p -- {path} "$new" && chmod go= "$new"'
            f' && jq -s {quoted(program)} {path} {quoted(self.source)} > "$new"'
            f' && mv -- "$new" {path}'
        )
