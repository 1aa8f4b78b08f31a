"""What a run gathers for its reports, and whether a run is one that looks at a host.

The engine fills the account while it looks; the reports read it when the session ends.
"""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from plugins.finding import Finding, Severity
from plugins.past import RunBefore
from plugins.run import RUN, Run

FOLDER = "healthchecks"
_HERE = "local://"

# With these a session looks at no host: what they print is theirs, or pytest's own.
_OTHER_USES = (
    "collectonly",
    "scenarios",
    "list_checks",
    "explain",
    "print_systems",
    "undo",
    "recover",
    "history",
    "notify_test",
)
# Options of pytest by which a run judges less than what its folder holds.
_NARROWING = {
    "-k": "keyword",
    "-m": "markexpr",
    "--deselect": "deselect",
    "--ignore": "ignore",
    "--ignore-glob": "ignore_glob",
    "--last-failed": "lf",
    "--stepwise": "stepwise",
}


@dataclass
class Account:
    """What is known of a run beside pytest's own counts.

    Args:
        started: when the run began, with its offset from UTC.
        host: the testinfra host spec that was looked at.
        name: the name of that host, as people call it.
        fail_on: the least severity that fails the run.
        show: the least severity that the terminal shows.
        required: ids of the checks that must have judged.
        absences: a system and the sentence that says where it was looked for, for each absent one.
        selected: node id and a `not_run` finding for every selected check.
        warnings: sentences that a person must read, whatever else is shown.
        reported: the finding of each node id that came to one.
        strangers: node id and text of each failure that is no finding.
        unwritten: whether an output that somebody asked for could not be written.
        runs_before: earlier runs over the same host, the oldest first; at most 30.
        compared_with: the id of the run that changes are told against, "" where there is none.
        docs: the URL of the project's root folder, for links to the pages of checks; "" for none.
        command: how a command line over the same host begins; "" where it is not this one's.
    """

    started: datetime = field(default_factory=lambda: datetime.now().astimezone())
    host: str = _HERE
    name: str = field(default_factory=lambda: platform.node() or "this machine")
    fail_on: Severity = Severity.P2
    show: Severity = Severity.P3
    required: frozenset[str] = frozenset()
    absences: list[tuple[str, str]] = field(default_factory=list)
    selected: list[tuple[str, Finding]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reported: dict[str, Finding] = field(default_factory=dict)
    strangers: list[tuple[str, str]] = field(default_factory=list)
    unwritten: bool = False
    runs_before: tuple[RunBefore, ...] = ()
    compared_with: str = ""
    docs: str = ""
    command: str = f"pytest {FOLDER}/"

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding for every selected check, in the order of selection."""
        rows = dict(self.selected)
        rows.update(self.reported)
        return tuple(rows.values())

    def unreported(self) -> tuple[tuple[str, Finding], ...]:
        """Return the node id and the row of each check that never came to its turn."""
        return tuple(row for row in self.selected if row[0] not in self.reported)


ACCOUNT = pytest.StashKey[Account]()


def _severity(config: pytest.Config, option: str, otherwise: Severity) -> Severity:
    value = config.getoption(option, None)
    return Severity(str(value)) if value else otherwise


def opened(config: pytest.Config) -> Account:
    """Return the run's account; it is opened from the command line when it is first asked for."""
    if ACCOUNT not in config.stash:
        account = config.stash[ACCOUNT] = Account(
            fail_on=_severity(config, "fail_on", Severity.P2),
            show=_severity(config, "show", Severity.P3),
            required=frozenset(config.getoption("require", None) or ()),
        )
        run = config.stash.get(RUN, None)
        if run is not None:
            account.required |= frozenset(run.configuration.require)
            account.host, account.name = run.looked_at
            account.docs = _docs(run)
            account.command = _command(config, run)
    return config.stash[ACCOUNT]


def _docs(run: Run) -> str:
    table = run.configuration.tables.get("suite", {})
    return str(table["docs"].value) if "docs" in table else ""


def _command(config: pytest.Config, run: Run) -> str:
    """Return the beginning of a command line: one that is copied must not cure another host."""
    if config.getoption("from_bundle", None) is not None:
        return ""
    demo = [f"--demo={run.demo}"] if run.demo else []
    systems = config.getoption("systems", None)
    return shlex.join(["pytest", f"{FOLDER}/", *demo, *(["--systems", systems] if systems else [])])


def has_other_use(config: pytest.Config) -> bool:
    """Tell whether the command line asks for something else than to look at a host."""
    return any(config.getoption(name, None) not in (None, False) for name in _OTHER_USES)


def refuse_beside(
    config: pytest.Config,
    mine: str,
    *more: str,
    but: tuple[str, ...] = (),
    because: Mapping[str, str] | None = None,
) -> None:
    """Refuse every other use, and further options, beside one that makes no sense with them.

    Args:
        config: whose command line it is.
        mine: the option, as it is typed.
        more: names of further options, as pytest's configuration has them.
        but: names of other uses that are fine beside it.
        because: name -> why, where that is not plain.

    Raises:
        pytest.UsageError: one of them was given; it is named as it is typed.
    """
    for name in (*_OTHER_USES, *more):
        if name not in but and config.getoption(name, None) not in (None, False):
            why = (because or {}).get(name, "")
            words = f"{mine} does not go together with {_typed(name)}"
            raise pytest.UsageError(f"{words}: {why}" if why else words)


def _typed(name: str) -> str:
    words = {"collectonly": "collect-only", "nagios_line": "nagios"}.get(name, name)
    return f"--{words.replace('_', '-')}"


def looks(config: pytest.Config) -> bool:
    """Tell whether this session looks at a host: it is given nothing but the checks' folder.

    It is known from the command line alone, as pytest writes its header before it collects.
    """
    if has_other_use(config):
        return False
    folder, places = _places(config)
    return bool(places) and all(place == folder or folder in place.parents for place in places)


def is_narrowed(config: pytest.Config) -> bool:
    """Tell whether the command line leaves out some checks of a system, as `-k` or a file does."""
    folder, places = _places(config)
    whole = (place.is_dir() and place.parent == folder for place in places)
    wide = folder in places or all(whole)
    return not wide or bool(_narrowed_by(config))


def scope(config: pytest.Config) -> str:
    """Return in a few words what narrows a run beside `--system`, "" for nothing."""
    folder, places = _places(config)
    named = zip(config.args, places, strict=True)
    some = [word for word, place in named if "::" in word or place != folder]
    return " ".join([*some, *_narrowed_by(config)])


def _narrowed_by(config: pytest.Config) -> list[str]:
    chosen = {option: config.getoption(name, None) for option, name in _NARROWING.items()}
    return [f"{option} {value}" for option, value in chosen.items() if value]


def _places(config: pytest.Config) -> tuple[Path, list[Path]]:
    """Return the folder of the checks, and what the command line names."""
    where = config.invocation_params.dir
    places = [Path(where, argument.split("::")[0]).resolve() for argument in config.args]
    return (config.rootpath / FOLDER).resolve(), places


def on_worker(config: pytest.Config) -> bool:
    """Tell whether this process is one of pytest-xdist's workers, which write no report."""
    return hasattr(config, "workerinput")
