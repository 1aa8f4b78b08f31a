"""Long work tells how far it is: a bar before a person, a line now and then elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from plugins.report.bars import ERASED, Pace, bar
from plugins.tests.toy import Toy, check


def test_a_bar_fits_and_goes_when_all_is_done() -> None:
    assert bar(3, 12, "curing x", 80) == f"[{'#' * 5}{'.' * 15}] 3/12 curing x"
    assert bar(12, 12, "curing x", 80) == bar(0, 0, "nothing", 80) == ""
    for width in range(1, 60):
        assert len(bar(7, 9, "a label that is long", width)) <= max(width - 2, 1)


def test_a_line_comes_not_at_once_and_not_too_often() -> None:
    slow, quick = Pace(3600.0), Pace(0.0)
    assert not slow.due("a")
    assert not slow.due("a")
    assert quick.due("a")
    assert quick.due("a")


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    toy = Toy(pytester)
    toy.checks(check("well"))
    for name in ("x", "y", "z"):
        toy.add(name)
    return toy


def test_a_person_sees_bars_and_none_is_left(toy: Toy) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "pytest", "-p", "no:html", "healthchecks", "--fix"]
    words += ["--system", "toy"]
    with subprocess.Popen(words, cwd=toy.root, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:  # the other end was closed
            pass
    os.close(ours)
    assert process.returncode == 0, seen
    text = seen.decode()
    for done in range(3):
        assert f"] {done}/3 curing toy.well" in text
    assert "looking at " in text
    summary = text[text.rindex("fixed  toy.well") :]
    assert "exit status 0" in summary
    assert "curing" not in summary


def test_a_pipe_and_a_document_get_no_bar(toy: Toy) -> None:
    result = toy.run("--fix", "--tap=-")
    assert ERASED not in result.stdout.str()
    assert result.outlines[0] == "TAP version 13"
    assert "curing" not in result.stdout.str() + result.stderr.str()
