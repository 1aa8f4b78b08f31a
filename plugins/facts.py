"""Probes: functions that look at one thing each, declared in a system's conftest.py."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar, overload

import pytest

L = TypeVar("L", bound=Callable[..., Any])


@dataclass(frozen=True)
class Probe:
    """What is declared of a probe.

    Args:
        name: of the function, and of the argument of the checks.
        function: looks; its parameters name its system and endpoints.
        deadline: seconds.
        late: asked when its check comes, as it looks at the run itself.
        every: seconds for which its fact stays good in a watch, 0 for this round alone.
    """

    name: str
    function: Callable[..., Any]
    deadline: float
    late: bool = False
    every: float = 0.0


@overload
def probe(function: L) -> L: ...
@overload
def probe(
    *, deadline: float = 10.0, late: bool = False, every: float = 0.0
) -> Callable[[L], L]: ...
def probe(
    function: Callable[..., Any] | None = None,
    *,
    deadline: float = 10.0,
    late: bool = False,
    every: float = 0.0,
) -> Any:
    """Declare a function to be a probe; what it returns is the fact of its name.

    Args:
        function: given when the decorator stands without brackets.
        deadline: seconds until the look is given up as "cannot tell".
        late: asked when its check comes, for probes of the run itself.
        every: seconds for which the fact stays good in a watch (never across a cure); a watch
            asks again each round otherwise, unless it can see that nothing changed.
    """
    if function is None:
        return partial(probe, deadline=deadline, late=late, every=every)
    declared = Probe(function.__name__, function, deadline, late, every)

    def fact(request: pytest.FixtureRequest) -> Any:
        from plugins.run import RUN

        return request.config.stash[RUN].fact(request.path.parent.name, declared)

    fact.__name__, fact.__doc__ = function.__name__, function.__doc__
    fixture = pytest.fixture(name=function.__name__)(fact)
    fixture.__probe__ = declared  # type: ignore[attr-defined]
    return fixture


@cache
def named(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's parameters."""
    return tuple(inspect.signature(function).parameters)


def probes_of(item: pytest.Item) -> tuple[Probe, ...]:
    """Return the probes that a check's arguments name, from its folder's conftest.py."""
    conftest = item.config.pluginmanager.get_plugin(str(item.path.parent / "conftest.py"))
    names = named(getattr(item, "obj"))  # noqa: B009 - Function has it
    found = (getattr(getattr(conftest, name, None), "__probe__", None) for name in names)
    return tuple(declared for declared in found if isinstance(declared, Probe))
