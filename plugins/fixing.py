"""Curing with consent: plan, take, look again, and roll back what did not help."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plugins.case import Case, Told, told
from plugins.catalog import Check
from plugins.finding import Fix, Waiver
from plugins.journal import Journal, alone, private_folder
from plugins.outcomes import NoFact
from plugins.redaction import redact
from plugins.run import CONSENT, Run
from plugins.steps import Hands, Refusal, Step
from plugins.text import printable


def waiver_for(run: Run, check: Check) -> Waiver | None:
    """Return the waiver that silences a check today, None where none does."""
    today = datetime.datetime.now(datetime.UTC).astimezone().date().isoformat()
    for name in (check.id, *check.formerly):
        waiver = run.configuration.waivers.get(name)
        if waiver and waiver.until >= today:
            return waiver
    return None


def cure(case: Case, facts: Mapping[str, Any], ill: Told) -> Fix | None:
    """Do for an ill check what the consent given allows.

    Args:
        case: the check and its run.
        facts: what it saw.
        ill: what it said.

    Returns:
        What became of the remedy; None where there is no remedy or no consent was asked for.
    """
    run, check = case.run, case.check
    wanted = not run.fix_only or {check.id, *check.formerly} & set(run.fix_only)
    if run.fix is None or check.remedy is None or not wanted or waiver_for(run, check):
        return None
    try:
        if run.stale and judged_again(case, ill) == "healthy":
            return Fix("taken", run=run.id, message="an earlier fix of this run cured it")
        steps = case.steps(facts)
    except NoFact as why:
        return Fix("refused", message=redact(printable(str(why))))
    plan = Fix("planned", plan=tuple(redact(printable(str(step), 4000)) for step in steps))
    if not steps:
        return replace(plan, state="refused", message="nothing here can be cured without a person")
    consent = CONSENT[run.fix]
    if consent is None:
        return replace(plan, diff=_difference(case, steps))
    if check.safety < consent:
        return replace(plan, message="needs more consent than was given")
    try:
        with alone(run.state):
            return _taken(case, ill, steps, plan)
    except Refusal as why:
        return replace(plan, state="refused", message=str(why))


def _difference(case: Case, steps: tuple[Step, ...]) -> tuple[str, ...]:
    hands = Hands(case.run.round.host(case.check.system), case.roots, "/nonexistent/slot")
    lines = itertools.chain.from_iterable(step.difference(hands) for step in steps)
    return tuple(redact(printable(line, 500)) for line in itertools.islice(lines, 200))


def _taken(case: Case, ill: Told, steps: tuple[Step, ...], plan: Fix) -> Fix:
    run, check = case.run, case.check
    attempts = Attempts(run)
    if attempts.spent(check.id):
        return replace(plan, state="spent", message=attempts.sentence())
    attempts.add(check.id)
    journal = Journal(run.state, run.id, run.round.host(check.system))
    first = len(journal.entries())
    plan = replace(plan, run=run.id)
    try:
        for step in steps:
            journal.take(check.id, step, case.roots)
    except Refusal as why:
        undone = roll_back(journal, first)
        return replace(plan, state="refused", message=redact(printable(f"{why}{undone}", 600)))
    run.stale = True
    match _settled(case, ill):
        case "healthy":
            return replace(plan, state="taken", message="cured, and seen to be healthy since")
        case "better":
            said = "some of it is cured, the rest needs a person"
            return replace(plan, state="partly", message=said)
        case _:
            said = f"it was still ill after the fix{roll_back(journal, first)}"
            return replace(plan, state="rolled_back", message=said)


def roll_back(journal: Journal, first: int) -> str:
    """Take back a check's own steps, the newest first; return words for the message."""
    entries = [entry for entry in journal.entries()[first:] if not entry.undone]
    failed = []
    for entry in reversed(entries):
        try:
            journal.take_back(entry)
        except Refusal as why:
            failed.append(str(why))
    if failed:
        return f"; could not take everything back: {printable('; '.join(failed))}"
    return "; everything was taken back" if entries else "; nothing was changed"


def _settled(case: Case, ill: Told) -> str:
    assert case.check.remedy
    until = time.monotonic() + case.check.remedy.settle
    while True:
        seen = judged_again(case, ill)
        if seen == "healthy" or time.monotonic() >= until:
            return seen
        time.sleep(0.25)


def judged_again(case: Case, ill: Told) -> str:
    """Look again with new eyes and judge: `healthy`, `better` or `ill`."""
    case.run.look_again()
    try:
        case.judge(case.look())
    except NoFact:
        return "ill"
    except AssertionError as error:
        left = set(told(error).evidence)
        return "better" if left and left < set(ill.evidence) else "ill"
    return "healthy"


@dataclass
class Attempts:
    """How often each remedy was tried lately; kept across runs.

    Args:
        run: names the state folder, the limit and its window.
    """

    run: Run

    @property
    def _path(self) -> Path:
        return self.run.state / "attempts.json"

    def _setting(self, key: str) -> float:
        return float(self.run.configuration.tables["suite"][key].value)

    def _read(self) -> dict[str, list[float]]:
        oldest = time.time() - self._setting("attempts_hours") * 3600
        try:
            kept = json.loads(self._path.read_bytes())
            return {k: [t for t in v if oldest < t <= time.time()] for k, v in kept.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def spent(self, check: str) -> bool:
        """Tell whether the remedy of a check was tried as often as is allowed."""
        return len(self._read().get(check, [])) >= self._setting("attempts")

    def sentence(self) -> str:
        """Return what to say then."""
        times, hours = self._setting("attempts"), self._setting("attempts_hours")
        return f"it was tried {times:g} times in {hours:g} h and came back: call a human"

    def add(self, check: str) -> None:
        """Count one more."""
        kept = self._read()
        kept.setdefault(check, []).append(time.time())
        temporary = private_folder(self.run.state) / f".attempts.{os.getpid()}"
        temporary.write_text(json.dumps(kept), encoding="utf-8")
        temporary.chmod(0o600)
        temporary.replace(self._path)


def undo(run: Run, wanted: str) -> Iterator[tuple[bool, str]]:
    """Take a run's fixes back, the newest first.

    Args:
        run: names the state folder.
        wanted: the id of the run that took the fixes; empty for the last that has any left.

    Yields:
        (whether it was done, a sentence) for each step.
    """
    from plugins.journal import host_of, runs

    names = [wanted] if wanted else runs(run.state)[::-1]
    for name in names:
        journal = Journal(run.state, name, host_of(run.state, name))
        entries = [entry for entry in journal.entries() if not entry.undone]
        if not entries:
            continue
        with alone(run.state):
            for entry in reversed(entries):
                try:
                    yield True, journal.take_back(entry)
                except Refusal as why:
                    yield False, f"{entry.check}: {why}"
        return
    raise Refusal("there is nothing to undo" + (f" in run {wanted}" if wanted else ""))
