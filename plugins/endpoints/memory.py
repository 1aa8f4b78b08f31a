"""What an endpoint has been told already in this look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Memory:
    """Answers of one look: the same question is asked once, whoever asks, from whatever thread.

    A failure is an answer too. Who asks while the same question is being asked waits along.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return the answer to `question`, calling `ask` only when nobody has asked it yet."""
        with self._lock:
            known = self._answers.get(question)
            answer = self._answers.setdefault(question, known or Future())
        if known is None:
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001 - every asker gets it, this one too
                answer.set_exception(error)
        return cast("T", answer.result())
