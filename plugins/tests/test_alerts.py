"""Runs that tell: on change, once, to real receivers; and their exit status is what it was."""

from __future__ import annotations

import json

import pytest

from plugins.alerts.told import FILE
from plugins.tests.receivers import Taken, sticky, web
from plugins.tests.toy import Toy, check
from plugins.tests.watched import ALONE, watched

ODD = check(
    *("odd", "assert not odd, listed('is odd', odd)"),
    facts="odd",
    cure="hint='Look at it.'",
    severity="P1",
)
QUICK = "deadline_s = 20"


@pytest.fixture
def toy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Toy:
    made = Toy(pytester)
    made.checks(check("well") + ODD)
    monkeypatch.delenv("HEALTH_URL", raising=False)
    return made


def notified(toy: Toy, *lines: str) -> tuple[str, ...]:
    """Write a systems file with a `[notify]` table; return the words that name it."""
    path = toy.root / "mine.toml"
    path.write_text("\n".join(["[notify]", *lines]))
    return ("--system", "toy", "--systems", str(path))


def last(toy: Toy, result: pytest.RunResult) -> str:
    """Return what a run said after its summary."""
    return result.stdout.str().partition("exit status")[2].partition("\n")[2]


def test_each_change_is_told_once(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    words = notified(toy, 'url_envs = ["HEALTH_URL"]', 'heartbeat_env = "HEALTH_PING"', QUICK)
    with web() as hook, web() as pings:
        monkeypatch.setenv("HEALTH_URL", hook.url("/T0KEN1234567890"))
        monkeypatch.setenv("HEALTH_PING", pings.url("/uuid"))
        path = toy.add("@everyone <b>", folder="odd")
        first = toy.run(*words, "--bundle", "seen.tar.zst")
        assert first.ret == 1
        assert "told by HEALTH_URL: 1 new (P1 1)" in last(toy, first)
        assert len(hook.texts()) == 1
        assert "P1 new: toy.odd" in hook.texts()[0]
        assert "\uff20everyone \u2039b\u203a" in hook.texts()[0]
        assert "What to do: Look at it." in hook.texts()[0]
        assert pings.paths() == ["/uuid/start", "/uuid/fail"]
        assert b"P1 toy.odd" in pings.requests[-1][1]
        toy.run("--from-bundle", "seen.tar.zst")
        assert (len(hook.requests), len(pings.requests)) == (1, 2), "another machine's news"
        assert last(toy, toy.run(*words)) == ""
        path.unlink()
        assert toy.run(*words).ret == 0
        assert "fixed: toy.odd" in hook.texts()[1]
        assert len(hook.texts()) == 2
        assert pings.paths()[4:] == ["/uuid/start", "/uuid"]
    assert "T0KEN" not in first.stdout.str() + (toy.state / FILE).read_text()


def test_what_could_not_be_sent_is_said_and_told_by_the_next_run(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = notified(
        toy, 'url_envs = ["HEALTH_URL"]', 'heartbeat_env = "HEALTH_PING"', "deadline_s = 4"
    )
    toy.add("a", folder="odd")
    with sticky() as silent:
        monkeypatch.setenv("HEALTH_URL", silent.url("/T0KEN1234567890"))
        monkeypatch.setenv("HEALTH_PING", silent.url("/T0KEN1234567890"))
        machine = toy.run(*words, "--health-json", "-")
    assert machine.ret == 1
    assert json.loads(machine.stdout.str())["exit_status"] == 1
    assert "not told by HEALTH_URL: 1 new (P1 1): " in machine.stderr.str()
    assert "HEALTH_PING: the heartbeat was not taken: " in machine.stderr.str()
    assert "T0KEN" not in machine.stdout.str() + machine.stderr.str()
    monkeypatch.delenv("HEALTH_PING")
    with web() as hook:
        monkeypatch.setenv("HEALTH_URL", hook.url())
        (toy.state / FILE).mkdir(parents=True)  # root writes everywhere, but over no folder
        again = toy.run(*words)
        assert len(hook.texts()) == 1
        assert "HEALTH_PING, which is not set" in again.stdout.str()
        assert "the next run tells all of it again" in last(toy, again)


def test_a_broken_run_sends_no_success(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    words = notified(toy, 'url_envs = ["HEALTH_URL"]', 'heartbeat_env = "HEALTH_PING"', QUICK)
    (toy.folder / "test_broken.py").write_text("import nothing_of_this_name")
    killing = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with web() as hook, web() as pings:
        monkeypatch.setenv("HEALTH_URL", hook.url())
        monkeypatch.setenv("HEALTH_PING", pings.url("/uuid"))
        assert toy.run(*words).ret != 0
        assert pings.paths() == ["/uuid/start", "/uuid/fail"]
        assert "cannot be told: run" in hook.texts()[0]
        assert "- healthchecks/toy/test_broken.py" in hook.texts()[0]
        (toy.folder / "test_broken.py").unlink()
        toy.checks(check("well", killing))
        toy.run(*words)
        assert "/uuid" not in pings.paths()


def test_a_report_that_could_not_be_written_is_no_success(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = notified(toy, 'heartbeat_env = "HEALTH_PING"', QUICK)
    place = toy.root / "out" / "health.prom"
    place.parent.mkdir()
    toy.checks(check("well", f"import os; os.mkdir({str(place)!r})"))
    with web() as pings:
        monkeypatch.setenv("HEALTH_PING", pings.url("/uuid"))
        result = toy.run(*words, "--prometheus", str(place))
    assert result.ret == 1
    said = "exit status 1: something that was asked for could not be written"
    assert said in result.stdout.str()
    assert pings.paths() == ["/uuid/start", "/uuid/fail"]
    assert b"something that was asked for could not be written" in pings.requests[-1][1]


def test_a_narrow_run_that_went_well_does_not_mend_a_wider_one(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = notified(toy, 'url_envs = ["HEALTH_URL"]', QUICK)
    broken = toy.folder / "test_broken.py"
    broken.write_text("import nothing_of_this_name")
    with web() as hook:
        monkeypatch.setenv("HEALTH_URL", hook.url())
        assert toy.run(*words).ret == 2
        narrow = ("-k", "well or odd"), ("--ignore", str(broken)), ("healthchecks/toy/test_toy.py",)
        for more in narrow:
            rest = ("--ignore", str(broken)) if "-k" in more else ()
            # The folder that `run` names is left out where a file is named.
            first = ["-p", "no:html", *([] if more[0].endswith(".py") else ["healthchecks"])]
            told = toy.pytester.runpytest_subprocess(*first, *words, *more, *rest, timeout=60)
            assert told.ret == 0
        assert len(hook.texts()) == 1
        broken.unlink()
        assert toy.run(*words).ret == 0
        assert "fixed: run of toy" in hook.texts()[1]
        assert toy.run(*words, "-k", "nobody").ret == 5
        assert "cannot be told: run of toy -k nobody" in hook.texts()[2]


def test_a_test_message_goes_to_everybody(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    words = notified(
        *(toy, 'url_envs = ["HEALTH_URL"]', 'heartbeat_env = "HEALTH_PING"'),
        '[[notify.targets]]\nurl_env = "HEALTH_OTHER"\n[[notify.targets]]\nurl_env = "HEALTH_NONE"',
    )
    with web() as hook, web(*[500] * 9) as ill:
        monkeypatch.setenv("HEALTH_URL", hook.url())
        monkeypatch.setenv("HEALTH_OTHER", ill.url())
        monkeypatch.setenv("HEALTH_PING", hook.url("/uuid"))
        result = toy.run(*words, "--notify-test")
        assert result.ret == 1
        assert sorted(result.stdout.str().splitlines()) == [
            "HEALTH_NONE: NOT SENT: the variable is not set",
            "HEALTH_OTHER: NOT SENT: it answered 500 Internal Server Error",
            "HEALTH_PING: sent",
            "HEALTH_URL: sent",
        ]
        assert sorted(hook.paths()) == ["/", "/uuid", "/uuid/start"]
    assert not (toy.root / "reports").exists()
    nobody = toy.run("--notify-test")
    assert nobody.ret == 4
    assert "--notify-test: no systems file names anybody" in nobody.stderr.str()


def test_a_watch_tells_changes_and_pings_and_a_hanging_receiver_does_not_delay_it(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = notified(
        *(toy, 'url_envs = ["HEALTH_URL", "HEALTH_SILENT"]', 'heartbeat_env = "HEALTH_PING"'),
        *("heartbeat_s = 0", "deadline_s = 5"),
    )
    with web() as hook, web() as pings, sticky() as silent:
        for name, receiver in (("URL", hook), ("PING", pings), ("SILENT", silent)):
            monkeypatch.setitem(ALONE, f"HEALTH_{name}", receiver.url("/uuid"))
        watch = _watched(toy, words, hook, pings, silent)
    assert "told by HEALTH_URL: 1 new (P1 1)" in watch
    assert "not told by HEALTH_SILENT: 1 new (P1 1)" in watch


def _watched(toy: Toy, words: tuple[str, ...], hook: Taken, pings: Taken, silent: Taken) -> str:
    with watched(toy, *words, interval=0.4) as watch:
        watch.began()
        pings.wait(4)
        assert pings.paths()[:2] == ["/uuid/start", "/uuid"]
        path = toy.add("a", folder="odd")
        watch.says("P1 ill  toy.odd")
        silent.wait(1)
        so_far = len(pings.requests)
        pings.wait(so_far + 3)  # rounds go on while somebody hangs
        assert pings.paths()[-1] == "/uuid/fail"
        hook.wait(1)
        watch.says("not told by HEALTH_SILENT")
        path.unlink()
        hook.wait(2)
        assert "fixed: toy.odd" in hook.texts()[1]
        assert watch.end() == 0
        assert pings.paths()[-1] == "/uuid"
        return watch.text
