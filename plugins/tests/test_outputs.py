"""Outputs in whole runs: any number at once, one alone on stdout, and what cannot be written."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from tap.parser import Parser  # type: ignore[import-untyped]

from plugins.finding import Outcome, Severity, Waiver
from plugins.report.delivery import on_stdout, refuse_bad_targets
from plugins.tests.reporting import finding, lay_out, run
from plugins.tests.test_outputs_text import HOSTILE

OURS = ("plugins.writing", "plugins.report.plugin")
WAIVER = Waiver("2999-01-01", "it is known", "ops")
ROWS = [
    finding("ill", severity=Severity.P2, message=HOSTILE),
    finding("mild", severity=Severity.P3),
    finding("well", Outcome.HEALTHY),
    finding("fixed", Outcome.FIXED),
    finding("unknown", Outcome.CANNOT_TELL),
    finding("hidden", Outcome.BLOCKED, blocked_by="box.ill"),
    finding("gone", Outcome.ABSENT),
    finding("waived", Outcome.SILENCED, silenced=WAIVER),
]
NOISE = """
import os, subprocess, warnings
def test_noise():
    print("noise")
    warnings.warn("noise")
    os.write(1, b"noise")
    subprocess.run(["echo", "noise"])
"""
_LOUD = """
import sys
if "-s" not in sys.argv:  # before anybody could take it aside
    print("noise at import")
def pytest_sessionstart(): print("noise at start")
def pytest_runtest_logreport(): print("noise between")
def pytest_sessionfinish(): print("noise at end")
def pytest_unconfigure(): print("noise after all")
"""
_EVERY = ("--prometheus=m.prom", "--tap=t.tap", "--agent-report=a.md", "--health-json=h.json")


def is_json(text: str) -> None:
    assert json.loads(text)["exit_status"] in {1, 2, 10, 11}


def is_tap(text: str) -> None:
    kinds = [line.category for line in Parser().parse_text(text)]
    assert (kinds[0], kinds[1]) == ("version", "plan")
    assert "unknown" not in kinds


def is_metrics(text: str) -> None:
    checked = ["promtool", "check", "metrics"]
    assert subprocess.run(checked, input=text, text=True, check=True, capture_output=True)


def is_report(text: str) -> None:
    assert text.startswith("# Health of a host, for a program that reads it\n")
    assert text.rstrip("\n").count("noise") == text.count("test_noise")


def is_line(text: str) -> None:
    assert text.startswith("AGENT HEALTH ")
    assert text.count("\n") == 1


ALONE = {
    "--health-json=-": is_json,
    "--tap=-": is_tap,
    "--prometheus=-": is_metrics,
    "--agent-report=-": is_report,
    "--nagios": is_line,
}


def test_all_of_them_in_one_run_say_the_same(pytester: pytest.Pytester) -> None:
    lay_out(pytester, ROWS, plugins=OURS)
    former = os.umask(0o077)  # as the printed units have it: a collector reads the metrics still
    try:
        result = run(pytester, *_EVERY, "--junitxml=j.xml", "--html=p.html", "--nagios")
    finally:
        os.umask(former)
    here = pytester.path
    assert result.ret == 1  # of a Nagios plugin: WARNING; no P0 is ill
    is_line(result.stdout.str() + "\n")
    is_tap((here / "t.tap").read_text("utf-8"))
    is_metrics((here / "m.prom").read_text("utf-8"))
    is_report((here / "a.md").read_text("utf-8"))
    assert json.loads((here / "h.json").read_text())["exit_status"] == 1
    modes = {name: stat.S_IMODE((here / name).stat().st_mode) for name in os.listdir(here)}
    assert modes["m.prom"] == 0o644
    assert {modes[name] for name in ("t.tap", "a.md", "h.json", "p.html")} == {0o600}
    assert not [name for name in modes if re.match(r"\.(m|t|a|h)\.", name)], "left beside"
    assert not (here / "reports").exists()


def test_ci_counts_in_junit_what_the_outcomes_say(pytester: pytest.Pytester) -> None:
    lay_out(pytester, ROWS, plugins=OURS)
    run(pytester, "--junitxml=j.xml")
    (suite,) = ET.parse(pytester.path / "j.xml").iter("testsuite")
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    # Ill is a failure, cannot tell an error, and absent, blocked and silenced are skipped.
    assert counts == {"tests": "8", "failures": "2", "errors": "1", "skipped": "3"}


@pytest.mark.parametrize(
    "words",
    [
        ("--health-json=-", "-vv", "-rA", "--capture=sys", "--continue-on-collection-errors"),
        ("--tap=-", "-v", "-s", "-x", "--continue-on-collection-errors"),
        ("--nagios", "-n", "2"),
    ],
    ids=lambda words: words[0],
)
def test_what_has_stdout_for_itself_is_alone_there(
    pytester: pytest.Pytester, words: tuple[str, ...]
) -> None:
    lay_out(pytester, ROWS, NOISE, plugins=("loud", *OURS))
    pytester.makepyfile(loud=_LOUD)
    pytester.path.joinpath("healthchecks/test_broken.py").write_text("print('noise')\ndef :")
    result = run(pytester, *words)
    ALONE[words[0]](result.stdout.str() + "\n")
    assert "noise at end" in result.stderr.str()
    assert "noise after all" in result.stderr.str()


def test_an_interrupted_run_writes_them_too(pytester: pytest.Pytester) -> None:
    lay_out(pytester, ROWS, "\ndef test_stop(): raise KeyboardInterrupt\n", plugins=OURS)
    result = run(pytester, *_EVERY, "--nagios", "-p", "no:randomly")
    assert result.ret == 3
    assert result.stdout.str().startswith("AGENT HEALTH UNKNOWN - ")
    bails = [
        line
        for line in Parser().parse_text(pytester.path.joinpath("t.tap").read_text("utf-8"))
        if line.category == "bail"
    ]
    assert len(bails) == 1
    for name in ("m.prom", "a.md", "h.json"):
        assert pytester.path.joinpath(name).exists()


def test_nagios_has_its_own_exit_status(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("a", severity=Severity.P0)], plugins=OURS)
    result = run(pytester, "--nagios", "--no-reports")
    assert result.ret == 2
    assert result.stdout.str().startswith("AGENT HEALTH CRITICAL - ")
    assert not pytester.path.joinpath("reports").exists()


def test_a_wrong_use_is_unknown_to_nagios_in_a_line(pytester: pytest.Pytester) -> None:
    lay_out(pytester, ROWS, plugins=OURS)
    result = run(pytester, "--nagios", "--tap", "-")
    assert result.ret == 3
    (line,) = result.outlines
    assert line == "AGENT HEALTH UNKNOWN - only one document fits on stdout: --tap, --nagios"


def configured(pytester: pytest.Pytester, *words: str) -> pytest.Config:
    """Return pytest's configuration for a command line."""
    pytester.makeconftest('pytest_plugins = ["plugins.writing"]')
    return pytester.parseconfig(*words)


