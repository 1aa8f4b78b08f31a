"""What is printed of the history, and the runs that a run can be compared with."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from plugins.finding import Finding, Outcome, Severity
from plugins.history.store import Ran, Store
from plugins.history.subject import Subject
from plugins.report.runs import lines, meant, nearest
from plugins.tests.toy import Toy, check

HERE = Subject(demo=False, spec="local://", name=platform.node(), systems="")
BEGIN = 1_800_000_000.0  # 2027-01-15, in any zone


def keep(
    folder: Path, number: int, outcomes: dict[str, Outcome], *, watch: bool = False, whole: int = 0
) -> int:
    """Keep a run in which checks of the toy came to these outcomes; one an hour."""
    rows = [
        Finding(f"toy.{name}", "toy", Severity.P2, outcome, "It is well")
        for name, outcome in outcomes.items()
    ]
    tally = {
        "states": {"toy": "P2"},
        "ill": {"P2": sum(row.outcome is Outcome.ILL for row in rows)},
        "outcomes": {"healthy": 1, "cannot_tell": 2},
        "changes": {"new": 1, "still": 4} if number % 2 else {},
    }
    ran = Ran(
        id=f"2027011{number:03d}Z",
        started=BEGIN + 3600.0 * number,
        seconds=1.25,
        status=1,
        tally=tally,
        findings=tuple(rows),
        watch=watch,
        whole=whole,
    )
    return Store(folder, 90_000, print).keep(HERE, ran)


ILL, WELL = Outcome.ILL, Outcome.HEALTHY


def test_the_last_runs_are_a_table_the_newest_first(tmp_path: Path) -> None:
    for number in range(33):
        keep(tmp_path, number, {"a": ILL}, watch=number == 32)
    told = list(lines(Store(tmp_path, 90, print).runs(HERE)))
    assert len(told) == 32
    assert told[0].split() == [
        *("RUN", "STARTED", "EXIT", "P0", "P1", "P2", "P3", "UNTOLD", "HEALTHY", "TOOK"),
        "CHANGED",
    ]
    words = told[2].split()
    assert [words[0], *words[3:]] == [
        *("2027011031Z", "1", "-", "-", "1", "-", "2", "1", "1.2", "s", "1", "new")
    ]
    assert told[1].endswith("watch")
    assert told[-1].startswith("… and 3 older ones, since 2027-01-1")


def test_a_run_is_meant_by_its_id_its_day_or_its_place(tmp_path: Path) -> None:
    store = Store(tmp_path, 90, print)
    assert meant(store.runs(HERE), "first") is None
    for number in range(72):
        keep(tmp_path, number, {"a": ILL})
    runs = store.runs(HERE)
    days = [run.before.started[:10] for run in runs]
    last = max(at for at, day in enumerate(days) if day == days[0])
    for words, at in (
        ("first", 0),
        ("2027011007Z", 7),
        ("2027011", 71),
        (days[0], last),
        (runs[9].before.started[:16], 9),
        (runs[9].before.started[:16].replace("T", " "), 9),
    ):
        assert meant(runs, words) is runs[at], words
    for words in ("", "last week", "2027-01-01", "2027011007Z0"):
        assert meant(runs, words) is None
    assert nearest(runs[:9], "2027011O07Z") == "2027011007Z"


def test_a_moment_of_a_watch_is_all_that_was_known_then(tmp_path: Path) -> None:
    first = keep(tmp_path, 0, {"a": ILL, "b": WELL, "c": ILL}, watch=True)
    keep(tmp_path, 1, {"a": WELL}, watch=True, whole=first)
    keep(tmp_path, 2, {"z": ILL})
    keep(tmp_path, 3, {"b": ILL}, watch=True, whole=first)
    keep(tmp_path, 4, {"c": WELL}, watch=True, whole=first)
    store = Store(tmp_path, 90, print)
    whole, _, other, then, _ = store.runs(HERE)
    assert store.minds(whole) == {"toy.a": "P2", "toy.b": "well", "toy.c": "P2"}
    assert store.minds(other) == {"toy.z": "P2"}
    assert store.minds(then) == {"toy.a": "well", "toy.b": "P2", "toy.c": "P2"}


def test_a_run_is_compared_with_the_one_that_is_named(pytester: pytest.Pytester) -> None:
    toy = Toy(pytester)
    toy.checks(check("well", cure="hint='Look.'"))
    toy.add("a")
    assert toy.run("--history").ret == 5
    for number in range(6):
        keep(toy.state, number, {"well": WELL if number % 2 == 0 else ILL})
    result = toy.run("--baseline", "first", "--system=toy")
    result.stdout.fnmatch_lines(
        ["*New, but first seen 2027-* It goes to and fro from run to run.", "*: 1 new."]
    )
    past = toy.rows["toy.well"]["past"]
    assert (past["change"], past["flapping"]) == ("new", True)
    assert toy.document["compared_with"] == "2027011000Z"
    result = toy.run("--history")
    assert result.ret == 0
    assert len(result.outlines) == 10
    result.stdout.fnmatch_lines([f"Runs over {HERE.name}, the newest first:", "RUN *", "* 1 new"])
    result = toy.run("--baseline", "2027011O02Z")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no such run; did you mean 2027011002Z?*"])
    result = toy.run("--history", "--undo", "--baseline", "first")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--history does not go together with --undo"])
