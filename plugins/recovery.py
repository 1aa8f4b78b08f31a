"""Recovery procedures: generators of steps with a name, planned first and taken only when asked.

A procedure is written like a remedy: its parameters are `system`, endpoints and facts of its
system, it looks and yields steps, and does nothing itself. Keyword-only parameters come from the
command line (`--with`). Its docstring is its title and, below, what may be lost, then its `Args:`.
It stands in healthchecks/<system>/recovery.py.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from plugins.arguments import Argument, arguments_of, said_by
from plugins.entries import Entry
from plugins.facts import Probe
from plugins.inquiries import Inquiry, Note, looked_with
from plugins.journal import Journal
from plugins.outcomes import NoFact
from plugins.redaction import redact
from plugins.run import Run
from plugins.steps import Refusal, Step
from plugins.text import printable

P = TypeVar("P", bound=Callable[..., Iterable["Step | Note | Within"]])


class Within(str):
    """A further folder that a procedure is to write in: whoever consents sees it."""

    __slots__ = ()


@dataclass(frozen=True)
class Plan:
    """What a procedure would do now: its steps, what it tells, and further folders to write in."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Procedure:
    """What is declared of a recovery procedure.

    Args:
        name: system and function, as in `pocket_agent.emergency_restart`.
        system: the system that it recovers.
        function: looks and yields the steps, `Note` lines and `Within` folders; it does nothing.
        title: what it does, in a sentence.
        loses: what may be lost by it.
        verify: ids of the checks that must be healthy after it; () where its steps prove all.
        settle: seconds within which they may still turn well.
        deadline: seconds that it may look.
        arguments: what it may be told with `--with`.
    """

    name: str
    system: str
    function: Callable[..., Iterable[Step | Note | Within]]
    title: str
    loses: str
    verify: tuple[str, ...]
    settle: float
    deadline: float
    arguments: tuple[Argument, ...] = ()

    def plan(self, run: Run, told: Mapping[str, str]) -> Plan:
        """Return what it would do now; raises kinds of `NoFact`."""
        module = importlib.import_module(f"healthchecks.{self.system}.conftest")
        parameters = inspect.signature(self.function).parameters
        probes = {
            name: getattr(getattr(module, name, None), "__probe__", None) for name in parameters
        }
        asked = {name: probe for name, probe in probes.items() if isinstance(probe, Probe)}
        for probe in asked.values():
            run.round.ask(self.system, probe)
        facts = {name: run.round.fact(self.system, probe) for name, probe in asked.items()}

        def planned(**others: Any) -> Plan:
            rows = tuple(self.function(**facts, **others, **told))
            return Plan(
                steps=tuple(row for row in rows if not isinstance(row, (Note, Within))),
                notes=tuple(row for row in rows if isinstance(row, Note)),
                within=tuple(row for row in rows if isinstance(row, Within)),
            )

        # Whoever asks reads from the signature what to hand over; the facts are there already.
        vars(planned)["__signature__"] = looked_with(self.function, facts)
        look = run.round.ask(self.system, Probe(self.name, planned, self.deadline))
        plan: Plan = look.get(math.inf)
        return plan


def procedure(
    *, verify: tuple[str, ...] = (), settle: float = 15.0, deadline: float = 60.0
) -> Callable[[P], P]:
    """Declare a generator of steps to be a recovery procedure.

    Args:
        verify: ids of the checks that must be healthy afterwards; () where every step compares
            what it wrote, and nothing is left to look at.
        settle: seconds within which they may still turn well.
        deadline: seconds that it may look before it yields its last step.

    Raises:
        TypeError: at import, when the docstring does not say what it does and what may be lost.
    """

    def declare(function: P) -> P:
        said = said_by(function)
        if not said.title or not said.text:
            raise TypeError(f"{function.__module__}.{function.__name__} lacks what may be lost")
        system = function.__module__.split(".")[-2]
        function.__procedure__ = Procedure(  # type: ignore[attr-defined]
            name=f"{system}.{function.__name__}",
            system=system,
            function=function,
            title=said.title,
            loses=said.text,
            verify=verify,
            settle=settle,
            deadline=deadline,
            arguments=arguments_of(function),
        )
        return function

    return declare


def procedures(systems: Iterable[str]) -> dict[str, Procedure | Inquiry]:
    """Return the procedures and inquiries of the systems, by name."""
    found: dict[str, Procedure | Inquiry] = {}
    for system in systems:
        name = f"healthchecks.{system}.recovery"
        if importlib.util.find_spec(name):
            values = vars(importlib.import_module(name)).values()
            for mark in ("__procedure__", "__inquiry__"):
                declared = (getattr(value, mark, None) for value in values)
                kinds = (Procedure, Inquiry)
                found.update({one.name: one for one in declared if isinstance(one, kinds)})
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
