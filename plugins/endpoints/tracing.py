"""What a probe asked of the file system, so that a later round can tell whether it would differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from plugins.endpoints.memory import Memory
from plugins.outcomes import NoFact

T = TypeVar("T")


def _outcome(memory: Memory, question: Hashable, ask: Callable[[], Any]) -> object:
    """Return the answer; what was met instead stands for itself, as its kind and words."""
    try:
        return memory.once(question, ask)
    except (OSError, ValueError, NoFact) as why:
        return type(why), str(why)


class Trace:
    """Every question that one probe asked, with its answer.

    Who asks them all again and gets equal answers would see the same fact: a fact follows from its
    system and from what was answered. Nothing else that looks may be traced so.
    """

    def __init__(self) -> None:
        self._asked: dict[Hashable, tuple[Callable[[], Any], object]] = {}

    def note(self, question: Hashable, ask: Callable[[], Any], answer: object) -> None:
        """Write down one question."""
        self._asked[question] = (ask, answer)

    def stands(self, memory: Memory) -> bool:
        """Tell whether every answer is what it was; without any question nobody can tell.

        Args:
            memory: of the new round; what is asked here is not asked again in it.
        """
        asked = self._asked.items()
        return bool(asked) and all(
            _outcome(memory, question, ask) == answer for question, (ask, answer) in asked
        )


class Recording(Memory):
    """A memory of the look that also writes down what one probe asked of it."""

    def __init__(self, memory: Memory, trace: Trace) -> None:
        super().__init__()
        self._shared = memory
        self._trace = trace

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return the answer, as the shared memory does, and note it."""
        try:
            answer = self._shared.once(question, ask)
        except (OSError, ValueError, NoFact) as why:
            self._trace.note(question, ask, (type(why), str(why)))
            raise
        self._trace.note(question, ask, answer)
        return answer
