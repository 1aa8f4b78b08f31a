"""Duties: what a watch does in every round, before it judges; declared in a system's watch.py.

A duty is written like a remedy, and its steps go through the journal as a remedy's do; but nothing
has to be ill for it. A watch without consent (`--fix`) has no duties.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from plugins.steps import Step

D = TypeVar("D", bound=Callable[..., Iterable[Step]])


@dataclass(frozen=True)
class Duty:
    """What is declared of a duty.

    Args:
        id: system and function name, as the journal has it.
        function: yields the steps; its parameters are facts of its system, `system`, endpoints.
    """

    id: str
    function: Callable[..., Iterable[Step]]

    @property
    def asks(self) -> tuple[str, ...]:
        """The names of what it needs."""
        return tuple(inspect.signature(self.function).parameters)


@dataclass(frozen=True)
class Beat:
    """How a watch is, after a round; for the state files by which others know that it lives.

    Args:
        pid: of the watch.
        started: when it began, RFC 3339 in UTC, with Z.
        interval: seconds between the beginnings of two rounds.
        rounds: how many there were.
        steps_taken: of the system's duties, in all rounds.
        last_taken: when the last of them was taken, as `started`; empty when none was.
        ended: whether this is the last beat.
    """

    pid: int
    started: str
    interval: float
    rounds: int
    steps_taken: int
    last_taken: str
    ended: bool


def duty(function: D) -> D:
    """Declare a generator of steps to be a duty of its system.

    Raises:
        TypeError: at import, when it stands in no system's folder or has no docstring.
    """
    system = function.__module__.rpartition(".")[0].rpartition(".")[2]
    if not system or not inspect.cleandoc(function.__doc__ or ""):
        raise TypeError(f"{function.__module__}.{function.__name__} lacks a system or a docstring")
    function.__duty__ = Duty(f"{system}.{function.__name__}", function)  # type: ignore[attr-defined]
    return function


def _declared(system: str) -> Mapping[str, Any]:
    name = f"healthchecks.{system}.watch"
    return vars(importlib.import_module(name)) if importlib.util.find_spec(name) else {}


def duties_of(system: str) -> tuple[Duty, ...]:
    """Return the duties that a system's watch.py declares, in its order."""
    found = (getattr(value, "__duty__", None) for value in _declared(system).values())
    own = (one for one in found if isinstance(one, Duty))
    return tuple(one for one in own if one.id.partition(".")[0] == system)


def beat_of(system: str) -> Callable[[Any, Beat], Iterable[Step]] | None:
    """Return the function `beat(system, beat)` of a system's watch.py, None where it has none."""
    found: Callable[[Any, Beat], Iterable[Step]] | None = _declared(system).get("beat")
    return found
