"""A watch goes on after the first round, tells only what changes, and ends when it is told to."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from plugins.tests.toy import Toy, check
from plugins.tests.watched import ALONE, gone, told_of, until, watched

PAGES = ("-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin")
ODD = check("odd", "assert not odd, listed('is odd', odd)", facts="odd", cure="hint='Look at it.'")


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.checks(check("well") + ODD)
    return made


def test_only_changes_are_told_and_what_can_be_cured_is(toy: Toy) -> None:
    toy.add("before", folder="odd")
    with watched(toy, "--fix") as watch:
        watch.began()
        time.sleep(0.3)
        assert watch.changes() == []
        toy.add("a")
        watch.says("fixed  toy.well")
        (toy.data / "odd/before").unlink()
        watch.says("healthy again  toy.odd")
        toy.add("after", folder="odd")
        watch.says("odd/after")
        until(lambda: toy.came()["odd"] == "ill", "the document tells it")
        assert toy.rows["toy.odd"]["evidence"] == [str(toy.data / "odd/after")]
        assert watch.end(signal.SIGINT) == 1
    assert watch.changes() == [
        "fixed  toy.well: is ill",
        "healthy again  toy.odd",
        "P2 ill  toy.odd: is odd",
    ]
    assert "exit status 1" in watch.text.splitlines()[-1]
    log = toy.state / "watch.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert [line for line in watch.text.splitlines() if line[:2] == "20"] == [
        line for line in log.read_text().splitlines() if line[:2] == "20"
    ]
    assert toy.run("--undo").ret == 0
    assert (toy.data / "ill/a").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_the_status_of_the_last_round(toy: Toy, number: int) -> None:
    with watched(toy) as watch:
        watch.began()
        toy.add("x")
        watch.says("P2 ill  toy.well")
        toy.checks("")
        (toy.data / "ill/x").unlink()
        watch.says("healthy again  toy.well")
        watch.process.send_signal(number)  # a terminal's end is told by it and by its shell
        assert watch.end(number) == 0
    assert f"ended by {signal.Signals(number).name} after" in watch.text
    assert "Traceback" not in watch.text
    assert toy.came() == {"well": "healthy", "odd": "healthy"}


def test_a_cure_in_hand_is_finished_before_it_ends(toy: Toy) -> None:
    toy.checks(
        """
@remedy(SAFE)
def slowly(ill):
    "Move each aside."
    for path in ill:
        yield Run(("sh", "-c", f"touch {path}.begun; sleep 1"), undo=("rm", f"{path}.begun"))
        yield Quarantine(path)
        yield Quarantine(path + ".begun")
"""
        + check("slow", cure="remedy=slowly")
    )
    with watched(toy, "--fix=unsafe") as watch:
        watch.began()
        path = toy.add("a")
        until((toy.data / "ill/a.begun").exists, "the step begins")
        assert watch.end() == 0
    assert not path.exists()
    assert toy.came() == {"slow": "fixed"}


def test_a_look_that_hangs_keeps_nobody_from_ending_it(toy: Toy) -> None:
    toy.probes(
        """
@probe(deadline=30.0)
def hanging(system) -> bool:
    while os.path.exists(system.folder + "/hang"):
        time.sleep(0.05)
    return True
"""
    )
    toy.checks(
        check("quick") + check("hung", "assert hanging", facts="hanging", cure="hint='Look.'")
    )
    with watched(toy) as watch:
        watch.began()
        (toy.data / "hang").touch()
        time.sleep(0.5)
        began = time.monotonic()
        assert watch.end() == 0
    assert time.monotonic() - began < 5


def test_the_second_watch_says_who_holds_the_lock_and_touches_nothing(toy: Toy) -> None:
    with watched(toy, "--fix") as watch:
        watch.began()
        log = (toy.state / "watch.log").read_bytes()
        with watched(toy, output="other.txt") as other:
            assert other.process.wait(20) == 4
        assert f"process {watch.process.pid} watches toy" in other.text
        assert (toy.state / "watch.log").read_bytes() == log
        assert watch.end() == 0
    with watched(toy) as watch:
        watch.began()


def test_of_two_that_start_at_once_one_stays_and_the_other_says_so(toy: Toy) -> None:
    with watched(toy, "--fix") as one, watched(toy, "--fix", output="other.txt") as other:
        both = (one, other)
        until(lambda: [w for w in both if w.process.poll() is not None], "the end of one")
        (gone,) = [watch for watch in both if watch.process.poll() is not None]
        stays = other if gone is one else one
        assert gone.process.returncode == 4, gone.text
        assert f"process {stays.process.pid} watches toy" in gone.text
        stays.began()
        assert stays.end() == 0


def test_what_makes_no_sense_with_it_is_refused(toy: Toy) -> None:
    refused = {
        ("--watch", "0"): "must be more than 0",
        ("--watch", "nan"): "must be more than 0",
        ("--watch", "1", "--undo"): "does not go together with --undo",
        ("--watch", "1", "--scenarios"): "does not go together with --scenarios",
        ("--watch", "1", "--list-checks"): "does not go together with --list-checks",
        ("--watch", "1", "--co"): "does not go together with --collect-only",
        ("--watch", "1", "--health-json", "-"): "name a file for --health-json",
        ("--watch", "1", "--tap", "-"): "name a file for --tap",
    }
    each = f"import pytest\nfor words in {[*refused]}: print(pytest.main(['healthchecks', *words]))"
    argv = [sys.executable, "-c", each]
    ran = subprocess.run(argv, cwd=toy.root, check=True, capture_output=True, text=True)
    assert ran.stdout.count("ExitCode.USAGE_ERROR") + ran.stdout.count("4\n") == len(refused)
    said = [line for line in ran.stderr.splitlines() if line.startswith("ERROR: ")]
    assert all(words in line for words, line in zip(refused.values(), said, strict=True)), said
    assert not toy.state.exists()


def test_nobody_who_reads_and_nobody_who_is_there_keeps_it_from_its_work(toy: Toy) -> None:
    argv = [sys.executable, "-m", "pytest", "healthchecks", "--system", "toy", "--fix"]
    argv += ["-p", "no:html", "--watch", "0.02"]
    log = toy.state / "watch.log"
    for closed in (False, True):
        process = subprocess.Popen(argv, cwd=toy.root, stdout=subprocess.PIPE, env=ALONE)
        assert process.stdout is not None
        try:
            told_of(log, "watching toy", 1 + closed)
            if closed:
                process.stdout.close()
            for number in range(3):
                path = toy.add(f"{'x' * 200}{number}{closed}")
                gone(path, "the fix")
                # What is new while a cure is looked at again would have that cure taken back.
                told_of(log, "fixed  toy.well", 1 + number + 3 * closed)
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.stdout.close()
        (toy.state / "attempts.json").unlink()


def test_what_it_remembers_threads_and_descriptors_stay_as_they_are(toy: Toy) -> None:
    toy.probes(
        """
