"""`--history` and `--baseline`, once they were asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from plugins.history.file import NoHistory
from plugins.history.remembered import Baseline, store_of
from plugins.history.store import Kept, Store
from plugins.history.subject import Subject
from plugins.remembering import BASELINE
from plugins.report import runs as table
from plugins.report.account import opened, refuse_beside
from plugins.report.terminal import pour
from plugins.run import RUN
from plugins.text import printable


def recalled(config: pytest.Config) -> int | None:
    """Print the history where that was asked for; find the run to compare with.

    Raises:
        pytest.UsageError: there is no history, or no such run, or the options exclude each other.
    """
    option = config.option
    if option.history:
        aside = ("baseline", "health_json", "watch", "fix")
        refuse_beside(config, "--history", *aside, but=("history",))
    else:
        refuse_beside(config, "--baseline")
    run, told = config.stash[RUN], list[str]()
    store, subject = store_of(run, told.append), Subject.of(run)
    if store is None:
        raise pytest.UsageError("no history is kept: [suite] history_days is 0")
    try:
        runs = store.runs(subject)
        if option.history:
            return _print(told, subject, runs)
        config.stash[BASELINE] = _baseline(store, runs, option.baseline)
    except NoHistory as why:
        raise pytest.UsageError(f"the history cannot be read: {printable(str(why))}") from None
    opened(config).warnings.extend(told)
    return None


def _print(told: Sequence[str], subject: Subject, runs: Sequence[Kept]) -> int:
    where = subject.name if subject.spec in {"local://", subject.name} else subject.spec
    file = f", by {subject.systems}" if subject.systems else ""
    lines = [*told]
    if runs:
        lines += [f"Runs over {where}{file}, the newest first:", "", *table.lines(runs)]
    else:
        lines.append(f"No run over {where}{file} is in the history.")
    pour(map(printable, lines))
    return int(pytest.ExitCode.OK if runs else pytest.ExitCode.NO_TESTS_COLLECTED)


def _baseline(store: Store, runs: Sequence[Kept], words: str) -> Baseline:
    run = table.meant(runs, words)
    if run is None:
        near = table.nearest(runs, words)
        hint = f"; did you mean {near}? --history lists them" if near else ": there is none yet"
        raise pytest.UsageError(f"--baseline {printable(words)}: there is no such run{hint}")
    return Baseline(run.before.id, store.minds(run))
