"""Records of a log that span lines: one record shows an issue once, at its own level and time."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from plugins.endpoints.logs import Logs
from plugins.endpoints.signatures import Signature
from plugins.eyes.stamps import level_of, time_of
from plugins.hosts import Host

HEAD = "2026-03-04 05:06:0{n}.123 +00:00 [{level}] portagent·runtime/CommandHandler: '{said}' {{\n"
FULL = Signature("full", "P1", "t", "w", "h", "SQLITE_FULL|disk is full", level=("error",))
ANY = Signature("any", "P1", "t", "w", "h", "ENOSPC")


def record(n: int, level: str, said: str, *inner: str) -> str:
    """Return one record with its inner lines."""
    return (
        HEAD.format(n=n, level=level, said=said) + "".join(f"  {one},\n" for one in inner) + "}\n"
    )


def hits(path: Path, cursors: Path | None = None) -> dict[str, tuple[int, str]]:
    """Return how often each signature shows, and its last line."""
    folder = str(cursors) if cursors else None
    seen = Logs(Host()).scan(str(path), (FULL, ANY), cursor_folder=folder).hits
    return {key: (one.count, one.lines[-1]) for key, one in seen.items()}


def test_an_inner_line_has_the_level_of_its_record(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        record(1, "INF", "Tried", "error: 'SQLITE_FULL'")
        + record(2, "ERR", "Failed to persist entry", "id: 'x'", "error: 'SQLITE_FULL'")
    )
    count, line = hits(log)["full"]
    assert count == 1
    assert "Failed to persist entry" in line
    assert "SQLITE_FULL" in line


def test_a_record_shows_an_issue_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        record(1, "ERR", "disk is full", "error: 'SQLITE_FULL'", "cause: 'SQLITE_FULL'")
        + record(2, "ERR", "disk is full")
    )
    assert hits(log)["full"][0] == 2


def test_a_record_that_two_runs_read_keeps_its_level(tmp_path: Path) -> None:
    log = tmp_path / "log"
    whole = record(1, "ERR", "Failed", "id: 'x'", "error: 'SQLITE_FULL'")
    cut = whole.index("  error")
    log.write_text(whole[:cut])
    assert hits(log, tmp_path / "cursors") == {}
    with log.open("a") as file:
        file.write(whole[cut:])
    assert hits(log, tmp_path / "cursors")["full"][0] == 1


def test_a_record_over_blocks_keeps_its_level(tmp_path: Path) -> None:
    log = tmp_path / "log"
    inner = [f"k{n}: '{'x' * 90}'" for n in range(40_000)]
    log.write_text(record(1, "ERR", "Failed", *inner, "error: 'SQLITE_FULL'"))
    assert hits(log)["full"][0] == 1


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (b"10:08:28.452 ERR portagent\xc2\xb7queue/EventQueue Cleanup failed", "error"),
        (b"\x1b[2m10:08:28.452\x1b[0m \x1b[33mWRN\x1b[0m portagent ACK timeout", "warn"),
        (b"2026-11-20T10:08:28.123456789Z 10:08:28.452 ERR portagent x", "error"),
        (b"ERROR 2026-03-04T05:06:07 +5ms service=session failed", "error"),
        (b"it was 10:08:28 ERR", ""),
    ],
)
def test_levels_of_consoles(line: bytes, level: str) -> None:
    assert level_of(line) == level


def test_a_duration_is_no_zone() -> None:
    wanted = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC).timestamp()
    for more in (b" +5ms service=x", b" +1234ms service=x", b"Z x", b"+0000 x"):
        assert time_of(b"INFO  2026-03-04T05:06:07" + more, b"Z") == wanted


def test_a_record_is_shown_with_its_inner_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(record(1, "ERR", "disk is full", "path: '/d'") + record(2, "INF", "Other"))
    _, line = hits(log)["full"]
    assert line.endswith("'disk is full' { path: '/d', }")
