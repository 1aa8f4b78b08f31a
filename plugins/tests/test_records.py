"""Files of JSON lines are judged line by line, in flat memory, and not read again."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from plugins.endpoints.records import RecordFile, record_files
from plugins.eyes import records as eye
from plugins.hosts import Host
from plugins.outcomes import NotThere, TimedOut, WrongKind

GOOD = b'{"type":"user","n":1}\n'


def judged(*paths: Path, cursors: Path | None = None) -> tuple[RecordFile, ...]:
    folder = str(cursors) if cursors else None
    return record_files(Host(), [str(p) for p in paths], "type", cursor_folder=folder, deadline=20)


@pytest.mark.parametrize(
    ("content", "bad"),
    [
        (b"", 0),
        (GOOD, 0),
        (GOOD * 3, 0),
        (GOOD + b"\n  \n" + GOOD, 0),
        (GOOD + b'{"type":"us', 0),
        (GOOD + b'{"type":"us\n', 2),
        (GOOD * 2 + b"[1]\n" + GOOD, 3),
        (b'{"kind":"x"}\n', 1),
        (b'{"type":null}\n', 1),
        (GOOD + b'{"type":"a","x":"\xff"}\n', 2),
        (b'{"type":"a","x":"\\ud83d"}\n', 0),
        (b'{"type":"a","x":"\xc3\xa9"}\r\n', 0),
        (b'{"type":"a","x":' + b"[" * 100_000 + b"\n", 1),
        (GOOD + b"\0" * 100 + b"\n", 2),
        (GOOD + b"\0" * 100, 0),
        (b'{"type":"a","x":"' + b"A" * (5 << 20) + b'"}\n' + b"x\n", 2),
    ],
)
def test_the_first_bad_line_is_told_by_both_judges(
    tmp_path: Path, content: bytes, bad: int
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    assert judged(path)[0].bad == bad
    plain = eye.records([str(path)], "type", {}, 20.0)
    assert plain["files"][str(path)]["bad"] == bad


def test_what_did_not_change_is_not_read_and_what_grew_is_read_from_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 1000)
    first = eye.records([str(path)], "type", {}, 20.0)
    again = eye.records([str(path)], "type", first["files"], 20.0)
    assert (first["read"], again["read"]) == (len(GOOD) * 1000, 0)
    with path.open("ab") as file:
        file.write(GOOD + b"[]\n" + GOOD)
    grown = eye.records([str(path)], "type", again["files"], 20.0)
    assert grown["files"][str(path)]["bad"] == 1002
    assert grown["read"] < 100
    whole = tmp_path / "whole.jsonl"
    whole.write_bytes(GOOD * 1003)
    whole.replace(path)
    assert not eye.records([str(path)], "type", grown["files"], 20.0)["files"][str(path)]["bad"]


def test_a_file_that_was_healed_in_place_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"{oops}\n" + GOOD)
    assert judged(path, cursors=tmp_path / "c")[0].bad == 2
    path.write_bytes(GOOD + b'{"type":"now it is longer"}\n' + GOOD)
    assert judged(path, cursors=tmp_path / "c")[0].bad == 0


def test_what_is_no_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    told = judged(tmp_path / "fifo", tmp_path / "link", tmp_path / "none")
    assert [type(one.trouble) for one in told] == [WrongKind, WrongKind, NotThere]


def test_time_that_ends_too_early_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 10)
    with pytest.raises(TimedOut):
        record_files(Host(), [str(path)], "type", cursor_folder=None, deadline=0.0)


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = json.dumps({"type": "user", "text": "x" * 100_000}).encode() + b"\n"
    path.write_bytes(line * 640)
    tracemalloc.start()
    judged(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_what_was_written_over_is_read_again_whatever_its_times_say(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 1000)
    seen = path.stat()
    told = eye.records([str(path)], "type", {}, 20.0)
    with path.open("r+b") as file:
        file.write(b"XX")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert eye.records([str(path)], "type", told["files"], 20.0)["files"][str(path)]["bad"] == 1
