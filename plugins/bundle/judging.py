"""What a bundle's facts come to: judged as any, but that every look was made elsewhere before."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from plugins.bundle.contents import masked_facts, note_facts
from plugins.bundle.looks import Looks, files, written
from plugins.bundle.pseudonyms import Pseudonyms
from plugins.case import Case
from plugins.catalog import checks_of
from plugins.finding import Finding
from plugins.run import Run
from plugins.saved import Saved
from plugins.verdicts import judged

_LONG = 600.0  # seconds, for what takes a part of one


def over(run: Run, saved: Saved, moment: datetime) -> Run:
    """Return a run like this one that judges what is saved, as of the moment it was seen."""
    return replace(
        run,
        saved=saved,
        moment=moment,
        began=time.monotonic(),
        deadline=max(run.deadline, _LONG),
        fix=None,
        watches=False,
        kept={},
        verdicts={},
        _round=None,
        _handed=None,
        _journal=None,
    )


def unlike(
    items: list[pytest.Item], run: Run, came: Mapping[str, Finding]
) -> Iterable[tuple[str, str]]:
    """Yield (id, sentence) for each check that judges what is saved otherwise than what was seen.

    Args:
        items: of the session.
        run: one that judges what is saved.
        came: what each check came to, by its node id.
    """
    for item, check in checks_of(items):
        if not isinstance(item, pytest.Function):
            continue
        was = came.get(item.nodeid)
        now = judged(Case.of(item, run), lambda said: False, None)
        if was is None:
            yield check.id, "it did not run when the bundle was made"
        elif (now.outcome, now.blocked_by) != (was.outcome, was.blocked_by):
            said = f"it was {was.outcome.value} when the bundle was made, and what is in the bundle"
            yield check.id, f"{said} comes to {now.outcome.value}: {_why(now)}"


def carried(case: Case) -> Finding:
    """Return what a check comes to when what it has just seen went through a bundle."""
    names, seen = Pseudonyms(), written(case.run.round.asked())
    note_facts(seen, names)
    saved = Looks(files(masked_facts(seen, names)), "this one")
    run = over(case.run, saved, datetime.now(UTC).astimezone())
    return judged(replace(case, run=run), lambda said: False, None)


def _why(now: Finding) -> str:
    return now.message or "what it judges was masked"
