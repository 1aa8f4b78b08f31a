"""A run tells what changed since the one before, in everything that it leaves behind."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from plugins.configuration import Configuration
from plugins.finding import Outcome
from plugins.history.file import NAME
from plugins.history.remembered import Remembered
from plugins.history.store import Store
from plugins.history.subject import Subject
from plugins.report.account import Account
from plugins.report.conclusion import Conclusion
from plugins.run import Run, new_id
from plugins.tests.reporting import finding
from plugins.tests.toy import Toy, check
from plugins.tests.watched import until, watched

_HINT = "hint='Look.'"


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.checks(
        check("well", cure=_HINT)
        + check("even", "assert not odd", facts="odd", cure=_HINT)
        + check("calm", "assert ill is not None", cure=_HINT)
    )
    return made


def past(toy: Toy, name: str) -> dict[str, Any]:
    """Return the past of one of the toy's checks in the last document."""
    return dict(toy.rows[f"toy.{name}"]["past"])


def test_what_changed_is_told_and_a_rename_hides_nothing(toy: Toy) -> None:
    toy.add("a", folder="odd")
    assert "Since" not in toy.run().stdout.str()
    first = toy.document
    assert (first["compared_with"], past(toy, "even")["change"]) == ("", "")
    toy.add("a")
    (toy.data / "odd" / "a").unlink()
    result = toy.run()
    result.stdout.fnmatch_lines(
        ["    New.", "Since the run of *: 1 new, 1 fixed.", "  new: toy.well"]
    )
    assert [past(toy, name)["change"] for name in ("well", "even", "calm")] == ["new", "fixed", ""]
    assert past(toy, "even")["first_seen"] == first["started"]
    second = toy.document
    toy.checks(check("hale", cure=f"{_HINT}, formerly=('toy.well',)"))
    # The controller of pytest-xdist has no checks; what it tells is the same.
    result = toy.run("-n1")
    result.stdout.fnmatch_lines(["*nothing new, nothing fixed, 1 still ill, the longest since *"])
    assert past(toy, "hale") == {
        "change": "still",
        "since": second["started"],
        "first_seen": second["started"],
        "last_seen": toy.document["started"],
        "flapping": False,
    }
    assert toy.document["compared_with"] > first["compared_with"]


def test_narrowed_runs_are_compared_with_the_last_that_judged(toy: Toy) -> None:
    toy.add("a")
    toy.run()
    (toy.data / "ill" / "a").unlink()
    toy.run("-k", "even")
    assert set(toy.came()) == {"even"}
    toy.run()
    assert past(toy, "well")["change"] == "fixed"


def test_a_narrowed_run_says_nothing_of_the_state_of_a_system(toy: Toy) -> None:
    toy.add("a")
    for options in ((), ("-k", "even"), ("-m", "not slow"), ("--system", "toy")):
        toy.run(*options)
    for place in ("healthchecks/toy", "healthchecks/toy/test_toy.py"):
        toy.pytester.runpytest_subprocess("-p", "no:html", place)
    with sqlite3.connect(toy.state / NAME) as base:
        tallies = [json.loads(row[0]) for row in base.execute("SELECT tally FROM runs")]
    states = [tally["states"].get("toy") for tally in tallies]
    assert states == ["P2", None, None, "P2", "P2", None]


def test_a_history_that_cannot_be_kept_is_told_and_fails_nothing(toy: Toy) -> None:
    toy.state.mkdir(mode=0o700)
    (toy.state / NAME).symlink_to("/dev/null")
    result = toy.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*the history cannot be read: *symbolic link*", "*not in the history: *symbolic link*"]
    )
    assert os.readlink(toy.state / NAME) == "/dev/null"


def test_what_is_told_of_a_history_is_fit_for_a_terminal(tmp_path: Path) -> None:
    run = Run(Configuration({}), state=tmp_path / "\x1b[31m\udcff", id=new_id())
    run.state.mkdir()
    account = Account()
    known = Remembered(run, account, Store(run.state, 90, account.warnings.append), 1.0)
    run.state.joinpath(NAME).mkdir()
    known.recall()
    known.conclude(Conclusion(account, {}, 0, 1.0, final=True))
    assert len(account.warnings) == 2
    assert all("/\\x1b[31m\\xff/" in told for told in account.warnings)


def test_a_watch_whose_checks_go_to_and_fro_writes_little(tmp_path: Path) -> None:
    run = Run(Configuration({}), state=tmp_path, id=new_id(), watches=True)
    account, store = Account(), Store(tmp_path, 90, print)
    watch = Remembered(run, account, store, 1_800_000_000.0)
    watch.recall()
    for number in range(301):
        outcome = Outcome.ILL if number % 2 else Outcome.HEALTHY
        account.reported["x"] = finding("a", outcome)
        account.reported["y"] = finding("b", Outcome.ILL)
        watch.complete()
        told = account.reported["x"].past
        assert told is not None
        assert told.change == (("new" if number % 2 else "fixed") if number else "")
        assert told.flapping == (number >= 4)
        watch.conclude(Conclusion(account, {}, 1, 1.0, final=False))
    assert len(store.runs(Subject.of(run))) == 1
    account.reported["x"] = finding("a", Outcome.ILL)
    watch.complete()
    watch.conclude(Conclusion(account, {}, 1, 1.0, final=True))
    first, last = store.runs(Subject.of(run))
    assert (first.before.id, first.watch, last.whole) == (run.id, True, 0)
    assert store.minds(first) == {"box.a": "well", "box.b": "P1"}
    assert store.minds(last) == {"box.a": "P1", "box.b": "P1"}


def test_a_watch_tells_each_change_once(toy: Toy) -> None:
    with watched(toy) as watch:
        watch.began()
        assert past(toy, "well")["change"] == ""
        toy.add("a")
        watch.says("P2 ill  toy.well")
        until(lambda: past(toy, "well")["change"] == "new", "new")
        toy.add("a", folder="odd")
        until(lambda: past(toy, "even")["change"] == "new", "new")
        assert past(toy, "well")["change"] == "still"
        assert watch.end() == 1
    assert past(toy, "well")["change"] == "still"
    toy.run()
    assert past(toy, "well")["change"] == past(toy, "even")["change"] == "still"
