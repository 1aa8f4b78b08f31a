"""A watch with consent does its systems' duties in every round, and lets others know it lives."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from plugins.configuration import Configuration
from plugins.run import Run
from plugins.tests.toy import Toy, check, tree
from plugins.tests.watched import gone, until, watched
from plugins.watch.work import Work

_PROBES = """
@probe
def origins(system) -> tuple[str, ...]:
    folder = os.path.join(system.folder, "origins")
    if not os.path.isdir(folder):
        raise NotThere("the engine is down")
    return tuple(os.path.join(folder, name) for name in sorted(os.listdir(folder)))

@probe
def copies(system, filesystem) -> tuple[str, ...]:
    return tuple(one.name for one in filesystem.folder(system.folder + "/copies"))
"""
_WATCH = """
import json
from dataclasses import dataclass
from typing import ClassVar
from plugins import Beat, duty
from plugins.steps import Copy, Write

@dataclass(frozen=True)
class Light(Copy):
    light: ClassVar[bool] = True

@duty
def copy_what_is_new(origins, copies, system):
    "Copy each origin that has no copy."
    for path in origins:
        name = path.rpartition("/")[2]
        if name not in copies:
            yield Light(f"{system.folder}/copies/{name}", path)

def beat(system, beat):
    said = {"pid": beat.pid, "rounds": beat.rounds, "ended": beat.ended}
    said |= {"steps": beat.steps_taken, "last": beat.last_taken, "started": beat.started}
    yield Write(f"{system.folder}/state.json", json.dumps(said).encode(), 0o600)
