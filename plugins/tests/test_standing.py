"""What a check was before, and what that says of it now."""

from __future__ import annotations

import pytest

from plugins.finding import Outcome, Severity
from plugins.history.standing import Flaps, Standing, advanced, moment, past_of, states
from plugins.tests.reporting import finding


def after(*outcomes: str) -> Standing:
    """Return the standing after these outcomes, one each 100 s; a severity stands for ill."""
    stands = Standing()
    for number, word in enumerate(outcomes, 1):
        outcome, severity = ("ill", word) if word[0] == "P" else (word, "P2")
        stands = advanced(stands, outcome, severity, number * 100.0)
    return stands


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (("healthy",), "P2", "new"),
        (("P2",), "P2", "still"),
        (("P2",), "P1", "worse"),
        (("P1",), "P2", "still"),
        (("P2",), "healthy", "fixed"),
        (("P2",), "fixed", "fixed"),
        (("healthy",), "healthy", ""),
        (("healthy",), "fixed", ""),
        # What could not be judged in between is neither cured nor fallen ill.
        (("P2", "cannot_tell"), "P2", "still"),
        (("P2",), "cannot_tell", ""),
        (("P2", "not_run", "absent", "blocked", "silenced"), "healthy", "fixed"),
        (("healthy", "cannot_tell"), "P2", "new"),
        (("cannot_tell",), "P2", ""),
        (("P2",), "silenced", ""),
    ],
)
def test_the_change_is_told_against_the_last_run_that_judged(
    before: tuple[str, ...], now: str, change: str
) -> None:
    outcome, severity = ("ill", now) if now[0] == "P" else (now, "P2")
    told = past_of(after(*before), outcome, severity, 9000.0, flaps=Flaps())
    assert told.change == change


def test_the_moments_are_those_of_the_illness_and_not_of_the_looks() -> None:
    stands = after("healthy", "P2", "cannot_tell", "P1", "not_run")
    told = past_of(stands, "ill", "P1", 600.0, flaps=Flaps())
    assert (told.since, told.first_seen, told.last_seen) == tuple(map(moment, (200, 200, 600)))
    told = past_of(stands, "healthy", "P1", 600.0, flaps=Flaps())
    assert (told.since, told.first_seen, told.last_seen) == tuple(map(moment, (600, 200, 400)))
    told = past_of(stands, "not_run", "P1", 600.0, flaps=Flaps())
    assert (told.since, told.last_seen) == (moment(500), moment(400))


def test_without_a_history_nothing_is_new() -> None:
    told = past_of(None, "ill", "P2", 600.0, flaps=Flaps())
    assert (told.change, told.since, told.first_seen) == ("", moment(600), moment(600))
    told = past_of(None, "healthy", "P2", 600.0, flaps=Flaps())
    assert (told.since, told.first_seen, told.last_seen) == ("", "", "")


def test_what_changes_its_mind_again_and_again_flaps() -> None:
    calm = after("P2", "healthy", "healthy", "healthy", "P2")
    assert not past_of(calm, "ill", "P2", 900.0, flaps=Flaps(3, 10)).flapping
    assert past_of(calm, "healthy", "P2", 900.0, flaps=Flaps(3, 10)).flapping
    # Only the last judgements count, and what judged nothing does not.
    long = after("P2", "healthy", "P2", *["healthy", "cannot_tell"] * 9)
    assert not past_of(long, "healthy", "P2", 5000.0, flaps=Flaps(2, 10)).flapping


def test_a_system_is_as_its_worst_check() -> None:
    rows = [
        finding("a", Outcome.ILL, system="one", severity=Severity.P3),
        finding("b", Outcome.ILL, system="one", severity=Severity.P0),
        finding("c", Outcome.HEALTHY, system="two"),
        finding("d", Outcome.CANNOT_TELL, system="two"),
        finding("e", Outcome.ABSENT, system="three"),
        finding("f", Outcome.SILENCED, system="four"),
        finding("g", Outcome.ABSENT, system="four"),
    ]
    assert states(rows) == {
        "one": "P0",
        "two": "cannot_tell",
        "three": "absent",
        "four": "healthy",
    }
