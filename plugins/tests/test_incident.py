"""Incident reports: what belongs to one incident, what is said of it, and that it is safe."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugins.finding import Finding, Fix, Outcome, Severity
from plugins.history.judgements import Judged
from plugins.incident.episode import Incident, Taken, illnesses, incident, with_present
from plugins.incident.writing import Scene, code, report
from plugins.tests.reporting import finding
from plugins.tests.toy import Toy, check

HOUR = 3600.0
DAY = 24 * HOUR
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
AT = NOW.timestamp()
SCENE = Scene("box", NOW, "Degraded: 1 P2.", "agent-healthchecks 0.1.0")


def ill(check: str, severity: Severity, ago: float) -> Judged:
    return Judged(AT - ago, check, Outcome.ILL, severity)


def well(check: str, ago: float) -> Judged:
    return Judged(AT - ago, check, Outcome.HEALTHY, Severity.P0)


def told_of(*rows: Judged, steps: tuple[Taken, ...] = ()) -> Incident | None:
    ordered = sorted(rows, key=lambda row: row.at)
    return incident(illnesses(ordered, {}), steps, AT)


def test_an_incident_begins_when_it_was_first_seen_and_goes_on() -> None:
    told = told_of(well("a.x", 3 * HOUR), ill("a.x", Severity.P0, HOUR), ill("a.x", Severity.P1, 0))
    assert told is not None
    assert (told.began, told.ended, told.severity) == (AT - HOUR, None, Severity.P0)


def test_what_was_ill_for_weeks_does_not_make_one_incident_of_all() -> None:
    told = told_of(
        ill("a.tight", Severity.P2, 20 * DAY),
        ill("a.down", Severity.P0, 10 * DAY),
        well("a.down", 9 * DAY),
        ill("b.down", Severity.P0, HOUR),
    )
    assert told is not None
    assert told.began == AT - HOUR
    assert [one.check for one in told.illnesses] == ["b.down", "a.tight"]


def test_illnesses_one_after_the_other_are_one_incident() -> None:
    told = told_of(
        ill("a.down", Severity.P0, 5 * HOUR),
        ill("b.down", Severity.P0, 4 * HOUR),
        well("a.down", 3 * HOUR),
        well("b.down", 2 * HOUR),
    )
    assert told is not None
    assert (told.began, told.ended) == (AT - 5 * HOUR, AT - 2 * HOUR)
    assert told.systems == ("a", "b")
    assert not told.open


def test_what_is_untidy_is_no_incident() -> None:
    assert told_of(ill("a.untidy", Severity.P3, HOUR)) is None


def test_what_could_not_be_told_meanwhile_does_not_end_it() -> None:
    rows = [ill("a.down", Severity.P0, HOUR)]
    now = with_present(rows, [finding("down", Outcome.CANNOT_TELL, system="a")], AT)
    assert [one.ended for one in illnesses(now, {})] == [None]


def test_the_present_run_is_told_once() -> None:
    row = finding("down", system="a", severity=Severity.P0)
    rows = with_present([ill(row.id, Severity.P0, 0)], [row], AT)
    assert len(rows) == 1
    cured = finding("down", Outcome.FIXED, system="a", severity=Severity.P0)
    found = illnesses(with_present(rows, [cured], AT), {})
    assert [(one.began, one.ended) for one in found] == [(AT, AT)]


def test_steps_of_the_time_are_told() -> None:
    early = Taken(AT - 9 * HOUR, "R0", "a.x", "chmod 600 /old", "taken")
    late = Taken(AT - 60, "R1", "a.x", "chmod 600 /new", "taken back")
    told = told_of(ill("a.x", Severity.P1, HOUR), steps=(late, early))
    assert told is not None
    assert told.steps == (late,)
    text = report(told, (), SCENE)
    assert "`chmod 600 /new`" in text
    assert "taken back" in text


def whole(*rows: Finding) -> str:
    judged = with_present([], rows, AT)
    told = incident(illnesses(judged, {row.id: row for row in rows}), (), AT)
    return report(told, rows, SCENE)


def test_the_report_has_the_form_of_the_guide() -> None:
    row = finding(
        "down",
        system="box",
        severity=Severity.P0,
        message="nobody listens",
        evidence=("port 1: refused",),
        fix=Fix("failed", message="no"),
    )
    text = whole(row, finding("hidden", Outcome.BLOCKED, blocked_by=row.id))
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == [
        "# Incident Report: 2026-11-30 - 1 P0 in box",
        *("## Summary", "## Impact", "## Timeline", "## Root Cause", "## Resolution"),
        *("## Prevention", "## Lessons Learned", "## Escalation"),
    ]
    for words in (
        "**Severity**: P0 - Critical (immediate response)",
        "**End Time**: it goes on",
        "**Services Affected**: box",
        "`nobody listens`",
        "could not be judged because of it",
        "a fix was tried and did not help",
        "--bundle",
    ):
        assert words in text


def test_nothing_that_hurts_is_said_and_what_was_not_seen_too() -> None:
    text = whole(finding("unknown", Outcome.CANNOT_TELL, message="no permission"))
    assert "nothing hurts" in text
    assert "## Could not be told" in text
    assert "no permission" in text


def test_text_of_the_host_stays_code() -> None:
    nasty = "`x` ``` ](http://evil) <script>\n# heading\x1b[31m"
    text = whole(finding("down", severity=Severity.P0, message=nasty, evidence=(nasty,) * 500))
    assert "\n# heading" not in text
    assert "\x1b" not in text
    assert len(text.splitlines()) < 200
    assert code("`") == "`` ` ``"
    assert code("a``b") == "```a``b```"


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    toy = Toy(pytester)
    down = check("up", "assert not odd", severity="P0", facts="odd", cure='hint="Start it."')
    toy.checks(check("clean") + down)
    return toy


def test_a_run_writes_it_from_the_history_the_journal_and_its_findings(toy: Toy) -> None:
    toy.add("a")
    toy.add("down", folder="odd")
    toy.run()
    toy.run("--fix")
    (toy.data / "odd" / "down").unlink()
    ran = toy.run("--incident", "incident.md")
    assert ran.ret == 0
    path = toy.root / "incident.md"
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "# Incident Report: " in text
    assert "1 P0, 1 P2 in toy" in text
    assert "`toy.clean` was well again" in text
    assert "`toy.up` was well again" in text
    assert "it goes on" not in text
    assert "mv -n --" in text
    assert "taken; `pytest healthchecks/ --undo " in text


def test_a_report_that_a_person_filled_in_is_not_written_over(toy: Toy) -> None:
    path = toy.root / "incident.md"
    path.write_text("mine")
    ran = toy.run("--incident", "incident.md")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    assert "is there already" in ran.stderr.str()
    assert path.read_text() == "mine"
    ran = toy.run("--incident", "-")
    assert "name a file" in ran.stderr.str()
    ran = toy.run("--incident", "nowhere/incident.md")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran = toy.run("--incident", "other.md", "--list-checks")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR


def test_the_end_of_a_run_without_a_history_is_told_from_what_it_saw(toy: Toy) -> None:
    toy.state.write_text("no folder")
    toy.add("down", folder="odd")
    assert toy.run("--incident", "incident.md").ret == 10
    text = (toy.root / "incident.md").read_text()
    assert "1 P0 in toy" in text
    assert "it goes on" in text
