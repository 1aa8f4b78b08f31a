"""Recovery procedures: generators of steps with a name, planned first and taken only when asked.

A procedure is written like a remedy: its parameters are `system`, endpoints and facts of its
system, it looks and yields steps, and does nothing itself. Its docstring is its title and, below,
what may be lost. It stands in healthchecks/<system>/recovery.py.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from plugins.facts import Probe
from plugins.journal import Entry, Journal
from plugins.outcomes import NoFact
from plugins.redaction import redact
from plugins.run import Run
from plugins.steps import Refusal, Step
from plugins.text import printable

P = TypeVar("P", bound=Callable[..., Iterable[Step]])


@dataclass(frozen=True)
class Procedure:
    """What is declared of a recovery procedure.

    Args:
        name: system and function, as in `pocket_agent.emergency_restart`.
        system: the system that it recovers.
        function: looks and yields the steps; it does nothing itself.
        title: what it does, in a sentence.
        loses: what may be lost by it.
        verify: ids of the checks that must be healthy after it.
        settle: seconds within which they may still turn well.
        deadline: seconds that it may look.
    """

    name: str
    system: str
    function: Callable[..., Iterable[Step]]
    title: str
    loses: str
    verify: tuple[str, ...]
    settle: float
    deadline: float

    def steps(self, run: Run) -> tuple[Step, ...]:
        """Return the steps as they would be taken now; raises kinds of `NoFact`."""
        module = importlib.import_module(f"healthchecks.{self.system}.conftest")
        parameters = inspect.signature(self.function).parameters
        probes = {
            name: getattr(getattr(module, name, None), "__probe__", None) for name in parameters
        }
        asked = {name: probe for name, probe in probes.items() if isinstance(probe, Probe)}
        for probe in asked.values():
            run.round.ask(self.system, probe)
        facts = {name: run.round.fact(self.system, probe) for name, probe in asked.items()}

        def plan(**others: Any) -> tuple[Step, ...]:
            return tuple(self.function(**facts, **others))

        # Whoever asks reads from the signature what to hand over; the facts are there already.
        others = [each for name, each in parameters.items() if name not in facts]
        vars(plan)["__signature__"] = inspect.Signature(others)
        look = run.round.ask(self.system, Probe(self.name, plan, self.deadline))
        steps: tuple[Step, ...] = look.get(math.inf)
        return steps


def procedure(
    *, verify: tuple[str, ...], settle: float = 15.0, deadline: float = 60.0
) -> Callable[[P], P]:
    """Declare a generator of steps to be a recovery procedure.

    Args:
        verify: ids of the checks that must be healthy afterwards.
        settle: seconds within which they may still turn well.
        deadline: seconds that it may look before it yields its last step.

    Raises:
        TypeError: at import, when the docstring does not say what it does and what may be lost.
    """

    def declare(function: P) -> P:
        title, _, loses = inspect.cleandoc(function.__doc__ or "").partition("\n")
        if not title or not loses.strip():
            raise TypeError(f"{function.__module__}.{function.__name__} lacks what may be lost")
        system = function.__module__.split(".")[-2]
        function.__procedure__ = Procedure(  # type: ignore[attr-defined]
            name=f"{system}.{function.__name__}",
            system=system,
            function=function,
            title=title.strip(),
            loses=re.sub(r"\s*\n\s*", " ", loses.strip()),
            verify=verify,
            settle=settle,
            deadline=deadline,
        )
        return function

    return declare


def procedures(systems: Iterable[str]) -> dict[str, Procedure]:
    """Return the procedures of the systems, by name."""
    found = {}
    for system in systems:
        name = f"healthchecks.{system}.recovery"
        if importlib.util.find_spec(name):
            values = vars(importlib.import_module(name)).values()
            declared = (getattr(value, "__procedure__", None) for value in values)
            found.update({one.name: one for one in declared if isinstance(one, Procedure)})
    return found


def shown(step: Step) -> str:
    """Return the step as the line that a person would type, safe to show."""
    return redact(printable(str(step), 4000))


def take(
    journal: Journal, name: str, steps: Iterable[Step], roots: tuple[str, ...]
) -> Iterator[Step]:
    """Take the steps, and yield each when it was taken.

    Raises:
        Refusal: a step was not taken; those before it were.
    """
    for step in steps:
        try:
            journal.take(name, step, roots)
        except (NoFact, OSError) as why:
            raise Refusal(str(why)) from None
        yield step


def take_back(journal: Journal) -> Iterator[tuple[bool, str]]:
    """Take back what a procedure did, the newest step first; a stopped server starts again so.

    One step that cannot be taken back never keeps another from it.

    Yields:
        (whether it was done, a sentence) for each step.
    """
    for entry in reversed([entry for entry in journal.entries() if not entry.undone]):
        if entry.inverse or entry.after is None:
            yield _taken_back(journal, entry)
        else:
            yield False, f"stays done: {entry.step}"


def _taken_back(journal: Journal, entry: Entry) -> tuple[bool, str]:
    try:
        return True, journal.take_back(entry)
    except (Refusal, NoFact, OSError) as why:
        by_hand = "; ".join(map(shown, entry.inverse))
        said = f"{entry.step}: {redact(printable(str(why), 600))}"
        return False, f"{said}; by hand: {by_hand}" if by_hand else said
