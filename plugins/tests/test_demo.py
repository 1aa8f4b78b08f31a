"""`--demo`: one host at a time, built where it may be, and forgotten with what was done to it."""

from __future__ import annotations

import fcntl

import pytest

from plugins.tests.receivers import web
from plugins.tests.toy import Toy, check

DEMO = """
def stage(world, *, broken):
    if broken:
        world.add("a")
"""


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    toy = Toy(pytester)
    toy.checks(check("well"))
    (toy.folder / "demo.py").write_text(DEMO)
    return toy


def test_a_second_demo_at_once_is_refused_in_a_sentence(toy: Toy) -> None:
    (toy.root / "reports").mkdir()
    with (toy.root / "reports" / ".demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = toy.run("--demo")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines == ["ERROR: --demo: another demo runs in this checkout now", ""]


def test_where_no_host_can_be_built_is_said_in_a_sentence(toy: Toy) -> None:
    (toy.root / "reports").write_text("a file stands here")
    result = toy.run("--demo")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--demo: its host is built in " in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


def test_what_is_to_be_typed_leads_to_the_host_that_was_looked_at(toy: Toy) -> None:
    (toy.root / "my own.toml").write_text("[suite]\nhistory_days = 9")
    (toy.root / "mine.toml").write_text("[suite]\nhistory_days = 9")
    begun = "pytest healthchecks/ --demo=broken"
    told = toy.run("--demo", "--fix", "--systems", "my own.toml").stdout.str()
    assert f"Undo: {begun} --systems 'my own.toml' --undo 2" in told
    toy.run("--demo", "--agent-report", "report.md", "--systems", "mine.toml")
    report = (toy.root / "report.md").read_text()
    assert f"`{begun} --systems mine.toml --fix --fix-only ID`" in report
    options = ("-p", "no:xdist", "healthchecks", "--demo", "--systems", "my own.toml")
    toy.pytester.runpytest_subprocess(*options)
    page = (toy.root / "reports" / "health.html").read_text()
    assert f"{begun} --systems 'my own.toml' --fix --fix-only toy.well" in page


def test_what_was_fixed_on_a_demo_that_is_gone_hides_no_older_run_and_is_told_to_nobody(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.add("a")
    toy.run("--fix")
    assert not (toy.data / "ill" / "a").exists()
    (toy.root / "mine.toml").write_text('[notify]\nheartbeat_env = "HEALTH_URL"')
    with web() as pings:
        monkeypatch.setenv("HEALTH_URL", pings.url())
        for _ in range(2):
            toy.run("--demo", "--fix", "--systems", str(toy.root / "mine.toml"))
            assert toy.came()["well"] == "fixed"
        assert pings.requests == []
    assert toy.run("--undo").ret == 0
    assert not (toy.data / "ill" / "a").exists()
    assert toy.run("--undo").ret == 0
    assert (toy.data / "ill" / "a").exists()
