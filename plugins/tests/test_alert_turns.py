"""Runs at the same time tell a thing once, and one that hangs keeps no other from telling."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plugins.alerts.settings import Notify, Target
from plugins.alerts.telling import Telling
from plugins.alerts.told import Told
from plugins.alerts.turn import Turn
from plugins.finding import Severity
from plugins.redaction import Redactor
from plugins.report.account import Account
from plugins.tests.receivers import Taken, sticky, web
from plugins.tests.reporting import finding
from plugins.tests.toy import ROOT

HOST = "local://"
DEADLINE_S = 20.0


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Taken]:
    with web() as taken:
        monkeypatch.setenv("HEALTH_URL", taken.url())
        yield taken


def telling(folder: Path, deadline: float = DEADLINE_S, *variables: str) -> Telling:
    """Return the alerts of a run over the same host."""
    names = variables or ("HEALTH_URL",)
    targets = tuple(Target(name, Severity.P1) for name in names)
    notify = Notify(targets, deadline_s=deadline)
    return Telling(notify, Told(folder, HOST), Redactor())


def ill() -> Account:
    """Return what a run knows that found something ill."""
    account = Account()
    account.reported["a"] = finding("a")
    return account


def test_runs_that_end_at_the_same_time_tell_it_once(tmp_path: Path, hook: Taken) -> None:
    def run(one: Telling) -> list[str]:
        return one.go_on(ill(), 1) + one.finish(ill(), 1)

    runs = [telling(tmp_path) for _ in range(3)]
    with ThreadPoolExecutor(len(runs)) as pool:
        said = sorted(pool.map(run, runs))
    assert len(hook.texts()) == 1
    assert said == [[], [], ["told by HEALTH_URL: 1 new (P1 1)"]]


def test_a_watch_waits_for_nobody_and_tells_later_what_another_run_could_not(
    tmp_path: Path, hook: Taken
) -> None:
    other, watch = Turn(tmp_path, HOST, 99.0), telling(tmp_path)
    assert other.taken()
    began = time.monotonic()
    assert watch.go_on(ill(), 1) == []
    assert time.monotonic() - began < 2.0
    other.over()
    watch.go_on(ill(), 1, changed=False)
    hook.wait(1)
    assert watch.finish(ill(), 1) == ["told by HEALTH_URL: 1 new (P1 1)"]


def test_who_was_stopped_while_it_told_silences_nobody(tmp_path: Path, hook: Taken) -> None:
    stopped, short = Turn(tmp_path, HOST, 99.0), telling(tmp_path, 6.0)
    assert stopped.taken()
    assert short.go_on(ill(), 1) == []
    assert short.finish(ill(), 1) == ["told by HEALTH_URL: 1 new (P1 1)"]
    late = Turn(tmp_path, HOST, 0.2)
    assert not late.taken()
    time.sleep(0.3)
    assert late.taken()
    assert len(hook.texts()) == 1


def test_what_was_taken_is_kept_at_once_whoever_else_hangs(
    tmp_path: Path, hook: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = """
import sys
from pathlib import Path
from plugins.tests.test_alert_turns import ill, telling
run = telling(Path(sys.argv[1]), 60.0, "HEALTH_URL", "HEALTH_SILENT")
run.go_on(ill(), 1)
run.finish(ill(), 1)
"""
    with sticky() as silent:
        monkeypatch.setenv("HEALTH_SILENT", silent.url())
        argv = [sys.executable, "-c", program, str(tmp_path)]
        with subprocess.Popen(argv, cwd=ROOT) as run:
            hook.wait(1)
            silent.wait(1)
            ends = time.monotonic() + 20.0
            while not Told(tmp_path, HOST).by("HEALTH_URL") and time.monotonic() < ends:
                time.sleep(0.05)
            run.kill()
    again = telling(tmp_path)
    assert again.finish(ill(), 1) == []
    assert len(hook.texts()) == 1


def test_where_no_lock_can_be_had_it_is_told_all_the_same(tmp_path: Path, hook: Taken) -> None:
    (tmp_path / "state").write_text("a file where the folder belongs")
    said = telling(tmp_path / "state").finish(ill(), 1)
    assert "told by HEALTH_URL: 1 new (P1 1)" in said
    assert len(hook.texts()) == 1
