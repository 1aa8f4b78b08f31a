"""Scenarios: every check proves itself on a small real world, well and ill.

A fault must make the check fail. Its cure must make it pass; where it is SAFE, undo must bring the
fault back and the tree must be byte for byte what it was; and the printed plan, run by a shell in
the faulty world, must heal it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True)
class Scenario:
    """A world made well or ill in a line.

    Args:
        name: of the function, which says how the world is.
        outcome: what the check must come to: healthy, ill, cannot_tell, blocked or absent.
        make: makes the world so.
        needs: "root", or names of programs, without which it cannot be shown.
        cure: whether the remedy must heal it.
        options: arguments of the world.
        only: the one parameter of the check that it is about, by its id; "" for all.
    """

    name: str
    outcome: str
    make: Callable[..., None]
    needs: tuple[str, ...] = ()
    cure: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    only: str = ""


def scenarios_of(function: Callable[..., None]) -> list[Scenario]:
    """Return the scenarios that are declared for a check, in the order of the file."""
    declared: list[Scenario] = getattr(function, "__scenarios__", [])
    return declared


def _declare(check: Callable[..., None], scenario: Scenario) -> None:
    check.__scenarios__ = [*scenarios_of(check), scenario]  # type: ignore[attr-defined]


def healthy(
    check: Callable[..., None], *, needs: tuple[str, ...] = (), only: str = "", **options: Any
) -> Callable[[F], F]:
    """Declare a world in which the check passes; options are given to the world."""

    def declare(make: F) -> F:
        _declare(check, Scenario(make.__name__, "healthy", make, needs, False, options, only))
        return make

    return declare


def fault(
    check: Callable[..., None],
    *,
    needs: tuple[str, ...] = (),
    becomes: str = "ill",
    cure: bool = True,
    only: str = "",
    **options: Any,
) -> Callable[[F], F]:
    """Declare a world in which the check does not pass.

    Args:
        check: the check.
        needs: "root", or names of programs, without which it cannot be shown.
        becomes: what the check comes to: ill, cannot_tell, blocked or absent.
        cure: False where the remedy rightly leaves this fault to a person.
        only: the one parameter of the check that it is about, by its id; "" for all.
        options: arguments of the world.
    """

    def declare(make: F) -> F:
        _declare(check, Scenario(make.__name__, becomes, make, needs, cure, options, only))
        return make

    return declare
