"""The work of a watch with consent: the duties of its systems, and the signs that it lives."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from plugins.answers import Answer
from plugins.crashes import guarded
from plugins.duties import Beat, Duty, beat_of, duties_of
from plugins.facts import Probe
from plugins.journal import Unkept, alone
from plugins.outcomes import NoFact
from plugins.redaction import redact
from plugins.run import Run
from plugins.steps import Hands, Refusal, Step, Write
from plugins.text import printable

PLANNED_WITHIN = 60.0  # seconds for a duty to say its steps, once its facts are there
UNKEPT = "done, and no --undo takes it back"
_MOST_TOLD = 20
_MOMENT = re.compile(r"\d{8}[-T_]\d{6}")


def _shown(why: object) -> str:
    return redact(printable(str(why), 600))


def _now() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Taken:
    """What the duties of one system have come to so far."""

    steps: int = 0
    last: str = ""


@dataclass
class Work:
    """Takes the duties of some systems, round after round.

    Args:
        run: whose state folder, journal and consent hold.
        systems: the systems that are watched.
        interval: seconds between the beginnings of two rounds.
        waited: waits for looks; returns False when the watch is to end.
        started: when the watch began, RFC 3339.
    """

    run: Run
    systems: tuple[str, ...]
    interval: float
    waited: Callable[[Iterable[Answer]], bool]
    started: str = field(default_factory=_now)
    rounds: int = 0
    _done: dict[str, Taken] = field(default_factory=dict)
    _troubles: dict[str, frozenset[str]] = field(default_factory=dict)
    _beaten: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        """Whether anything may be done: `--fix`, and not narrowed to some checks."""
        return self.run.fix in {"safe", "unsafe"} and not self.run.fix_only

    def duties(self) -> tuple[bool, list[str]]:
        """Take the steps of every duty.

        Returns:
            Whether a step was taken, and lines that tell what goes wrong since this round, or no
            longer does.
        """
        taken = 0
        lines: list[str] = []
        for system in self.systems if self.allowed else ():
            for duty in duties_of(system):
                if self.run.ending:
                    break
                count, troubles = self._duty(system, duty)
                taken += count
                lines += self._news(duty.id, troubles)
        return bool(taken), lines

    def _duty(self, system: str, duty: Duty) -> tuple[int, list[str]]:
        try:
            steps = self._planned(system, duty)
            if not steps:
                return 0, []
            with contextlib.ExitStack() as stack:
                with contextlib.suppress(Unkept):  # what can be done without a journal is done
                    stack.enter_context(alone(self.run.state))
                return self._taken(system, duty, steps)
        except (NoFact, Refusal) as why:
            return 0, [] if self.run.ending else [_shown(why)]

    def _planned(self, system: str, duty: Duty) -> tuple[Step, ...]:
        look = self.run.round
        conftest = importlib.import_module(f"healthchecks.{system}.conftest")
        declared = {
            name: getattr(getattr(conftest, name, None), "__probe__", None) for name in duty.asks
        }
        probes = {name: one for name, one in declared.items() if isinstance(one, Probe)}
        asked = {name: look.ask(system, one) for name, one in probes.items()}
        if not self.waited(asked.values()):
            return ()
        given: dict[str, Any] = {name: answer.get(look.until) for name, answer in asked.items()}
        for name in duty.asks:
            if name not in given:
                given[name] = look.argument(system, name)
        plan = look.once(system, duty.id, PLANNED_WITHIN, lambda: tuple(duty.function(**given)))
        if not self.waited([plan]):
            return ()
        steps: tuple[Step, ...] = plan.get(time.monotonic())
        return steps

    def _taken(self, system: str, duty: Duty, steps: tuple[Step, ...]) -> tuple[int, list[str]]:
        roots = self.run.round.system(system).uses.roots
        done, troubles = self._done.setdefault(system, Taken()), []
        count = 0
        for number, step in enumerate(steps):
            if self.run.ending:
                break
            self.run.progress(number, len(steps), duty.id)
            try:
                guarded("a step", partial(self._take, system, duty, step, roots), Refusal)
            except Unkept as why:
                troubles.append(f"{UNKEPT}: {_shown(why)}")
            except (Refusal, NoFact) as why:
                troubles.append(_shown(why))
                continue
            count += 1
            done.steps, done.last = done.steps + 1, _now()
        self.run.progress(len(steps), len(steps), duty.id)
        return count, troubles

    def _take(self, system: str, duty: Duty, step: Step, roots: tuple[str, ...]) -> None:
        """Take a step, written down or not; raises `Unkept` when it was taken and was not."""
        journal = self.run.journal(system)
        try:
            journal.take(duty.id, step, roots)
        except Unkept as why:
            if not getattr(step, "adds", False):
                raise Refusal(str(why)) from None
            # That something is kept counts for more than that it can be taken back.
            step.take(Hands(journal.host, roots, f"{roots[0]}/none"))
            raise

    def _news(self, name: str, troubles: list[str]) -> Iterator[str]:
        """Tell what goes wrong now and did not before; once it is over, that it is."""
        # A name with the time in it is another one in each round.
        keyed = {_MOMENT.sub("#", one): one for one in reversed(troubles)}
        before, now = self._troubles.get(name, frozenset()), frozenset(keyed)
        if self.run.ending:
            return
        self._troubles[name] = now
        news = [one for key, one in reversed(keyed.items()) if key not in before]
        for one in news[:_MOST_TOLD]:
            word = "not written down" if one.startswith("done, ") else "not done"
            yield f"{word}  {name}: {one}"
        if len(news) > _MOST_TOLD:
            yield f"not done  {name}: {len(news) - _MOST_TOLD} more of its steps"
        if before and not now:
            yield f"done again  {name}"

    def beats(self, *, ended: bool = False) -> list[str]:
        """Write the state files of the systems that have any; return lines that tell of trouble."""
        lines: list[str] = []
        for system in self.systems if self.allowed else ():
            beat = beat_of(system)
            if beat is not None:
                lines += self._news(f"{system}.beat", self._beat(system, beat, ended))
        return lines

    def _beat(self, system: str, beat: Callable[..., Iterable[Step]], ended: bool) -> list[str]:
        done = self._done.get(system, Taken())
        told = Beat(
            pid=os.getpid(),
            started=self.started,
            interval=self.interval,
            rounds=self.rounds,
            steps_taken=done.steps,
            last_taken=done.last,
            ended=ended,
        )
        try:
            found = self.run.round.system(system)
        except NoFact:
            return []  # its own checks say so
        troubles = []
        try:
            for step in guarded("the beat", lambda: tuple(beat(found, told))):
                guarded("a step", partial(self._written, system, step), Refusal)
        except (Refusal, NoFact) as why:
            troubles.append(_shown(why))
        return troubles

    def _written(self, system: str, step: Step) -> None:
        """Write a state file: the first time through the journal, then only what changed.

        What somebody else wrote there meanwhile is theirs: it goes through the journal, too.
        """
        roots = self.run.round.system(system).uses.roots
        if not isinstance(step, Write):
            raise Refusal(f"a beat writes files, and nothing else: {step}")
        hands = Hands(self.run.round.host(system), roots, str(self.run.state / "quarantine" / "x"))
        content, stands = self._beaten.get(step.path, (None, ""))
        ours = bool(stands) and _standing(step, hands) == stands
        if ours and content == step.content:
            return
        if ours:
            step.ask(hands)
            step.put(hands)
        else:
            with alone(self.run.state):
                self.run.journal(system).take(f"{system}.beat", step, roots)
        self._beaten[step.path] = (step.content, _standing(step, hands))


def _standing(step: Write, hands: Hands) -> str:
    return str(step.state(hands, light=True))
