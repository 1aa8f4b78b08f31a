"""Windows of maintenance: over midnight, over changes of the clock, in other time zones."""

from __future__ import annotations

from datetime import datetime

import pytest

from plugins.alerts.windows import Window, is_told
from plugins.finding import Severity

BERLIN = "Europe/Berlin"
NIGHT = Window("22:00", "06:00", ("sat",), BERLIN)


def at(moment: str) -> datetime:
    """Return a moment of ISO text with its offset."""
    return datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("window", "moment", "within"),
    [
        # Saturday, 2026-11-28; Berlin is at +01:00.
        (NIGHT, "2026-11-28T21:59:59+01:00", False),
        (NIGHT, "2026-11-28T22:00:00+01:00", True),
        (NIGHT, "2026-11-29T05:59:59+01:00", True),
        (NIGHT, "2026-11-29T06:00:00+01:00", False),
        (NIGHT, "2026-11-29T23:00:00+01:00", False),  # begins on Saturdays only
        (NIGHT, "2026-11-28T05:00:00+01:00", False),  # that night would have begun on a Friday
        (NIGHT, "2026-11-28T21:30:00+00:00", True),  # the same clock, told from elsewhere
        (NIGHT, "2026-11-28T16:30:00-05:00", True),
        (Window("09:00", "17:00", zone="Asia/Tokyo"), "2026-11-28T00:00:00+00:00", True),
        (Window("09:00", "17:00", zone="Asia/Tokyo"), "2026-11-28T08:00:00+00:00", False),
        (Window("08:00", "08:00", ("sat",), BERLIN), "2026-11-29T07:59:00+01:00", True),
        (Window("08:00", "08:00", ("sat",), BERLIN), "2026-11-28T07:59:00+01:00", False),
        # Clocks go back on 2026-10-25 at 03:00: half past two is twice, and both are within.
        (Window("02:00", "02:45", zone=BERLIN), "2026-10-25T02:30:00+02:00", True),
        (Window("02:00", "02:45", zone=BERLIN), "2026-10-25T02:30:00+01:00", True),
        (Window("02:00", "02:45", zone=BERLIN), "2026-10-25T02:45:00+01:00", False),
        # Clocks go forward on 2026-03-29 at 02:00: there is no half past two.
        (Window("02:30", "04:00", zone=BERLIN), "2026-03-29T03:45:00+02:00", True),
        (Window("02:30", "04:00", zone=BERLIN), "2026-03-29T04:00:00+02:00", False),
        (Window("22:00", "06:00", ("sat",), BERLIN), "2026-03-29T05:30:00+02:00", True),
        (Window("22:00", "06:00", ("sat",), BERLIN), "2026-03-29T06:00:00+02:00", False),
        (Window("2026-12-24", "2026-12-26", zone=BERLIN), "2026-12-26T23:59:00+01:00", True),
        (Window("2026-12-24", "2026-12-26", zone=BERLIN), "2026-12-27T00:00:00+01:00", False),
        (Window("2026-12-24", "2026-12-24T18:00", zone=BERLIN), "2026-12-24T17:59:00+01:00", True),
        (Window("2026-12-24T18:00", "2026-12-25", zone=BERLIN), "2026-12-24T17:59:00+01:00", False),
    ],
)
def test_a_window_is_kept_by_the_clock_on_its_wall(
    window: Window, moment: str, within: bool
) -> None:
    assert window.holds(at(moment)) is within


def test_without_a_zone_it_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert Window("09:00", "10:00").holds(at("2026-11-28T14:30:00+00:00"))
        assert not Window("09:00", "10:00").holds(at("2026-11-28T09:30:00+00:00"))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_within_a_window_only_what_it_lets_through_is_told() -> None:
    now = at("2026-11-28T23:00:00+01:00")
    lets_through = Window("22:00", "06:00", ("sat",), BERLIN, Severity.P0)
    assert is_told([], now, Severity.P3)
    assert not is_told([NIGHT], now, Severity.P0)
    assert is_told([lets_through], now, Severity.P0)
    assert not is_told([lets_through], now, Severity.P1)
    assert not is_told([lets_through, NIGHT], now, Severity.P0)
    assert is_told([lets_through, NIGHT], at("2026-11-29T12:00:00+01:00"), Severity.P3)
