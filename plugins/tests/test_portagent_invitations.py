"""Invitation codes are those of the server's own JavaScript, over midnight and every DST change."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthchecks.portagent.invitations import changes_after, code_at, zone_of
from healthchecks.portagent.world import World

ZONES = sorted(name for name in available_timezones() if "/" in name or name in {"UTC", "EST"})
# Clocks that were set at midnight: a first second of the day that never was, or was twice.
MIDNIGHTS = (
    *("America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "America/Havana", "Asia/Gaza"),
    *("America/Asuncion", "Atlantic/Azores", "America/Santiago", "Asia/Tehran"),
)
# From 2000 to 2035, in milliseconds as JavaScript has them.
MOMENTS = st.integers(946_684_800_000, 2_082_758_400_000).map(lambda number: number / 1000)
NAMES = st.sampled_from(ZONES) | st.sampled_from(MIDNIGHTS)
_CODES = """
const [rows] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const told = rows.map(([zone, moment]) => {
  process.env.TZ = zone;
  const day = new Date(moment * 1000);
  day.setHours(0, 0, 1, 0);
  return Math.floor(day.getTime() / 1000);
});
console.log(JSON.stringify(told));
"""


def local(moment: float, zone: datetime.tzinfo) -> datetime.datetime:
    """Return a moment as the clock of a zone shows it."""
    return datetime.datetime.fromtimestamp(moment, zone)


def changes_near(name: str) -> Iterator[float]:
    """Yield moments around each change of a zone's clock between 2000 and 2035."""
    zone = ZoneInfo(name)
    for day in range(946_684_800, 2_082_758_400, 86_400):
        if local(day, zone).utcoffset() != local(day + 86_400, zone).utcoffset():
            yield from (day + hours * 3600.0 for hours in range(0, 49, 3))


@given(MOMENTS, NAMES)
@settings(max_examples=300, deadline=None)
def test_a_code_is_of_its_own_day_and_of_no_other(moment: float, name: str) -> None:
    zone = ZoneInfo(name)
    code, left = code_at(moment, zone), changes_after(moment, zone)
    today = local(moment, zone).date()
    assert local(code, zone).date() == today  # where the second is left out, the clock is ahead
    assert 0 < left <= 25.5 * 3600 or name in {"Pacific/Apia", "Pacific/Fakaofo"}  # a day left out
    assert code_at(moment + left - 1, zone) == code
    assert code_at(moment + left + 1, zone) != code
    assert local(moment + left + 1, zone).date() > today


@given(MOMENTS)
def test_the_formula_of_the_guide_is_right_in_utc(moment: float) -> None:
    assert code_at(moment, datetime.UTC) == int(moment) // 86_400 * 86_400 + 1


@given(MOMENTS, NAMES)
@settings(max_examples=300, deadline=None)
def test_the_formula_of_the_guide_is_wrong_elsewhere(moment: float, name: str) -> None:
    zone = ZoneInfo(name)
    code = code_at(moment, zone)
    offset = local(code, zone).utcoffset()
    assert offset is not None
    universal = code_at(moment, datetime.UTC)
    if local(code, zone).strftime("%H:%M:%S") == "00:00:01":
        same_day = local(moment, zone).date() == local(moment, datetime.UTC).date()
        assert (code == universal) == (not offset and same_day)


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
@pytest.mark.parametrize("name", MIDNIGHTS)
def test_a_code_is_that_of_javascript_over_every_change_of_the_clock(name: str) -> None:
    rows = [(name, moment) for moment in changes_near(name)]
    argv = ["node", "-e", _CODES]
    ran = subprocess.run(argv, input=json.dumps([rows]), text=True, capture_output=True, check=True)
    theirs = json.loads(ran.stdout)
    ours = [code_at(moment, ZoneInfo(name)) for _, moment in rows]
    wrong = [
        f"{local(moment, ZoneInfo(name))}: {mine}, not {theirs_}"
        for (_, moment), mine, theirs_ in zip(rows, ours, theirs, strict=True)
        if mine != theirs_
    ]
    assert rows
    assert not wrong


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("UTC", True),
        ("", True),
        ("utc0", True),
        (":Asia/Tokyo", True),
        ("Mars/Olympus", False),
        ("../../etc/passwd", False),
        ("/etc/localtime", False),
        ("Europe", False),
        ("a\0b", False),
        ("x" * 5000, False),
    ],
)
def test_a_zone_is_known_by_its_name_alone(name: str, known: bool) -> None:
    assert (zone_of(name) is not None) == known


@pytest.mark.parametrize("name", ["UTC", "Asia/Shanghai", "America/St_Johns", "Pacific/Kiritimati"])
def test_the_server_takes_the_code_of_its_own_zone(tmp_path: Path, name: str) -> None:
    import time

    folder = tmp_path / "world"
    folder.mkdir()
    world = World(folder)
    try:
        world.server.environment["TZ"] = name
        world.server.start()
        zone = zone_of(name)
        assert zone is not None
        assert world.server.code_of_today() == code_at(time.time(), zone)
        assert "token" in world.server.register()
    finally:
        world.close()
