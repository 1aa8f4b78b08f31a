"""The rounds of a watch: look at what may have changed, judge it, cure it, tell what is new."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from plugins.answers import Answer
from plugins.case import Case, Told
from plugins.finding import Finding, Outcome
from plugins.journal import BUSY
from plugins.outcomes import Blocked
from plugins.redaction import Redactor
from plugins.report.shown import cleaned
from plugins.run import Run
from plugins.verdicts import judged
from plugins.watch.changes import Change, is_news
from plugins.watch.journals import Journals
from plugins.watch.work import Work

TRIED_AGAIN = 60.0  # seconds until a cure that did not help is tried on the same illness
_NAP = 0.25  # seconds between two looks whether the watch is to end


def waited(run: Run, answers: Iterable[Answer]) -> bool:
    """Wait for looks, each until its own deadline; return False when the watch is to end first."""
    for answer in answers:
        while not answer.done() and time.monotonic() < run.until:
            if run.ending:
                return False
            answer.wait(min(run.until, time.monotonic() + _NAP))
    return not run.ending


@dataclass
class Rounds:
    """The rounds after the first one.

    Args:
        run: what is looked at.
        cases: the checks by node id, in the order of judging.
        work: the duties.
        findings: what each check came to the last time, by node id.
    """

    run: Run
    cases: Mapping[str, Case]
    work: Work
    findings: dict[str, Finding]
    _judged_by: dict[str, tuple[Answer, ...]] = field(default_factory=dict)
    _tried: dict[str, tuple[Told, float]] = field(default_factory=dict)
    _told: dict[str, Finding] = field(default_factory=dict)
    _journals: Journals = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what the first round told."""
        self._told = dict(self.findings)
        self._journals = Journals(self.run)

    def round(self, redactor: Redactor) -> tuple[dict[str, Change], list[str]]:
        """Look, do the duties, judge and cure once.

        Args:
            redactor: masks secrets in what is told.

        Returns:
            The changes that a person wants to read of, by node id, and lines of the duties.
        """
        run = self.run
        run.next_round()
        self._journals.renew()
        if not waited(run, run.round.renew(self.work.systems)):
            return {}, []
        taken, lines = self.work.duties()
        if taken:  # no cure: what does not hang on the copied files is as good as before
            run.next_round()
            if not waited(run, run.round.renew(self.work.systems)):
                return {}, lines
        if not run.ending:
            self.work.rounds += 1
            for node, finding in self._judge(list(self.cases)):
                self.findings[node] = run.verdicts[finding.id] = finding
        return self._changes(redactor), lines

    def _judge(self, nodes: list[str]) -> Iterator[tuple[str, Finding]]:
        """Judge what has new facts; after a cure, everything that is left is looked at again."""
        while nodes and not self.run.ending:
            look = self.run.round
            asked = {node: self._asked(node) for node in nodes}
            if not waited(self.run, (each for answers in asked.values() for each in answers)):
                return
            # What is blocked comes after what may be its root, so that a cure of that counts here.
            nodes.sort(key=lambda node: any(isinstance(a.met, Blocked) for a in asked[node]))
            while nodes and self.run.round is look and not self.run.ending:
                node = nodes.pop(0)
                if self._is_new(node, asked[node]):
                    yield node, self._finding(node)

    def _asked(self, node: str) -> tuple[Answer, ...]:
        case = self.cases[node]
        ask = partial(self.run.round.ask, case.check.system)
        return tuple(ask(declared) for declared in case.probes if not declared.late)

    def _is_new(self, node: str, answers: tuple[Answer, ...]) -> bool:
        """Tell whether there is anything to judge: an answer that is not the one of before."""
        before = self._judged_by.get(node, ())
        # One that goes on is the same answer in the next round, and has something else to tell.
        self._judged_by[node] = answers if all(each.ended() for each in answers) else ()
        asks_all = len(answers) == len(self.cases[node].probes) > 0
        return not asks_all or before != answers

    def _finding(self, node: str) -> Finding:
        before = self.findings.get(node)
        former = before.fix if before and before.outcome is Outcome.ILL else None
        finding = judged(self.cases[node], partial(self._may_treat, node), former)
        busy = finding.fix is not None and finding.fix.message == BUSY
        if busy or finding.outcome in {Outcome.HEALTHY, Outcome.FIXED}:
            self._tried.pop(node, None)
        return finding

    def _may_treat(self, node: str, ill: Told) -> bool:
        before, when = self._tried.get(node, (None, 0.0))
        now = time.monotonic()
        if ill == before and now - when < TRIED_AGAIN:
            return False
        self._tried[node] = (ill, now)
        return True

    def _changes(self, redactor: Redactor) -> dict[str, Change]:
        changes = {}
        for node, now in self.findings.items():
            was = self._told.get(node)
            if now is was:
                continue
            if is_news(now, was) and not self._is_routine(node, now, was):
                changes[node] = Change(cleaned(now, redactor), was)
                self._told[node] = now
            elif was is None or now.outcome is not was.outcome:
                self._told[node] = now
        return changes

    def _is_routine(self, node: str, now: Finding, was: Finding | None) -> bool:
        remedy = self.cases[node].check.remedy
        well = was is None or was.outcome in {Outcome.HEALTHY, Outcome.FIXED}
        return bool(remedy and remedy.routine) and now.outcome is Outcome.FIXED and well
