"""Remedies: generators of steps, computed from the facts that a check saw."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from plugins.finding import Safety
from plugins.steps import Step

R = TypeVar("R", bound=Callable[..., Iterable[Step]])


@dataclass(frozen=True)
class Remedy:
    """What is declared of a remedy.

    Args:
        function: yields the steps; it does nothing itself.
        safety: how far it may be trusted.
        settle: seconds within which the second look may still turn well (a server that starts).
        hint: what a person would type.
        routine: its cures are ordinary work: those that went well are not counted as attempts.
    """

    function: Callable[..., Iterable[Step]]
    safety: Safety
    settle: float
    hint: str
    routine: bool = False

    @property
    def asks(self) -> tuple[str, ...]:
        """The names of the facts that it needs."""
        return tuple(inspect.signature(self.function).parameters)

    def steps(self, facts: dict[str, Any]) -> tuple[Step, ...]:
        """Return the steps for these facts, in the order of taking."""
        return tuple(self.function(**{name: facts[name] for name in self.asks}))


def remedy(safety: Safety, *, settle: float = 0.0, routine: bool = False) -> Callable[[R], R]:
    """Declare a generator of steps to be a remedy; its docstring is the hint.

    Args:
        safety: how far it may be trusted.
        settle: seconds within which the second look may still turn well.
        routine: what it cures comes again by itself (a copy falls behind its origin): only the
            cures that failed are counted until a human is called.

    Raises:
        TypeError: at import, when it has no docstring.
    """

    def declare(function: R) -> R:
        hint = re.sub(r"\s*\n\s*", " ", inspect.cleandoc(function.__doc__ or ""))
        if not hint:
            raise TypeError(f"{function.__module__}.{function.__name__} has no hint (docstring)")
        declared = Remedy(function, safety, settle, hint, routine)
        function.__remedy__ = declared  # type: ignore[attr-defined]
        return function

    return declare


def remedy_of(function: Callable[..., object]) -> Remedy:
    """Return what `@remedy` declared.

    Raises:
        TypeError: when the function is no remedy.
    """
    declared = getattr(function, "__remedy__", None)
    if not isinstance(declared, Remedy):
        raise TypeError(f"{function!r} is not declared with @remedy")
    return declared
