"""What one round of a watch hands to the next: facts that may be good still, looks that hang."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from plugins.answers import Answer
from plugins.crashes import Crashed
from plugins.endpoints.memory import Memory
from plugins.endpoints.tracing import Trace
from plugins.facts import Probe
from plugins.outcomes import Absent, TimedOut
from plugins.systems import Found

Key = tuple[str, str]

# A probe that names nothing but these sees its system and files alone, so it can be traced.
TRACED = frozenset({"system", "filesystem", "configuration"})
# What is judged may depend on the clock: a fact is looked for anew after this many seconds.
LONGEST = 60.0


def may_be_kept(answer: Answer) -> bool:
    """Tell whether an answer is one: the look is over, and it did not fail by itself."""
    return answer.ended() and not isinstance(answer.met, (TimedOut, Crashed))


@dataclass(frozen=True)
class Handed:
    """What a round hands on.

    Args:
        hanging: looks that were given up and are not over, by system and probe.
        systems: what was found.
        answers: the facts by system and probe.
        traces: what the probes asked, where that tells it all.
        probes: what is declared of them.
        taken_over: whether a look that goes on may give a fact of the next round; after a cure not.
    """

    hanging: Mapping[Key, Answer] = field(default_factory=dict)
    systems: Mapping[str, Found] = field(default_factory=dict)
    answers: Mapping[Key, Answer] = field(default_factory=dict)
    traces: Mapping[Key, Trace] = field(default_factory=dict)
    probes: Mapping[Key, Probe] = field(default_factory=dict)
    taken_over: bool = False

    def still_good(self, system: str, memory: Memory) -> Iterator[str]:
        """Yield the names of the probes of a system that need not look again.

        Args:
            system: its name; it was found to be what it was.
            memory: in which the new round's file system keeps what it is asked.
        """
        now = time.monotonic()
        for key, answer in self.answers.items():
            if key[0] == system and self._is_good(key, now - answer.over, memory):
                yield key[1]

    def still_absent(self, system: str, why: Absent) -> Iterator[str]:
        """Yield the names of the probes that met the very absence that is met again."""
        for key, answer in self.answers.items():
            if key[0] == system and isinstance(answer.met, Absent) and str(answer.met) == str(why):
                yield key[1]

    def _is_good(self, key: Key, age: float, memory: Memory) -> bool:
        declared, trace = self.probes[key], self.traces.get(key)
        if declared.late:
            return False
        # What was met instead of a fact may have passed: Docker is up again.
        failed = self.answers[key].met is not None
        if age < (min(declared.every, LONGEST) if failed else declared.every):
            return True
        return trace is not None and age < LONGEST and trace.stands(memory)
