"""`--explain ID` prints a check's page and looks at nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from plugins.catalog import Check
from plugins.explaining import page
from plugins.finding import Safety, Severity
from plugins.tests.test_house_rules import printed
from plugins.tests.test_imports import EXPLAIN
from plugins.tests.toy import Toy, check

CHECK = Check(
    id="toy.it_is_well",
    system="toy",
    severity=Severity.P0,
    title="It is well",
    why="All hangs on it.",
    hint="Run `mend it`.",
    safety=Safety.SAFE,
    guide=("T01", "T02"),
    refs=("https://example.org/issues/7",),
    slow=True,
    formerly=("toy.it_was_well",),
)


def shown(check: Check, width: int = 0) -> str:
    lines = page(check, Path("healthchecks/toy/test_it.py"))
    return "\n".join(piece for line in lines for piece in line.wrapped(width))


def test_the_page_says_all_that_is_declared() -> None:
    text = shown(CHECK)
    assert text.startswith("toy.it_is_well\n\nShould be:  It is well.\nSeverity:   P0, data is")
    for words in ("All hangs on it.", "Run `mend it`.", "--deep only", "T01, T02"):
        assert words in text
    assert "Upstream:   https://example.org/issues/7\nFormerly:   toy.it_was_well\n" in text
    assert "--fix=plan --fix-only toy.it_is_well" in text
    assert "--fix=plan" not in shown(replace(CHECK, safety=Safety.MANUAL))


def test_a_real_check_is_explained_and_nothing_else_is_printed() -> None:
    told, _ = printed(*EXPLAIN)
    assert told.startswith("host.disks_have_room\n\nShould be:  ")
    assert told.endswith("Source:     healthchecks/host/test_space.py\n")


def test_a_wrong_id_is_a_usage_error_that_names_the_nearest(pytester: pytest.Pytester) -> None:
    toy = Toy(pytester)
    toy.checks(check("well"))
    result = toy.run("--explain", "toy.wel\x1b[2J")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (said,) = [line for line in result.errlines if line]
    assert said.startswith("ERROR: --explain toy.wel\\x1b[2J: no check has this id; did you mean")
    assert result.stdout.str() == ""
