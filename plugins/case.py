"""A check at work: its function, what it asks, and the run that it is judged in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from plugins.catalog import Check, check_of
from plugins.facts import Probe, probes_of
from plugins.redaction import redact
from plugins.run import RUN, Run
from plugins.text import printable

# More than a person or a report can use; each piece costs time to be made safe to show.
EVIDENCE_KEPT = 1000


@dataclass(frozen=True)
class Told:
    """What a failed check says.

    Args:
        sentence: what is wrong, safe to show.
        evidence: what shows it, safe to show; past 1000 pieces only their number is told.
        offenders: every piece as the check gave it, to be compared and never shown.
    """

    sentence: str
    evidence: tuple[str, ...] = ()
    offenders: frozenset[str] = field(default=frozenset(), repr=False)


def told(error: BaseException) -> Told:
    """Return what a failed assertion says."""
    # What pytest's rewriting adds below a message that the check gave is no evidence.
    said = re.split(r"\n *assert ", str(error), maxsplit=1)[0]
    # pytest's rewriting indents the lines of a message that follow the first.
    sentence, *pieces = re.split(r"\n *- ", said)
    shown = [redact(printable(piece, 600)) for piece in pieces[:EVIDENCE_KEPT]]
    if len(pieces) > EVIDENCE_KEPT:
        shown.append(f"and {len(pieces) - EVIDENCE_KEPT} more")
    return Told(
        redact(printable(sentence.rstrip(":"), 600)),
        tuple(shown),
        frozenset(map(str.strip, pieces)),
    )


@dataclass(frozen=True)
class Case:
    """One check in one run.

    Args:
        run: whose configuration, round and consent hold.
        check: what is declared.
        function: judges; an AssertionError means ill.
        probes: what it asks.
        given: arguments that are no facts, such as a signature.
    """

    run: Run
    check: Check
    function: Callable[..., None]
    probes: tuple[Probe, ...]
    given: Mapping[str, Any]

    @classmethod
    def of(cls, item: pytest.Function, run: Run | None = None) -> Case:
        """Return the case of a pytest item, in its own run or in another one."""
        check = check_of(item)
        assert check is not None
        asked = probes_of(item)
        facts = {probe.name for probe in asked}
        callspec: Any = getattr(item, "callspec", None)
        given = {n: v for n, v in callspec.params.items() if n not in facts} if callspec else {}
        return cls(run or item.config.stash[RUN], check, item.obj, asked, given)

    def look(self) -> dict[str, Any]:
        """Return every fact that the check asks, all looked for at once; raises `NoFact`."""
        for probe in self.probes:
            self.run.round.ask(self.check.system, probe)
        return {probe.name: self.run.fact(self.check.system, probe) for probe in self.probes}

    def judge(self, facts: Mapping[str, Any]) -> None:
        """Let the check judge; an AssertionError means ill."""
        others = {**self.given}
        if "system" in inspect.signature(self.function).parameters:
            others["system"] = self.run.round.system(self.check.system)
        self.function(**facts, **others)

    def steps(self, facts: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the steps of the remedy for these facts; none where there is no remedy."""
        if self.check.remedy is None:
            return ()
        system = self.run.round.system(self.check.system)
        return self.check.remedy.steps({**facts, **self.given, "system": system})

    @property
    def roots(self) -> tuple[str, ...]:
        """The trees in which the check's system lets a fix write."""
        return self.run.round.system(self.check.system).uses.roots
