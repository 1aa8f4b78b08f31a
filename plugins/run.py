"""A run: what was asked, what is looked at, and what is known so far."""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from plugins.catalog import Check
from plugins.configuration import Configuration
from plugins.crew import Crew
from plugins.facts import Probe
from plugins.finding import Finding, Outcome, Safety
from plugins.handing import Handed
from plugins.journal import Journal
from plugins.kept import Kept
from plugins.rounds import Round
from plugins.saved import Saved

_HERE = "local://"
CONSENT = {"plan": None, "safe": Safety.SAFE, "unsafe": Safety.UNSAFE}


@dataclass
class Run:
    """One run over one host.

    Args:
        configuration: the systems files in force.
        only: names of the systems asked for; empty for all that are enabled.
        deep: whether slow checks run.
        fix: None, "plan", "safe" or "unsafe".
        fix_only: ids that may be cured; empty for all.
        required: ids that must have run.
        deadline: seconds for the whole run.
        state: the folder that holds the journal, attempts and cursors.
        verdicts: id of a check -> its finding, as they come.
        known: ids of all checks that were collected, wanted or not.
        alone: whether only the systems asked for are looked at, not those beside them.
        kept: system -> what its probes remember while the program runs.
        watches: whether there is a round after this one, which takes over what is still good.
        ending: a watch is asked to end: nothing more is begun.
        crew: the threads that look.
        tell: takes a line of what a long step has done so far.
        saved: what was seen elsewhere and is judged here; no host is asked then.
        moment: as of which waivers are judged, None for now.
        progress: takes how much of how many is done, and of what; nothing is left when all is.
    """

    configuration: Configuration
    only: tuple[str, ...] = ()
    deep: bool = False
    fix: str | None = None
    fix_only: tuple[str, ...] = ()
    deadline: float = 60.0
    state: Path = Path()
    required: frozenset[str] = frozenset()
    demo: str | None = None
    id: str = ""
    began: float = field(default_factory=time.monotonic)
    verdicts: dict[str, Finding] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    alone: bool = False
    kept: dict[str, Kept] = field(default_factory=dict)
    watches: bool = False
    ending: bool = False
    crew: Crew = field(default_factory=Crew)
    tell: Callable[[str], None] = lambda line: None
    saved: Saved | None = None
    moment: datetime.datetime | None = None
    progress: Callable[[int, int, str], None] = lambda done, total, what: None
    _round: Round | None = None
    _handed: Handed | None = None
    _journal: Journal | None = None

    @classmethod
    def of(cls, config: pytest.Config, configuration: Configuration) -> Run:
        """Return the run that the command line asks for."""
        option = config.option
        return cls(
            configuration=configuration,
            only=tuple(option.system),
            deep=option.deep or option.list_checks or option.explain is not None,
            fix=option.fix,
            fix_only=tuple(option.fix_only),
            required=frozenset([*option.require, *configuration.require]),
            deadline=option.deadline,
            state=state_folder(configuration),
            demo=option.demo,
            id=new_id(),
            watches=getattr(option, "watch", None) is not None,
        )

    @property
    def until(self) -> float:
        """The run's deadline on the monotonic clock."""
        return self.began + self.deadline

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that may be looked at: asked for, or not switched off."""
        tables = self.configuration.tables
        names = self.only if self.alone else tuple(tables)
        return tuple(name for name in names if tables[name]["enabled"].value != "no")

    @property
    def looked_at(self) -> tuple[str, str]:
        """The specs of the hosts that the systems are on, and the name people know."""
        tables = self.configuration.tables.values()
        far = sorted({str(table["on"].value) for table in tables if "on" in table} - {_HERE})
        if self.demo:
            return _HERE, "the demo host"
        here = platform.node() or "this machine"
        return (", ".join(far), ", ".join(far)) if far else (_HERE, here)

    def wants(self, check: Check) -> bool:
        """Tell whether a check belongs to this run."""
        chosen = check.system in (self.only or self.systems)
        return chosen and (self.deep or not check.slow)

    @property
    def round(self) -> Round:
        """The look whose facts are judged now."""
        if self._round is None:
            extras: dict[str, Any] = {"run": self, "configuration": self.configuration}
            self._round = Round(
                self.configuration,
                self.systems,
                self.until,
                extras,
                self.only,
                kept=self.kept,
                before=(self._handed or Handed()) if self.watches else None,
                crew=self.crew,
                saved=self.saved,
            )
        return self._round

    def look_again(self) -> None:
        """Throw away what was seen: the next fact is looked for afresh."""
        self._hand_on(facts=False)

    def next_round(self) -> None:
        """Begin a round of a watch, with its own deadline; what is still good is taken over."""
        self.began = time.monotonic()
        self._hand_on(facts=True)

    def _hand_on(self, *, facts: bool) -> None:
        if self.watches and self._round is not None:
            self._handed = self._round.hand_on(facts=facts)
        self._round = None

    def journal(self, system: str) -> Journal:
        """Return the run's journal, which is the same one while its id and its host are."""
        host = self.round.host(system)
        journal = self._journal
        if journal is None or (journal.run, journal.host.spec) != (self.id, host.spec):
            journal = self._journal = Journal(self.state, self.id, host, self.tell)
        return journal

    def fact(self, system: str, probe: Probe) -> Any:
        """Return a fact of the present round; raises kinds of `NoFact`."""
        return self.round.fact(system, probe)

    def not_run(self, check: Check) -> Finding:
        """Return the row of a check that has not run yet."""
        return Finding(
            id=check.id,
            system=check.system,
            severity=check.severity,
            outcome=Outcome.NOT_RUN,
            title=check.title,
            hint=check.hint,
            why=check.why,
            safety=check.safety,
            guide=check.guide,
            refs=check.refs,
        )


RUN = pytest.StashKey[Run]()


def new_id() -> str:
    """Return an id for a run, or for a part of a watch: the time to the millisecond."""
    now = datetime.datetime.now(datetime.UTC)
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z"


def state_folder(configuration: Configuration) -> Path:
    """Return the folder that holds the journal and what is kept between runs."""
    import platformdirs

    table = configuration.tables.get("suite", {})
    named = str(table["state"].value) if "state" in table else ""
    return Path(named).expanduser() if named else platformdirs.user_state_path("agent-healthchecks")
