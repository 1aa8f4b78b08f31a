"""Logs: one pass, complete lines only, nothing read twice, and no line too strange."""

from __future__ import annotations

import datetime
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins import far
from plugins.endpoints.logs import Logs, Scan
from plugins.endpoints.signatures import Signature
from plugins.eyes import lines as lines_eye
from plugins.eyes import scan as scan_eye
from plugins.hosts import Host
from plugins.outcomes import NotThere, TimedOut, TooBig, WrongKind

DAY = "2026-03-04T05"
CLOSED = '"level":"ERROR","msg":"WebSocket read error","error":"websocket: close 1000 (normal)"'
NOT_FOUND = '"level":"ERROR","msg":"Handler error","error":"PROJECT_NOT_FOUND: no project"'


def signature(key: str, pattern: str, **words: object) -> Signature:
    return Signature(key, "P1", "A title", "why", "a hint", pattern, **words)  # type: ignore[arg-type]


SIGNATURES = (
    signature("not_found", r"PROJECT_NOT_FOUND"),
    signature("panic", r"^panic: "),
    signature("digits", r"exit status \d{3}$", level=("ERROR",)),
    signature("field", r"duration", fields=(("msg", r"^Slow"),)),
)


def at(minute: int, rest: str) -> str:
    return f'{{"time":"{DAY}:{minute:02}:00.5Z",{rest}}}\n'


def when(minute: int) -> float:
    return datetime.datetime(2026, 3, 4, 5, minute, tzinfo=datetime.UTC).timestamp() + 0.5


def scan(path: Path, folder: Path | None = None, since: float | None = None) -> Scan:
    kept = str(folder) if folder else None
    return Logs(Host()).scan(str(path), SIGNATURES, since=since, cursor_folder=kept)


def counts(told: Scan) -> dict[str, int]:
    return {key: hits.count for key, hits in told.hits.items()}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def test_json_plain_and_panic_lines_are_counted_together(log: Path) -> None:
    log.write_text(
        at(1, '"level":"INFO","msg":"up"')
        + at(2, CLOSED)
        + at(3, NOT_FOUND)
        + "panic: concurrent write to websocket connection\n"
        + "goroutine 1 [running]:\n"
        + '{"timestamp":"2026-03-04T14:04:00.5+09:00","level":"warn","msg":"Slow","duration":3}\n'
        + "2026/03/04 05:06:07 http: TLS handshake error\n"
        + "2026-03-04 05:07:00 [ERR] ended with exit status 137\n"
    )
    told = scan(log)
    assert counts(told) == {"not_found": 1, "panic": 1, "digits": 1, "field": 1}
    assert told.hits["panic"].first_seen == when(3), "a line without a time has the one before"
    assert told.hits["field"].last_seen == when(4)


def test_since_goes_by_the_lines_own_time(log: Path) -> None:
    log.write_text("panic: before any time\n" + "".join(at(n, NOT_FOUND) for n in range(30)))
    told = scan(log, since=when(20))
    assert counts(told) == {"not_found": 10, "panic": 1}
    assert told.hits["not_found"].first_seen == when(20)


def test_a_last_line_without_its_end_waits_for_the_next_run(log: Path, tmp_path: Path) -> None:
    whole = at(1, NOT_FOUND)
    log.write_text(whole + whole[:60])
    assert counts(scan(log, tmp_path / "kept")) == {"not_found": 1}
    with log.open("a") as file:
        file.write(whole[60:])
    again = scan(log, tmp_path / "kept")
    assert (counts(again), again.bytes_read) == ({"not_found": 2}, len(whole))


