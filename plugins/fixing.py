"""Curing with consent: plan, take, look again, and roll back what did not help."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from plugins.case import Case, Told, told
from plugins.catalog import Check
from plugins.crashes import Crashed, guarded
from plugins.entries import Entry
from plugins.finding import Fix, Waiver
from plugins.journal import Journal, alone, host_of, private_folder, runs
from plugins.outcomes import NoFact
from plugins.redaction import redact
from plugins.run import CONSENT, Run
from plugins.steps import Hands, Refusal, Step
from plugins.text import printable


def waiver_for(run: Run, check: Check) -> Waiver | None:
    """Return the waiver that silences a check today, None where none does."""
    moment = run.moment or datetime.datetime.now(datetime.UTC).astimezone()
    today = moment.date().isoformat()
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
        steps, plan = guarded("the remedy", partial(_planned, case, facts))
        if not steps:
            return replace(plan, state="refused", message="a person has to look at this one")
        consent = CONSENT[run.fix]
        if consent is None:
            return replace(plan, diff=guarded("the plan", partial(_difference, case, steps)))
        if run.ending or time.monotonic() > run.until:
            why = "the watch is ending" if run.ending else "the run's deadline had passed"
            return replace(plan, state="refused", message=why)
        if check.safety < consent:
            return replace(plan, message="needs more consent than was given")
        with alone(run.state):
            return _taken(case, ill, steps, plan)
    except Crashed as why:
        return Fix("failed", message=_shown(why))
    except (NoFact, Refusal) as why:
        return Fix("refused", message=_shown(why))


def _shown(why: object) -> str:
    return redact(printable(str(why), 600))


def _planned(case: Case, facts: Mapping[str, Any]) -> tuple[tuple[Step, ...], Fix]:
    steps = case.steps(facts)
    return steps, Fix("planned", plan=tuple(redact(printable(str(s), 4000)) for s in steps))


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
    journal = run.journal(check.system)
    first = journal.count()
    plan = replace(plan, run=run.id)
    try:
        for number, step in enumerate(steps):
            run.progress(number, len(steps), f"curing {check.id}")
            guarded("a step", partial(journal.take, check.id, step, case.roots), Refusal)
    except (Refusal, NoFact) as why:
        state = "failed" if isinstance(why, Crashed) else "refused"
        return _returned(case, journal, first, replace(plan, state=state, message=_shown(why)))
    finally:
        run.progress(len(steps), len(steps), "")
    seen, why_not = _settled(case, ill)
    match seen:
        case "healthy":
            if check.remedy and check.remedy.routine:
                attempts.forgive(check.id)
            return replace(plan, state="taken", message="cured, and seen to be healthy since")
        case "better":
            said = "some of it is cured, the rest needs a person"
            return replace(plan, state="partly", message=said)
        case "ill":
            said = "it was still ill after the fix"
        case _:
            said = f"after the fix it could not be seen to be healthy ({why_not})"
    return _returned(case, journal, first, replace(plan, state="rolled_back", message=said))


def _returned(case: Case, journal: Journal, first: int, fix: Fix) -> Fix:
    """Roll back, and forget what was seen meanwhile."""
    undone = roll_back(journal, first)
    case.run.look_again()
    return replace(fix, message=f"{fix.message}{undone}")


def roll_back(journal: Journal, first: int) -> str:
    """Take back a check's own steps, the newest first; return words for the message."""
    entries = [entry for entry in journal.entries()[first:] if not entry.undone]
    told_back = list(_back(journal, entries))
    failed = [sentence for done, sentence in told_back if not done]
    if failed:
        return f"; could not take everything back: {_shown('; '.join(failed))}"
    return "; everything was taken back" if entries else ""


def _back(journal: Journal, entries: list[Entry]) -> Iterator[tuple[bool, str]]:
    for entry in reversed(entries):
        try:
            done = guarded("a step back", partial(journal.take_back, entry), Refusal)
            yield True, f"{entry.check}: {done}"
        except (Refusal, NoFact) as why:
            yield False, f"{entry.check}: {_shown(why)}"


def _settled(case: Case, ill: Told) -> tuple[str, str]:
    assert case.check.remedy
    until = time.monotonic() + case.check.remedy.settle
    while True:
        seen = judged_again(case, ill)
        if seen[0] == "healthy" or time.monotonic() >= until:
            return seen
        time.sleep(0.25)


def judged_again(case: Case, ill: Told) -> tuple[str, str]:
    """Look again with new eyes and judge.

    Returns:
        `healthy`, `better`, `ill` or `unseen`, and for the last one why.
    """
    case.run.look_again()
    try:
        guarded("the check", lambda: case.judge(case.look()), AssertionError)
    except NoFact as why:
        return "unseen", _shown(why)
    except AssertionError as error:
        left = told(error).offenders
        return ("better" if left and left < ill.offenders else "ill"), ""
    return "healthy", ""


@dataclass
class Attempts:
    """How often each remedy was tried lately; kept across runs.

    Args:
        run: names the state folder, the limit and its window.
    """

    run: Run

    @property
    def _path(self) -> Path:
        # The demo's checks have the names of this machine's, and should not use up their tries.
        return self.run.state / ("attempts-demo.json" if self.run.demo else "attempts.json")

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
        self._write(kept)

    def forgive(self, check: str) -> None:
        """Count the last one no more."""
        kept = self._read()
        kept[check] = kept.get(check, [])[:-1]
        with contextlib.suppress(Refusal):  # it then counts as tried, which is the safer of the two
            self._write(kept)

    def _write(self, kept: dict[str, list[float]]) -> None:
        temporary = self.run.state / f".attempts.{os.getpid()}"
        try:
            private_folder(self.run.state)
            temporary.write_text(json.dumps(kept), encoding="utf-8")
            temporary.chmod(0o600)
            temporary.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise Refusal(f"{self._path} cannot be written: {error.strerror}") from None


def undo(run: Run, wanted: str) -> Iterator[tuple[bool, str]]:
    """Take a run's fixes back, the newest first.

    Args:
        run: names the state folder.
        wanted: the id of the run that took the fixes; empty for the last that has any left.
            Each call takes back one run: the next call those of the run before.

    Yields:
        (whether it was done, a sentence) for each step.
    """
    for name in [wanted] if wanted else runs(run.state)[::-1]:
        try:
            journal = Journal(run.state, name, host_of(run.state, name))
        except Refusal:
            if wanted:
                raise
            continue  # it was cut short before its first step
        entries = [entry for entry in journal.entries() if not entry.undone]
        if not any(entry.inverse for entry in entries) and not (wanted and entries):
            continue
        with alone(run.state):
            yield from _back(journal, entries)
        return
    raise Refusal("there is nothing to undo" + (f" in run {wanted}" if wanted else ""))