@probe
def traced(system, filesystem) -> tuple[str, ...]:
    return tuple(one.path for one in filesystem.folder(system.folder + "/ill"))

@probe
def remembered(system, filesystem, kept) -> int:
    for one in filesystem.folder(system.folder):
        kept[one.path] = one.mtime_ns
    with open(system.folder + "/../rounds", "a") as file:
        file.write("x")
    raise NotThere("as ever")
"""
    )
    toy.checks(
        check("traced", "assert not traced", facts="traced", cure="hint='Look.'")
        + check("remembered", "assert remembered", facts="remembered", cure="hint='Look.'")
        + check("plain", "assert not ill, listed('is ill', ill)", cure="hint='Look.'")
    )
    toy.add("x")
    with watched(toy, interval=0.0001) as watch:
        watch.began()
        rounds = toy.data.parent / "rounds"
        until(lambda: rounds.stat().st_size > 300, "300 rounds")
        before = watch.figures()
        until(lambda: rounds.stat().st_size > 1300, "1300 rounds")
        after = watch.figures()
        watch.end()
    assert watch.rounds() > 1300
    assert after[0] - before[0] < 1000, (before, after)
    assert after[1] <= before[1] + 3  # some are open for the moment of a look
    assert after[2] <= before[2] + 2


def test_the_pages_show_the_last_round(toy: Toy) -> None:
    toy.add("x", folder="odd")
    page, junit = toy.root / "page.html", toy.root / "junit.xml"
    with watched(toy, *PAGES, f"--html={page}", f"--junitxml={junit}") as watch:
        watch.began()
        toy.add("y")
        (toy.data / "odd/x").unlink()
        watch.says("healthy again  toy.odd")
        watch.says("P2 ill  toy.well")
        assert watch.end() == 1
    said = junit.read_text()
    assert said.count("<testcase") == 2
    assert 'failures="1"' in said
    assert said.index("test_well") < said.index("ill/y")
    assert "odd/x" not in said
    words = re.sub(r"&[#a-z0-9]+;", "", page.read_text())
    assert "ill/y" in words
    assert "odd/x" not in words


def test_the_log_is_rotated_and_stays_private(toy: Toy) -> None:
    toy.state.mkdir(mode=0o700)
    for name, size in (("watch.log", (1 << 20) - 10), ("watch.log.1", 5), ("watch.log.3", 7)):
        path = toy.state / name
        path.write_bytes(b"x" * size)
        path.chmod(0o600)
    with watched(toy) as watch:
        watch.began()
        watch.end()
    sizes = {path.name: path.stat().st_size for path in toy.state.glob("watch.log*")}
    assert sizes["watch.log.2"] == 5
    assert sizes["watch.log.1"] >= 1 << 20
    assert sizes["watch.log"] < 1000
    assert not [p for p in toy.state.glob("watch.log*") if p.stat().st_mode & 0o077]


def test_a_system_that_goes_and_comes_back_is_told_once(toy: Toy) -> None:
    with watched(toy) as watch:
        watch.began()
        os.rename(toy.data, f"{toy.data}.gone")
        watch.says("absent  toy.")
        time.sleep(0.3)
        os.rename(f"{toy.data}.gone", toy.data)
        watch.says("healthy  toy.")
        watch.end()
    assert len(watch.changes()) == 2
    assert json.dumps(toy.document["summary"]["absent_systems"]) == "[]"


def test_ended_in_the_first_round_it_says_what_was_not_judged(toy: Toy) -> None:
    toy.probes(
        """
@probe(deadline=30.0)
def slow(system) -> bool:
    open(system.folder + "/begun", "w").close()
    time.sleep(20)
    return True
"""
    )
    toy.checks(check("slow", "assert slow", facts="slow", cure="hint='Look.'"))
    with watched(toy) as watch:
        until((toy.data / "begun").exists, "the look")
        assert watch.end() == 11
    assert toy.rows["toy.slow"]["message"] == "the watch was ended before"


def test_nothing_to_watch_is_no_watch(toy: Toy) -> None:
    with watched(toy, "-k", "nothing_of_this_name") as watch:
        assert watch.process.wait(20) == 5
    toy.checks("import no_such_module\n")
    with watched(toy) as watch:
        assert watch.process.wait(20) == 2
    assert "no_such_module" in watch.text