def test_what_is_unchanged_is_not_read_and_what_is_new_is(log: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    log.write_text(at(1, NOT_FOUND) * 5)
    first = scan(log, kept)
    assert scan(log, kept) == Scan(**{**vars(first), "bytes_read": 0})
    with log.open("a") as file:
        file.write("panic: x\n")
    third = scan(log, kept)
    assert (counts(third), third.bytes_read) == ({"not_found": 5, "panic": 1}, 9)
    assert third.hits["panic"].last_seen == when(1), "the time is remembered between runs"
    assert counts(scan(log, kept, since=when(2))) == {}
    (only,) = kept.iterdir()
    assert stat.S_IMODE(only.stat().st_mode) == 0o600


def rotated(log: Path) -> None:
    log.rename(log.with_suffix(".1"))
    log.write_text("panic: x\n" * 900)


def truncated(log: Path) -> None:
    log.write_text("panic: x\n")


def changed_tail(log: Path) -> None:
    text = log.read_bytes()
    log.write_bytes(text[:-9] + b"panic: x\n" + b"panic: y\n")


def changed_in_place(log: Path) -> None:
    with log.open("r+b") as file:
        file.write(b"panic: x\n")
    os.utime(log, ns=(1, 1))


@pytest.mark.parametrize("change", [rotated, truncated, changed_tail, changed_in_place])
def test_another_file_starts_over(
    log: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    log.write_text(at(1, NOT_FOUND) * 20)
    scan(log, tmp_path / "kept")
    change(log)
    assert scan(log, tmp_path / "kept") == scan(log)


def test_other_signatures_start_over_and_damage_is_no_harm(log: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    log.write_text(at(1, NOT_FOUND))
    scan(log, kept)
    assert Logs(Host()).scan(str(log), (), cursor_folder=str(kept)).bytes_read
    for damaged in kept.iterdir():
        damaged.write_text('{"form":1,"told":')
    assert counts(scan(log, kept)) == {"not_found": 1}
    kept_file = tmp_path / "no folder"
    kept_file.touch()
    assert counts(scan(log, kept_file)) == {"not_found": 1}


def test_a_thousand_and_more_hits_are_counted_right(log: Path, tmp_path: Path) -> None:
    log.write_text("".join(at(n % 60, NOT_FOUND) for n in range(5000)))
    assert counts(scan(log, tmp_path / "kept")) == {"not_found": 5000}
    with log.open("a") as file:
        file.write("".join(at(59, NOT_FOUND) for _ in range(1500)))
    assert counts(scan(log, tmp_path / "kept")) == {"not_found": 6500}
    kept = next((tmp_path / "kept").iterdir())
    assert kept.stat().st_size < 100_000


def test_strange_lines_are_made_harmless(log: Path) -> None:
    bad = b"panic: \x1b[31m\xff\xe2\x80\xae <script> \r x\n"
    log.write_bytes(bad + b"\x00\xfe\n" + "panic: grün\n".encode())
    told = scan(log)
    assert counts(told) == {"panic": 2}
    shown = told.hits["panic"].lines[0]
    assert shown.isprintable()
    assert "\\x1b[31m\\xff" in shown


def test_a_line_over_a_mebibyte_is_cut(log: Path) -> None:
    long = b"panic: " + b"x" * (5 << 20) + b"\n"
    log.write_bytes(b"panic: a\n" + long + b"y" * (1 << 20) + b"\npanic: b\n" + long)
    told = scan(log)
    assert counts(told) == {"panic": 4}
    assert len(told.hits["panic"].lines[-1]) < 350


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for ask in (lambda path: scan(Path(path)), Logs(Host()).json_lines):
        with pytest.raises(WrongKind):
            ask(str(tmp_path / kind))
    with pytest.raises(NotThere):
        scan(tmp_path / "none")


def test_a_limit_that_is_too_short_is_told_and_the_next_run_goes_on(
    log: Path, tmp_path: Path
) -> None:
    log.write_text(at(1, NOT_FOUND) * 20_000)
    with pytest.raises(TimedOut):
        Logs(Host()).scan(str(log), SIGNATURES, cursor_folder=str(tmp_path / "k"), deadline=0)
    assert counts(scan(log, tmp_path / "k")) == {"not_found": 20_000}


def test_bad_lines_have_their_number_and_place(log: Path, tmp_path: Path) -> None:
    good = b'{"a":1}\n'
    log.write_bytes(good + b"{cut\n" + b"\n" + b"x" * (3 << 20) + b"\n" + good + b'{"a"}\n' + b"{")
    told = Logs(Host()).json_lines(str(log), cursor_folder=str(tmp_path / "k"))
    places = [(one.number, one.offset) for one in told.bad]
    assert places == [(2, 8), (6, 8 + 5 + 1 + (3 << 20) + 1 + 8)]
    assert [(one.number, one.offset) for one in told.long] == [(4, 14)]
    assert (told.lines, told.cut_last, told.bad_count) == (6, True, 2)
    with log.open("ab") as file:
        file.write(b"}\n" + good + b"rubbish\n")
    again = Logs(Host()).json_lines(str(log), cursor_folder=str(tmp_path / "k"))
    assert [one.number for one in again.bad] == [2, 6, 9]
    assert (again.lines, again.cut_last, again.bytes_read) == (9, False, 3 + 8 + 8)
    last = Logs(Host()).json_lines(str(log), cursor_folder=str(tmp_path / "k"))
    assert (last.bytes_read, last.bad) == (0, again.bad)


def test_a_link_is_followed_only_where_that_is_asked_for(log: Path, tmp_path: Path) -> None:
    log.write_text('{"a":1}\n')
    (tmp_path / "link").symlink_to(log)
    with pytest.raises(WrongKind, match="symbolic link"):
        Logs(Host()).json_lines(str(tmp_path / "link"))
    assert Logs(Host()).json_lines(str(tmp_path / "link"), follow=True).lines == 1


def test_memory_stays_flat_over_a_big_file(log: Path) -> None:
    block = (at(1, CLOSED) + at(2, '"level":"INFO","msg":"up"') * 9).encode() * 1000
    with log.open("wb") as file:
        for _ in range(200):
            file.write(block)
    program = (
        "import resource, sys; from plugins.endpoints.logs import Logs;"
        "from plugins.hosts import Host; look = Logs(Host()); path = sys.argv[1];"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "look.scan(path, ()); look.json_lines(path);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(log)], capture_output=True, text=True, check=True
    )
    grown = int(ran.stdout) / (1024 if sys.platform == "linux" else 1 << 20)
    assert log.stat().st_size > 100 << 20
    assert grown < 30, "MiB"


def test_jq_answers_line_by_line_inside_its_limits(log: Path) -> None:
    log.write_text(at(1, NOT_FOUND) + "rubbish\n" + at(2, '"level":"INFO","msg":"é"') + "{cut")
    look = Logs(Host())
    assert look.query(str(log), ".msg") == ("Handler error", "é")
    assert look.query(str(log), 'select(.level == "ERROR") | {error}') == (
        {"error": "PROJECT_NOT_FOUND: no project"},
    )
    with pytest.raises(WrongKind, match="not a jq program"):
        look.query(str(log), ".[")
    with pytest.raises(WrongKind, match="Cannot"):
        look.query(str(log), ".msg.x")
    with pytest.raises(TooBig):
        look.query(str(log), "range(99999)", limit=1000)
    with pytest.raises(TimedOut):
        look.query(str(log), "last(repeat(1))", deadline=1)
    with pytest.raises(NotThere):
        look.query(str(log) + "x", ".")


@pytest.mark.parametrize(
    ("eye", "args"),
    [
        (scan_eye.scan, [[one.rule for one in SIGNATURES], {}, 5.0, True]),
        (lines_eye.json_lines, [1 << 20, {}, 5.0, False]),
    ],
)
def test_a_far_python_alone_reads_the_same(
    log: Path, tmp_path: Path, eye: Callable[..., object], args: list[object]
) -> None:
    log.write_bytes(at(1, NOT_FOUND).encode() + b"panic: \xff\n{cut")
    argv = far.errand(eye, (str(log), *args))
    here = (sys.executable, *argv[1:])
    ran = subprocess.run(here, capture_output=True, cwd=tmp_path, env={}, check=False)
    told = far.answer(ran.returncode, ran.stdout, ran.stderr.decode(), "the eye")
    assert told == json.loads(json.dumps(eye(str(log), *args)))