"""
_ALL = check(
    "all_copied",
    "assert not set(o.rpartition('/')[2] for o in origins) - set(copies)",
    facts="origins, copies",
    cure="hint='Copy it.'",
)


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.probes(_PROBES)
    made.checks(_ALL)
    (made.folder / "watch.py").write_text(_WATCH)
    for name in ("origins", "copies"):
        (made.data / name).mkdir()
    return made


def copied(toy: Toy) -> list[str]:
    return sorted(path.name for path in (toy.data / "copies").iterdir())


def state(toy: Toy) -> dict[str, object]:
    said: dict[str, object] = json.loads((toy.data / "state.json").read_text())
    return said


def test_they_are_done_before_the_first_judgement_and_in_every_round(toy: Toy) -> None:
    toy.add("a", b"one", folder="origins")
    before = {k: v for k, v in tree(toy.data).items() if "copies" in k}
    with watched(toy, "--fix") as watch:
        watch.began()
        assert toy.came() == {"all_copied": "healthy"}
        toy.add("b", b"two", folder="origins")
        until(lambda: copied(toy) == ["a", "b"], "the second copy")
        until(lambda: state(toy)["steps"] == 2, "the beat")
        assert state(toy)["pid"] == watch.process.pid
        assert watch.end() == 0
        assert watch.changes() == []
    said = state(toy)
    assert said["ended"] is True
    assert str(said["last"]).endswith("Z")
    (journal,) = (toy.state / "journal").glob("*.jsonl")
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    taken = [row["check"] for row in rows if "intended" in row]
    assert sorted(taken) == ["toy.beat", "toy.copy_what_is_new", "toy.copy_what_is_new"]
    light = next(row for row in rows if row.get("light"))
    assert all(len(each.get("content", "")) != 64 for each in light["before"].values())
    result = toy.run("--undo")
    assert "2 taken back, 1 refused" in result.stdout.str()  # what the beat wrote was written on
    assert {k: v for k, v in tree(toy.data).items() if "copies" in k} == before


def test_without_consent_nothing_is_done(toy: Toy) -> None:
    toy.add("a", folder="origins")
    before = tree(toy.data)
    with watched(toy, "--fix", "--fix-only", "toy.all_copied") as watch:
        watch.began()
        time.sleep(0.2)
        watch.end()
    assert tree(toy.data) == before
    for fix, only, allowed in (
        (None, (), 0),
        ("plan", (), 0),
        ("safe", ("x",), 0),
        ("safe", (), 1),
    ):
        run = Run(Configuration({}), fix=fix, fix_only=only)
        assert Work(run, ("toy",), 1.0, bool).allowed == allowed


def test_a_step_that_fails_is_told_once_and_keeps_no_other_from_being_taken(toy: Toy) -> None:
    os.symlink("/nowhere", toy.data / "copies/a")
    watch_py = toy.folder / "watch.py"
    watch_py.write_text(_WATCH.replace("if name not in copies", "if name + '!' not in copies"))
    for name in "abc":
        toy.add(name, folder="origins")
    with watched(toy, "--fix") as watch:
        watch.began()
        until(lambda: copied(toy) == ["a", "b", "c"], "the others are copied")
        time.sleep(0.5)
        told = watch.text.count("not done  toy.copy_what_is_new")
        (toy.data / "copies/a").unlink()
        watch.says("done again  toy.copy_what_is_new")
        watch.end()
    assert told == 1


def test_a_step_that_fails_is_told_once_though_its_name_has_the_time_in_it(toy: Toy) -> None:
    stamped = "/no-such/{name}_20260105-{int(time.time() * 10) % 900000 + 100000}"
    watch_py = _WATCH.replace("import json", "import json, time").replace("/{name}", stamped)
    (toy.folder / "watch.py").write_text(watch_py)
    toy.add("a", folder="origins")
    with watched(toy, "--fix") as watch:
        watch.began()
        watch.says("not done  toy.copy_what_is_new")
        time.sleep(1.0)
        told = watch.text.count("not done  toy.copy_what_is_new")
        watch.end()
    assert told == 1


def test_what_is_down_is_told_once_and_comes_back(toy: Toy) -> None:
    with watched(toy, "--fix") as watch:
        watch.began()
        (toy.data / "origins").rename(toy.data / "down")
        watch.says("cannot tell  toy.all_copied: the engine is down")
        watch.says("not done  toy.copy_what_is_new: the engine is down")
        time.sleep(0.3)
        (toy.data / "down" / "new").write_text("x")
        (toy.data / "down").rename(toy.data / "origins")
        watch.says("healthy  toy.all_copied")
        watch.says("done again  toy.copy_what_is_new")
        until(lambda: copied(toy) == ["new"], "the copy")
        assert watch.end() == 0
    assert len(watch.changes()) == 4


def test_what_crashes_in_a_duty_or_a_beat_ends_no_watch(toy: Toy) -> None:
    (toy.folder / "watch.py").write_text(
        _WATCH.replace("    for path", "    1 / 0\n    for path").replace(
            "    said |=", "    {}[1]\n    said |="
        )
    )
    with watched(toy, "--fix") as watch:
        watch.began()
        time.sleep(0.3)
        assert watch.end() == 0
    assert watch.text.count("ZeroDivisionError") == 1
    assert watch.text.count("KeyError") == 1


def test_what_somebody_wrote_over_a_state_file_is_kept(toy: Toy) -> None:
    path = toy.data / "state.json"
    path.write_text("somebody's own")
    with watched(toy, "--fix") as watch:
        watch.began()
        path.write_text("and again")
        until(lambda: "rounds" in path.read_text(), "the beat")
        watch.end()
    kept = [one.read_text() for one in (toy.state / "quarantine").rglob("*") if one.is_file()]
    assert {"somebody's own", "and again"} <= set(kept)


def test_killed_at_any_moment_no_half_of_a_copy_is_left(toy: Toy) -> None:
    for number in range(20):
        toy.add(f"{number:02}", os.urandom(200_000), folder="origins")
    with watched(toy, "--fix", interval=0.01) as watch:
        until(lambda: copied(toy), "the first copy")
        watch.process.send_signal(signal.SIGKILL)
        watch.process.wait()
    for path in (toy.data / "copies").iterdir():
        if not path.name.startswith("."):
            assert path.read_bytes() == (toy.data / "origins" / path.name).read_bytes()
    with watched(toy, "--fix") as watch:
        watch.began()
        until(lambda: len([n for n in copied(toy) if n[0] != "."]) == 20, "all copies")
        watch.end()


def test_a_routine_cure_that_goes_well_is_no_attempt(toy: Toy) -> None:
    (toy.folder / "watch.py").unlink()
    toy.checks(
        """
@remedy(SAFE, routine=True)
def sweep(ill):
    "Move each aside."
    for path in ill:
        yield Quarantine(path)
"""
        + check("swept", cure="remedy=sweep")
    )
    with watched(toy, "--fix") as watch:
        watch.began()
        for number in range(4):
            path: Path = toy.add(str(number))
            gone(path, "the cure")
            time.sleep(0.3)  # the second look is over: what comes meanwhile is ill after the fix
        assert watch.end() == 0
    assert watch.changes() == []
    assert json.loads((toy.state / "attempts.json").read_text()) == {"toy.swept": []}


def test_what_is_to_be_typed_leads_to_the_host_that_is_watched(toy: Toy) -> None:
    toy.checks(check("well"))
    (toy.root / "mine.toml").write_text("[toy]\nlimit = 4.0\n")
    with watched(toy, "--fix", "--systems", "mine.toml") as watch:
        watch.began()
        toy.add("a")
        watch.says("undo: pytest healthchecks/ --systems mine.toml --undo ")
        watch.end()