def _folder(path: Path) -> None:
    path.mkdir()


def _link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize("make", [_folder, _link, os.mkfifo])
def test_what_is_no_ordinary_file_is_not_replaced(
    pytester: pytest.Pytester, make: Callable[[Path], None]
) -> None:
    make(pytester.path / "there")
    config = configured(pytester, "--tap=there")
    with pytest.raises(pytest.UsageError, match="--tap there: it is not an ordinary file"):
        refuse_bad_targets(config)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tap=/dev/null",), "not an ordinary file"),
        (("--prometheus=no/such.prom",), "its folder is not there"),
        (("--tap=a", "--prometheus=./a"), "--tap and --prometheus cannot both be written to a"),
        (("--tap=j", "--junitxml=j"), "--junitxml and --tap cannot both"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_look(
    pytester: pytest.Pytester, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(pytest.UsageError, match=said):
        refuse_bad_targets(configured(pytester, *words))


def test_one_document_has_stdout(pytester: pytest.Pytester) -> None:
    assert on_stdout(configured(pytester, "--tap=-", "--prometheus=m")) == "--tap"


def test_what_cannot_be_written_in_the_end_is_a_sentence_and_no_success(
    pytester: pytest.Pytester,
) -> None:
    gone = "\ndef test_go(): import shutil; shutil.rmtree('to')\n"
    lay_out(pytester, [finding("a", Outcome.HEALTHY)], gone, plugins=OURS)
    pytester.mkdir("to")
    blocked = pytester.path / "healthchecks" / "test_zzz.py"
    blocked.write_text("def test_block(): open('to', 'w')")
    result = run(pytester, "--tap=to/t.tap", "--no-reports")
    assert result.ret == 1
    result.stderr.fnmatch_lines(["the TAP document could not be written: to/t.tap: *"])
    result.stdout.fnmatch_lines(["Take note:", "*the TAP document could not be written*"])


def test_a_reader_that_goes_is_no_traceback(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("a", Outcome.HEALTHY)], NOISE, plugins=OURS)
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "pytest", "healthchecks", "--health-json=-"]
    ran = subprocess.run(
        words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )
    os.close(writing)
    assert ran.stderr == "the result document could not be written to stdout: Broken pipe\n"
    assert ran.returncode == 1
