"""The suite in small: a run with waivers, verdicts and expectations of its own."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

from plugins.finding import Finding, Outcome, Severity, Waiver
from plugins.run import Run


class World:
    """A run that accepted nothing and expects nothing, to be told otherwise.

    Args:
        folder: a folder of its own; nothing is written there.
    """

    volatile: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waivers: dict[str, Waiver] = {}
        self._verdicts: dict[str, Finding] = {}
        self._here = True

    def waive(self, check: str, *, days: int) -> None:
        """Silence a check until so many days from today."""
        today = datetime.datetime.now(datetime.UTC).astimezone().date()
        until = today + datetime.timedelta(days=days)
        self._waivers[check] = Waiver(until.isoformat(), "it is known", "somebody")

    def verdict(self, check: str, outcome: str) -> None:
        """Let a check have come to an outcome in this run."""
        system = check.partition(".")[0]
        self._verdicts[check] = Finding(check, system, Severity.P2, Outcome(outcome), "A title")

    def expect(self, *, here: bool) -> None:
        """Expect a system: the suite itself, or every other on a machine that is not there."""
        self._here = here

    def settings(self) -> dict[str, object]:
        """Return the keys to lay over [suite]: none."""
        return {}

    def arrange(self, run: Run) -> Run:
        """Return the run with what this world accepted, judged and expects."""
        gone = {"enabled": "yes", "on": "docker://no-such-container"}
        others = {name: gone for name in run.configuration.tables if name not in {"host", "suite"}}
        expected = {"suite": {"enabled": "yes"}} if self._here else others
        laid = run.configuration.lay_over(expected, "scenario")
        configuration = replace(laid, waivers=self._waivers, require=())
        return replace(run, configuration=configuration, verdicts=self._verdicts)

    def close(self) -> None:
        """End what was started: nothing was."""
