"""The mark of scheduled runs: who leaves one, what it says, and what hostile ones make of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.scheduled import Mark, marked, read
from plugins.tests.toy import Toy, check

SYSTEMD = "systemd:agent-healthchecks:900"


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.checks(check("ill"))
    return made


def left(toy: Toy) -> dict[str, Any]:
    """Return the mark that stands there now."""
    row: dict[str, Any] = json.loads(
        (toy.state / "scheduled" / "agent-healthchecks.json").read_text()
    )
    return row


def test_only_a_scheduled_run_leaves_a_mark(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.add("one")
    toy.run()
    assert not (toy.state / "scheduled").exists()
    monkeypatch.setenv("HEALTHCHECKS_SCHEDULED", SYSTEMD)
    assert toy.run().ret == 1
    row = left(toy)
    assert (row["mark"], row["status"]) == (SYSTEMD, 1)
    assert 0 < row["began"] <= row["ended"]
    path = toy.state / "scheduled" / "agent-healthchecks.json"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_run_that_does_not_end_leaves_when_the_last_one_did(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_SCHEDULED", SYSTEMD)
    former = {"mark": SYSTEMD, "began": 100.0, "ended": 200.0, "status": 10}
    (toy.state / "scheduled").mkdir(parents=True)
    (toy.state / "scheduled" / "agent-healthchecks.json").write_text(json.dumps(former))
    toy.probes("import os\n@probe\ndef dead(system) -> int:\n    os._exit(7)\n")
    toy.checks(check("ill", body="assert dead", facts="dead", cure='hint="Wait."'))
    assert toy.run().ret == 7
    assert left(toy) == {**former, "began": left(toy)["began"]}
    assert left(toy)["began"] > 1e9


def test_what_is_no_mark_is_told(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCHECKS_SCHEDULED", "systemd:../../x:1")
    toy.run().stdout.fnmatch_lines("*HEALTHCHECKS_SCHEDULED holds no mark of a schedule*")
    assert not (toy.state / "scheduled").exists()


def test_a_mark_that_cannot_be_left_is_told(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCHECKS_SCHEDULED", SYSTEMD)
    toy.state.mkdir(exist_ok=True)
    (toy.state / "scheduled").write_text("a file in its place")
    ran = toy.run()
    assert ran.ret == 0
    ran.stdout.fnmatch_lines("*the mark of this scheduled run could not be left*")


@pytest.mark.parametrize(
    "text",
    [
        f"Environment=PATH=/bin HEALTHCHECKS_SCHEDULED={SYSTEMD}\n",
        f"*/15 * * * * HEALTHCHECKS_SCHEDULED={SYSTEMD} /bin/sh -c x",
        f"<key>HEALTHCHECKS_SCHEDULED</key>\n\t\t<string>{SYSTEMD}</string>",
    ],
)
def test_a_schedule_is_known_by_its_variable(text: str) -> None:
    assert marked(text) == Mark("systemd", "agent-healthchecks", 900.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        "{}",
        '{"mark": 7, "began": 1, "ended": 1, "status": 0}',
        '{"mark": "a:b:1", "began": "x", "ended": 1, "status": 0}',
        '{"mark": "a:b:1", "began": NaN, "ended": 1, "status": 0}',
        '{"mark": "a:b:1", "began": 1e99, "ended": 1, "status": 0}',
        '{"mark": "a:b:1", "began": [], "ended": 1, "status": 0}',
        '{"mark": "a:../b:1", "began": 1, "ended": 1, "status": 0}',
        "[" * 100_000,
    ],
)
def test_what_is_no_mark_is_none(text: str) -> None:
    assert read(text) is None


def test_a_run_that_has_begun_counts_for_an_hour_and_the_future_does_not() -> None:
    mark = Mark("cron", "x", 60.0, began=100_000.0, ended=50_000.0)
    assert mark.last(100_010.0) == 100_000.0
    assert mark.last(104_000.0) == 50_000.0
    assert Mark("cron", "x", 60.0, began=9e9, ended=9e9).last(1000.0) == 0.0


def test_a_watch_leaves_it_at_each_round(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCHECKS_SCHEDULED", "systemd:agent-healthchecks:60")
    mark = toy.state / "scheduled" / "agent-healthchecks.json"
    # Each look keeps what the round before it left; the third one ends the watch.
    toy.probes(
        "import os, shutil, signal\n"
        "import plugins.scheduled\n"
        "plugins.scheduled._WATCH_LEAVES_EVERY = 0.0\n"
        "@probe\ndef rounds(system) -> int:\n"
        "    many = 1 + sum(name.startswith('seen') for name in os.listdir(system.folder))\n"
        f"    shutil.copy({str(mark)!r}, f'{{system.folder}}/seen{{many}}')\n"
        "    if many == 3:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return many\n"
    )
    toy.checks(check("ill", body="assert rounds", facts="rounds", cure='hint="Wait."'))
    toy.run("--watch", "0.05")
    first, second, third = (json.loads((toy.data / f"seen{n}").read_text()) for n in (1, 2, 3))
    assert first["ended"] == 0 < first["began"] == second["began"] == third["began"]
    assert second["ended"] < third["ended"] < left(toy)["ended"]
