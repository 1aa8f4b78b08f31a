"""The exit status tells the truth, also about what nobody could see."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from plugins.finding import Finding, Outcome, Severity
from plugins.report.status import exit_status, root_of, unmet
from plugins.tests.reporting import finding

BLOCKED, CANNOT_TELL, HEALTHY = Outcome.BLOCKED, Outcome.CANNOT_TELL, Outcome.HEALTHY
P0, P1, P2, P3 = Severity.P0, Severity.P1, Severity.P2, Severity.P3


def status(
    *rows: Finding,
    fail_on: Severity = P2,
    required: Iterable[str] = (),
    pytest_status: int = 0,
) -> int:
    return exit_status(
        rows, fail_on=fail_on, required=frozenset(required), pytest_status=pytest_status
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([finding("a", HEALTHY)], 0),
        ([finding("a", HEALTHY), finding("b", severity=P0)], 10),
        ([finding("a", severity=P1), finding("b", CANNOT_TELL)], 1),
        ([finding("a", severity=P2)], 1),
        ([finding("a", severity=P3)], 0),
        ([finding("a", Outcome.FIXED, severity=P0)], 0),
        ([finding("a", Outcome.SILENCED, severity=P0)], 0),
        ([finding("a", HEALTHY), finding("b", CANNOT_TELL)], 11),
        ([finding("a", CANNOT_TELL)], 11),
        ([finding("a", HEALTHY), finding("b", Outcome.NOT_RUN)], 11),
        ([finding("a", Outcome.ABSENT)], 5),
        ([finding("a", HEALTHY), finding("b", Outcome.ABSENT)], 0),
        ([], 5),
    ],
)
def test_each_outcome_has_its_status(rows: list[Finding], expected: int) -> None:
    assert status(*rows) == expected


@pytest.mark.parametrize("own", [2, 3, 4, 6])
def test_what_went_wrong_with_the_run_itself_wins(own: int) -> None:
    assert status(finding("a", severity=P0), pytest_status=own) == own


def test_a_failure_that_is_no_finding_is_never_healthy() -> None:
    assert status(finding("a", HEALTHY), pytest_status=1) == 1
    assert status(finding("a", severity=P0), pytest_status=1) == 10


@pytest.mark.parametrize(("line", "expected"), [(P0, 0), (P1, 1), (P3, 1)])
def test_fail_on_is_a_line_that_severity_is_held_to(line: Severity, expected: int) -> None:
    assert status(finding("a", severity=P1), fail_on=line) == expected


def test_a_blocked_finding_counts_through_its_root_alone() -> None:
    root = finding("root", severity=P3)
    child = finding("child", BLOCKED, severity=P0, blocked_by="box.root")
    grandchild = finding("grandchild", BLOCKED, blocked_by="box.child")
    assert status(root, child, grandchild) == 0
    assert root_of(grandchild, {row.id: row for row in (root, child)}) == "box.root"


@pytest.mark.parametrize("root", [HEALTHY, CANNOT_TELL, Outcome.ABSENT, Outcome.NOT_RUN])
def test_a_blocked_finding_whose_root_is_not_ill_could_not_be_told(root: Outcome) -> None:
    child = finding("child", BLOCKED, blocked_by="box.root")
    assert status(finding("a", HEALTHY), finding("root", root), child) == 11


def test_a_blocked_finding_whose_root_did_not_take_part_could_not_be_told() -> None:
    assert status(finding("a", HEALTHY), finding("b", BLOCKED, blocked_by="box.gone")) == 11


def test_findings_that_block_each_other_end() -> None:
    one = finding("one", BLOCKED, blocked_by="box.two")
    two = finding("two", BLOCKED, blocked_by="box.one")
    assert status(one, two, finding("a", HEALTHY)) == 11


@pytest.mark.parametrize("outcome", [Outcome.ABSENT, CANNOT_TELL, Outcome.NOT_RUN, BLOCKED])
def test_a_required_check_must_have_judged(outcome: Outcome) -> None:
    row = finding("b", outcome, blocked_by="box.root")
    rows = (finding("a", HEALTHY), row, finding("root", severity=P3))
    assert status(*rows, required={"box.b"}) == 11
    assert unmet(rows, frozenset({"box.b"})) == ("box.b",)


def test_a_required_check_that_nobody_selected_fails_the_run() -> None:
    assert status(finding("a", HEALTHY), required={"box.a"}) == 0
    assert status(finding("a", HEALTHY), required={"box.misspelt"}) == 11
    assert status(required={"box.a"}) == 11
    assert status(finding("a", severity=P1), required={"box.misspelt"}) == 1
