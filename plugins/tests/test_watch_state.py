"""A watch goes on when its state folder fails it, when others hold its lock, and for ever."""

from __future__ import annotations

import shutil
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from plugins.configuration import Configuration
from plugins.crew import Crew
from plugins.fixing import undo
from plugins.hosts import Host
from plugins.journal import Journal, alone, runs
from plugins.run import Run, new_id
from plugins.steps import Chmod, Quarantine
from plugins.tests.toy import Toy, check
from plugins.tests.watched import gone, until, watched
from plugins.watch.journals import Journals

_WATCH = """
from dataclasses import dataclass
from typing import ClassVar
from plugins import duty
from plugins.steps import Copy

@dataclass(frozen=True)
class Adding(Copy):
    adds: ClassVar[bool] = True

@duty
def copy_what_is_new(ill, odd, system):
    "Copy each that has no copy."
    for path in ill:
        if path.replace("/ill/", "/odd/") not in odd:
            yield Adding(path.replace("/ill/", "/odd/"), path)
"""


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.checks(check("well", cure="hint='Look.'"))
    return made


def test_a_long_journal_is_followed_by_another_and_each_can_be_undone(tmp_path: Path) -> None:
    root, state = tmp_path / "root", tmp_path / "state"
    root.mkdir()
    run = Run(Configuration({}), state=state, id=new_id())
    journals = Journals(run, largest=3000)
    for number in range(40):
        time.sleep(0.002)  # ids are told apart by the millisecond
        journals.renew()
        path = root / f"{number:02}"
        path.write_text("x")
        step = Quarantine(str(path)) if number == 3 else Chmod(str(path), 0o600)
        Journal(state, run.id, Host()).take("x.y", step, (str(root),))
    kept = runs(state)
    # The five newest of the former ones, the one in use, and that which holds a file.
    assert len(kept) == 7
    assert run.id == kept[-1]
    assert all((state / "journal" / f"{name}.jsonl").stat().st_size < 6000 for name in kept)
    assert not (root / "03").exists()
    for name in kept[::-1]:
        assert all(done for done, _ in undo(run, name))
    assert (root / "03").exists()
    assert (root / "39").stat().st_mode & 0o777 == 0o644


def test_what_only_adds_is_done_where_no_journal_can_be_kept(toy: Toy) -> None:
    (toy.folder / "watch.py").write_text(_WATCH)
    with watched(toy, "--fix") as watch:
        watch.began()
        shutil.rmtree(toy.state)
        toy.state.write_text("no folder")
        toy.add("a")
        until((toy.data / "odd/a").exists, "the copy")
        watch.says("done, and no --undo takes it back")
        toy.state.unlink()
        toy.add("b")
        until((toy.data / "odd/b").exists, "the second copy")
        watch.says("done again  toy.copy_what_is_new")
        assert watch.end() == 1
    assert len(runs(toy.state)) == 1


def test_who_holds_the_lock_of_fixes_only_delays_a_duty_and_a_cure(toy: Toy) -> None:
    (toy.folder / "watch.py").write_text(_WATCH.replace("/ill/", "/odd/").replace("ill,", ""))
    toy.checks(check("well"))
    with watched(toy, "--fix") as watch:
        watch.began()
        with alone(toy.state):
            path = toy.add("a")
            watch.says("another run is taking fixes now")
        gone(path, "the cure")
        watch.says("fixed  toy.well")
        with alone(toy.state):  # for a moment, as another watch has it
            path = toy.add("b")
            time.sleep(0.3)
        gone(path, "the second cure")
        assert watch.end() == 0
    assert watch.text.count("another run") == 1


def test_a_lock_whose_file_was_taken_away_is_taken_anew(toy: Toy) -> None:
    with watched(toy) as watch:
        watch.began()
        shutil.rmtree(toy.state)
        until(lambda: list(toy.state.glob("watch-*.lock")), "the lock")
        with watched(toy, output="other.txt") as other:
            assert other.process.wait(20) == 4
        assert f"process {watch.process.pid} watches toy" in other.text
        assert watch.end() == 0


def test_a_look_longer_than_a_round_is_waited_for_in_the_next_ones(toy: Toy) -> None:
    toy.probes(
        """
@probe(every=1000.0)
def slow(system) -> bool:
    with open(system.folder + "/begun", "a") as file:
        file.write("x")
    time.sleep(1.5)
    return True
"""
    )
    toy.checks(check("slow", "assert slow", facts="slow", cure="hint='Look.'"))
    with watched(toy, "--deadline", "0.3") as watch:
        watch.says("healthy  toy.slow")
        assert watch.end() == 0
    assert (toy.data / "begun").read_text() == "x"
    assert "cannot tell" not in watch.text


def test_what_is_absent_is_looked_for_once_a_round_and_not_told_again(toy: Toy) -> None:
    toy.data.rename(f"{toy.data}.gone")
    with watched(toy, interval=0.01) as watch:
        watch.began()
        time.sleep(0.5)
        few = watch.figures()[2]
        watch.end()
    assert watch.changes() == []
    assert few < 6


def test_a_document_that_cannot_be_written_is_told_once(toy: Toy) -> None:
    place = toy.root / "place"
    place.mkdir()
    with watched(toy, "--health-json", str(place / "health.json")) as watch:
        watch.began()
        place.rename(toy.root / "gone")
        place.write_text("no folder")
        for number in range(3):
            path = toy.add(str(number))
            watch.says("P2 ill  toy.well", times=number + 1)
            path.unlink()
            watch.says("healthy again  toy.well", times=number + 1)
        watch.end()
    assert watch.text.partition("the watch ended")[0].count("could not be written") == 1


def test_threads_look_again_and_one_that_hangs_holds_nobody_up() -> None:
    crew, ends = Crew(idle=0.2), threading.Event()
    seen: list[int] = []
    before = threading.active_count()
    crew.begin(partial(_waits, ends))
    for number in range(50):
        crew.begin(partial(seen.append, number))
        until(lambda: crew._free == 1, "the thread is free")
    assert seen == list(range(50))
    assert threading.active_count() == before + 2
    ends.set()
    until(lambda: threading.active_count() == before, "their end")


def test_many_at_once_have_a_thread_each() -> None:
    crew, together = Crew(idle=0.05), threading.Barrier(21, timeout=5)
    for _ in range(3):
        for _ in range(20):
            crew.begin(partial(_waits_with, together))
        together.wait()
        time.sleep(0.05)  # as long as they stay idle: some end, some are called


def _waits(ends: threading.Event) -> None:
    ends.wait()


def _waits_with(others: threading.Barrier) -> None:
    others.wait()
