"""What a person reads: worst first, in sentences, and no more than is needed."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.finding import Finding, Fix, Outcome, Safety, Severity, Waiver
from plugins.report.account import Account
from plugins.report.summary import summary
from plugins.report.terminal import Line
from plugins.tests.reporting import document_of, finding, lay_out, run

P0, P2, P3 = Severity.P0, Severity.P2, Severity.P3


def written(
    *rows: Finding, status: int = 1, full: bool = True, width: int = 0, **account: Any
) -> str:
    """Return the whole summary as a person sees it."""
    known = Account(selected=[(row.id, row) for row in rows], **account)
    lines = summary(known, status, 1.0, full=full, reports="reports/health.html")
    return "\n".join(piece for line in lines for piece in line.wrapped(width))


def test_a_finding_reads_as_a_sentence() -> None:
    text = written(finding("answers", severity=P0, evidence=("GET / 500",)), status=10)
    assert "P0  box.answers  it answered with 500\n" in text
    assert "    Should be: The server answers.\n" in text
    assert "    - GET / 500\n" in text
    assert "    Why: Nobody can work without it.\n" in text
    assert "    What to do: Run `systemctl restart it`.\n" in text
    assert "    Only a person can do this.\n" in text
    assert text.splitlines()[-1] == "1 P0 in 1.0 s; exit status 10: a P0 is ill"


def test_the_worst_comes_first_and_the_rest_in_its_order() -> None:
    waiver = Waiver("2999-01-01", "it is being replaced", "ops")
    text = written(
        finding("not_run", Outcome.NOT_RUN),
        finding("unknown", Outcome.CANNOT_TELL),
        finding("waived", Outcome.SILENCED, silenced=waiver),
        finding("hidden", Outcome.BLOCKED, blocked_by="box.bad"),
        finding("gone", Outcome.ABSENT),
        finding("cured", Outcome.FIXED, fix=Fix("taken", ("chmod 600 x",), run="R1")),
        finding("mild", severity=P2),
        finding("bad", severity=P0),
        status=10,
        absences=[("dgmo", "no ~/.dgmo")],
    )
    order = ["P0  box.bad", "P2  box.mild", "fixed  box.cured", "Absent:", "dgmo: no ~/.dgmo"]
    order += ["box.gone", "Blocked,", "by box.bad:", "box.hidden", "Silenced:", "box.waived"]
    order += ["Cannot tell:", "box.unknown", "Not run:", "box.not_run", "All of it: "]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "It hides 1 other check, listed under it below." in text
    assert "Undo: pytest healthchecks/ --undo R1" in text
    assert "until 2999-01-01, because it is being replaced (ops)" in text


def test_a_person_gets_the_first_evidence_and_the_count_of_the_rest() -> None:
    row = finding("many", evidence=tuple(f"file {number}" for number in range(8)))
    assert "… and 3 more" in written(row, full=False)
    assert "file 7" in written(row, full=True)


def test_it_is_told_whether_a_fix_can_do_it() -> None:
    assert "`--fix` can do this" in written(finding("a", safety=Safety.SAFE))
    assert "`--fix=unsafe` can do this" in written(finding("a", safety=Safety.UNSAFE))
    planned = written(finding("a", fix=Fix("planned", ("chmod 600 a",), ("-old", "+new"))))
    assert "      $ chmod 600 a\n      -old\n      +new" in planned


def test_what_is_below_show_is_counted() -> None:
    text = written(finding("bad", severity=P0), finding("mild", severity=P3), show=P2)
    assert "box.mild" not in text
    assert "1 finding below P2 not shown (--show P2)" in text


def test_required_strangers_and_warnings_are_loud() -> None:
    text = written(
        finding("a", Outcome.HEALTHY),
        required=frozenset({"box.gone"}),
        strangers=[("test_x.py", "SyntaxError\nhere")],
        warnings=["the waiver of box.b ends tomorrow"],
    )
    assert "did not judge:\n  box.gone" in text
    assert "  test_x.py\n      SyntaxError\n      here" in text
    assert "Take note:\n  the waiver of box.b ends tomorrow" in text


def test_nothing_but_absences_and_the_last_line_when_healthy() -> None:
    text = written(finding("a", Outcome.HEALTHY), status=0, absences=[("dgmo", "no ~/.dgmo")])
    last = "0 ill, 1 healthy in 1.0 s; exit status 0: nothing ill at or above P2"
    assert text.strip().splitlines() == ["Absent:", "  dgmo: no ~/.dgmo", "", last]


def test_lines_are_wrapped_to_the_width_and_commands_are_not() -> None:
    assert list(Line("- one two three four five six", 4).wrapped(24)) == [
        "    - one two three four",
        "      five six",
    ]
    assert list(Line("x" * 50, 2, whole=True).wrapped(24)) == ["  " + "x" * 50]


def test_pytest_is_quiet_and_our_summary_stands_alone(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("bad", severity=P0), finding("well", Outcome.HEALTHY)])
    result = run(pytester)
    assert result.ret == 10
    text = result.stdout.str()
    assert text.strip().startswith("P0  box.bad")
    assert result.outlines[-1].startswith("1 P0, 1 healthy in ")
    for noise in ("====", "FAILURES", "collected", "\x1b", "Generated html"):
        assert noise not in text


def test_v_gives_pytests_own_output_back(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("bad", severity=P0)])
    result = run(pytester, "-v")
    result.stdout.fnmatch_lines(["*test session starts*", "*test_check?box.bad?*", "P0  box.bad*"])


def test_without_pytests_terminal_a_run_tells_by_its_documents(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("bad", severity=P0)])
    result = run(pytester, "-p", "no:terminal")
    assert (result.ret, result.stdout.str(), result.stderr.str()) == (10, "", "")
    assert document_of(pytester)["exit_status"] == 10


def test_the_projects_own_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("bad", severity=P0)])
    pytester.makepyfile(test_own="def test_one(): pass")
    result = run(pytester, "--deselect", "healthchecks", place="test_own.py")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test session starts*", "*1 passed*"])
    assert not pytester.path.joinpath("reports").exists()


@pytest.mark.parametrize("spread", [(), ("-n", "2")])
def test_the_status_is_the_same_with_xdist(
    pytester: pytest.Pytester, spread: tuple[str, ...]
) -> None:
    rows = [finding("a", Outcome.HEALTHY), finding("b", Outcome.CANNOT_TELL)]
    lay_out(pytester, [*rows, finding("c", severity=P3)])
    result = run(pytester, *spread)
    assert result.ret == 11
    assert len(document_of(pytester)["findings"]) == 3
    assert "====" not in result.stdout.str()


def test_co_prints_the_tests_and_no_verdict(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("a", Outcome.HEALTHY)])
    result = run(pytester, "--co", "-q")
    assert result.ret == 0
    assert "exit status" not in result.stdout.str()
    assert not pytester.path.joinpath("reports").exists()


def test_a_failing_teardown_is_no_health(pytester: pytest.Pytester) -> None:
    fixture = "\n@pytest.fixture\ndef bad():\n    yield\n    raise OSError('gone')\n"
    lay_out(
        pytester,
        [finding("a", Outcome.HEALTHY)],
        fixture + "\ndef test_other(bad): pass\n",
    )
    result = run(pytester)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["Failed, and is no finding:", "*test_other", "*OSError: gone*"])


def test_a_file_that_is_no_python_ends_the_run_loudly(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("a", Outcome.HEALTHY)])
    pytester.path.joinpath("healthchecks/test_broken.py").write_text("def :")
    result = run(pytester)
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*test_broken.py", "*SyntaxError*", "*exit status 2*"])


def test_what_x_left_out_is_not_run(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("a", severity=P3), finding("b", Outcome.HEALTHY)])
    result = run(pytester, "-x")
    assert result.ret == 11
    result.stdout.fnmatch_lines(["Not run:", "*box.b*"])
    assert "box.b" in pytester.path.joinpath("reports/health.html").read_text()
