"""What the history of a bundle's machine knew, given back to the same findings.

What is judged from a bundle was ill since the same moment, and as new, as when it was made. Where a
check comes to something else here, its past is not known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from plugins.bundle.contents import DOCUMENT, HISTORY
from plugins.bundle.packing import NoBundle
from plugins.past import Past, RunBefore
from plugins.report.account import Account
from plugins.text import printable

_MOST_RUNS = 30
_CHANGES = frozenset({"", "new", "worse", "still", "fixed"})
_STATES = frozenset({"P0", "P1", "P2", "P3", "cannot_tell", "absent", "healthy"})

Known = tuple[str, str, str]  # id, outcome and severity


@dataclass(eq=False)  # pytest keeps its plugins in a set
class Recalled:
    """What is known of the machine's past.

    Args:
        pasts: of each finding that the bundle's own run came to.
        runs: the runs before, the oldest first.
        compared_with: the id of the run that changes are told against.
    """

    pasts: Mapping[Known, Past]
    runs: tuple[RunBefore, ...]
    compared_with: str

    def tell(self, account: Account) -> None:
        """Let the reports show it."""
        account.runs_before, account.compared_with = self.runs, self.compared_with

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Put the past on the finding that the report carries, before anybody else sees it."""
        health = getattr(report, "health", None)
        if not health:
            return
        row = json.loads(health)
        past = self.pasts.get((row["id"], row["outcome"], row["severity"]))
        if past is not None:
            report.health = json.dumps({**row, "past": vars(past)})  # type: ignore[attr-defined]


def recalled(members: Mapping[str, bytes]) -> Recalled:
    """Return what the files of a bundle tell of the past; raises `NoBundle` where it is broken."""
    try:
        document = json.loads(members.get(DOCUMENT, b"{}"))
        rows = [row for row in document.get("findings", ()) if row["past"]]
        runs = json.loads(members.get(HISTORY, b"[]"))[-_MOST_RUNS:]
        return Recalled(
            pasts={
                (str(row["id"]), str(row["outcome"]), str(row["severity"])): _past(row["past"])
                for row in rows
            },
            runs=tuple(map(_run, runs)),
            compared_with=printable(str(document.get("compared_with", "")), 60),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise NoBundle(f"its {DOCUMENT} or {HISTORY} is broken: {printable(said, 200)}") from None


def _moment(said: Any) -> str:
    if said != "":
        datetime.fromisoformat(said)
    return str(said)


def _past(row: Mapping[str, Any]) -> Past:
    if row["change"] not in _CHANGES:
        raise ValueError("a change that is none")
    since, first, last = (_moment(row[word]) for word in ("since", "first_seen", "last_seen"))
    return Past(str(row["change"]), since, first, last, row["flapping"] is True)


def _run(row: Mapping[str, Any]) -> RunBefore:
    seconds, states = float(row["seconds"]), dict(row["states"])
    if not math.isfinite(seconds) or not _STATES.issuperset(states.values()):
        raise ValueError("a run that is none")
    return RunBefore(
        id=printable(str(row["id"]), 60),
        started=_moment(row["started"]),
        status=int(row["status"]),
        seconds=seconds,
        states={printable(str(system), 60): state for system, state in states.items()},
    )
