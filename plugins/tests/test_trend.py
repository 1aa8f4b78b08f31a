"""The pace of a measure: right for what goes on, none for what happened once."""

from __future__ import annotations

import pytest

from plugins.history.trend import DAY_S, Trend, trend

Points = list[tuple[float, float]]
HOUR_S = 3600.0


def hourly(days: float, *, step_at: int = -1, pace: float = 0.0) -> Points:
    """Return looks of each hour at 100, less `pace` a day, and less 40 from an hour on."""
    hours = range(round(days * 24) + 1)
    return [(h * HOUR_S, 100 + pace * h / 24 - 40 * (0 <= step_at <= h)) for h in hours]


@pytest.mark.parametrize("days", [3, 4, 5, 7, 14])
def test_one_big_copy_is_no_pace_whenever_it_came(days: int) -> None:
    steps = {hour: trend(hourly(days, step_at=hour)) for hour in range(1, days * 24)}
    assert {hour: seen.pace for hour, seen in steps.items() if seen and seen.pace} == {}


@pytest.mark.parametrize("days", [3, 4, 5, 7, 14])
def test_what_goes_on_has_its_pace(days: int) -> None:
    seen = trend(hourly(days, pace=-5.0))
    assert seen is not None
    assert seen.pace == pytest.approx(-5.0)


def test_one_look_a_day_is_enough() -> None:
    assert trend([(day * DAY_S, 100.0 - 10 * day) for day in range(5)]) == Trend(-10.0, 4.0, 5)


def test_a_cleanup_in_between_leaves_no_pace_that_nobody_sees() -> None:
    falling = hourly(10, pace=-5.0)
    seen = trend([(at, value + 50 * (at >= 5 * DAY_S)) for at, value in falling])
    assert seen is not None
    assert seen.pace == 0


def test_a_clock_that_was_ahead_changes_no_pace() -> None:
    *earlier, last = hourly(10, pace=-5.0)
    ahead = [(at + 400 * DAY_S, 10.0) for at, _ in earlier[:20]]
    seen = trend([*earlier, *ahead, last])
    assert seen is not None
    assert seen.pace == pytest.approx(-5.0)


@pytest.mark.parametrize("odd", range(1, 9))
def test_one_odd_look_neither_hides_a_pace_nor_makes_one(odd: int) -> None:
    filling = [(day * DAY_S, 5.0 if day == odd else 100.0 - 10 * day) for day in range(10)]
    still = [(day * DAY_S, 5.0 if day == odd else 100.0) for day in range(10)]
    paces = [seen.pace for points in (filling, still) if (seen := trend(points))]
    assert paces[0] == pytest.approx(-10.0, rel=0.5)
    assert paces[1] == 0
