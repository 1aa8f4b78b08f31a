"""Steps: frozen data of one thing to do on a host, with its inverse and its shell line.

A step does nothing until `take` is called with the hands of a run. `str(step)` is the line that a
person would type instead; it is proven by the scenarios. A file step refuses a target that is a
symbolic link, that lies outside the roots of its system, that changed since the probe saw it
(`seen`, the `identity` of an entry) or that a process holds open for writing; mode and owner of a
file with a second name (hard link) are not changed, as that name may lie outside.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from plugins.hands import tree
from plugins.hosts import Host
from plugins.outcomes import NoFact


class Refusal(Exception):  # noqa: N818 - a step that is refused is no error of the checker
    """A step was not taken; the message says why in one sentence."""


@dataclass(frozen=True)
class Hands:
    """What a step works with: the host, where it may write, and its quarantine slot.

    Args:
        host: where the step is taken.
        roots: folders below which it may write.
        slot: a path, not yet there, for what the step replaces or removes.
        tell: takes a line of what a long step has done so far.
    """

    host: Host
    roots: tuple[str, ...]
    slot: str
    tell: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def use(self, hand: Callable[..., dict[str, str]], *args: Any) -> None:
        """Let a hand do its work on the host; raise `Refusal` when it did not."""
        self.asked(hand, *args)

    def asked(
        self, hand: Callable[..., dict[str, Any]], *args: Any, deadline: float = 300.0
    ) -> dict[str, Any]:
        """Let a hand do its work on the host, and return what it tells of it.

        Args:
            hand: what does it.
            args: JSON values.
            deadline: seconds for the round trip to a far host.

        Raises:
            Refusal: it did not do it; says why.
        """
        where = f"{args[0]}: " if isinstance(args[0], str) else ""
        try:
            answer = self.host.call(hand, *args, deadline=deadline)
        except OSError as error:
            raise Refusal(f"{where}{error.strerror or error}") from None
        except (EOFError, ValueError, zlib.error, NoFact) as error:
            raise Refusal(f"{where}{error}") from None
        if "refused" in answer:
            raise Refusal(f"{where}{answer['refused']}")
        return answer

    def folders(self) -> list[str]:
        """Return the roots and the quarantine: everywhere that a hand may write."""
        return [*self.roots, os.path.dirname(self.slot)]


class Step(Protocol):
    """What the journal and the fixing know of a step."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The paths whose state tells whether somebody changed what the step did."""

    @property
    def brief(self) -> str:
        """The step in a line, without the content of any file: what the journal holds."""

    def take(self, hands: Hands) -> None:
        """Do it; raise `Refusal` when it cannot or may not be done."""

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return what takes the step back; asked before the step is taken."""

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return unified diff lines of what would change in a file; mostly none."""


@dataclass(frozen=True)
class OnFile:
    """One target, looked at once more before it is touched."""

    path: str
    seen: str = field(default="", kw_only=True)
    links: ClassVar[bool] = False
    busy: ClassVar[bool] = False
    plain: ClassVar[bool] = False
    light: ClassVar[bool] = False  # the journal knows its targets by identity, and reads none

    @property
    def targets(self) -> tuple[str, ...]:
        """The path."""
        return (self.path,)

    @property
    def brief(self) -> str:
        """The shell line."""
        return str(self)

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return nothing: the content stays."""
        del hands
        return ()

    def ask(self, hands: Hands) -> None:
        """Look at the target once more; raise `Refusal` when it may not be touched."""
        args = (self.path, hands.folders(), self.seen, self.links, self.busy, self.plain)
        try:
            why = hands.host.call(tree.refusal, *args, deadline=30.0)
        except (OSError, ValueError, NoFact) as error:
            why = str(error)
        if why:
            raise Refusal(f"{self.path}: {why}")

    def state(self, hands: Hands, *, light: bool = False) -> tree.State:
        """Return what stands at the target now; `light` reads no content."""
        words = (self.path, hands.folders(), light)
        try:
            return hands.host.call(tree.state, *words, deadline=300.0)
        except OSError as error:
            raise Refusal(f"{self.path}: {error.strerror or error}") from None
        except (ValueError, NoFact) as error:
            raise Refusal(f"{self.path}: {error}") from None
