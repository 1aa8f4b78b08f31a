"""Inquiries: functions that look and tell lines of text, asked for by name with `--recover`.

An inquiry takes no steps, so nobody is asked to consent to it. It is written like a recovery
procedure, in the same file, and yields lines. It raises `Absent` to say that nothing matched and
where it looked, and a kind of `CannotTell` when it could not be told.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from plugins.arguments import Argument, arguments_of, said_by
from plugins.facts import Probe
from plugins.outcomes import Absent
from plugins.run import Run

Q = TypeVar("Q", bound=Callable[..., Iterable[str]])


class Note(str):
    """A line that is no result: it is told on the error output, and does not count."""

    __slots__ = ()


@dataclass(frozen=True)
class Inquiry:
    """What is declared of an inquiry.

    Args:
        name: system and function, as in `crash_protection.find`.
        system: the system that it asks about.
        function: looks and yields lines.
        title: what it tells, in a sentence.
        deadline: seconds that it may look.
        arguments: what it may be told with `--with`.
    """

    name: str
    system: str
    function: Callable[..., Iterable[str]]
    title: str
    deadline: float
    arguments: tuple[Argument, ...] = ()

    def lines(self, run: Run, told: Mapping[str, str]) -> tuple[str, ...]:
        """Return what it says, at least one line; raises kinds of `NoFact`."""

        def ask(**others: Any) -> tuple[str, ...]:
            lines = tuple(self.function(**others, **told))
            if all(isinstance(line, Note) for line in lines):
                raise Absent("; ".join(lines) or "nothing matched")
            return lines

        vars(ask)["__signature__"] = looked_with(self.function)
        lines: tuple[str, ...] = run.round.ask(
            self.system, Probe(self.name, ask, self.deadline)
        ).get(math.inf)
        return lines


def looked_with(function: Callable[..., Any], known: Iterable[str] = ()) -> inspect.Signature:
    """Return the signature of what is handed over to a function while it looks.

    Args:
        function: whose keyword-only parameters come from the command line.
        known: further parameters that are known already.
    """
    left = [
        each
        for name, each in inspect.signature(function).parameters.items()
        if name not in set(known) and each.kind is not each.KEYWORD_ONLY
    ]
    return inspect.Signature(left)


def inquiry(*, deadline: float = 60.0) -> Callable[[Q], Q]:
    """Declare a function to be an inquiry.

    Args:
        deadline: seconds that it may look before it yields its last line.

    Raises:
        TypeError: at import, when the docstring does not say what it tells.
    """

    def declare(function: Q) -> Q:
        said = said_by(function)
        if not said.title or not said.text:
            raise TypeError(f"{function.__module__}.{function.__name__} lacks what it tells")
        system = function.__module__.split(".")[-2]
        function.__inquiry__ = Inquiry(  # type: ignore[attr-defined]
            name=f"{system}.{function.__name__}",
            system=system,
            function=function,
            title=said.title,
            deadline=deadline,
            arguments=arguments_of(function),
        )
        return function

    return declare
