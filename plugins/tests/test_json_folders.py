"""Trees of JSON files: everything wrong is named with its byte, and nothing is read twice."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins import far
from plugins.eyes import folder_prints, json_folders
from plugins.tests.runs import open_the_way

FLAT = [["info", False, "object", ["id", "?title", "time.created"], True]]
NESTED = [["message", True, "object", ["id"], False]]
LIST = [["index", False, "list", ["entries"], True]]
ENDLESS = 1 << 30


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of this very moment count as old ones."""
    monkeypatch.setattr(json_folders, "_FRESH", -(10**12))


def look(top: Path, wanted: list[Any], **more: Any) -> dict[str, Any]:
    words: dict[str, Any] = {"prints": {}, "seconds": 60.0, "limit": ENDLESS}
    return json_folders.survey(str(top), wanted, **(words | more))


def put(top: Path, path: str, content: bytes = b'{"id":"a"}') -> Path:
    file = top / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def only(top: Path, kind: str, wanted: list[Any] = FLAT) -> list[Any]:
    row: list[Any] = look(top, wanted)["told"][wanted[0][0]][kind][0]
    return row


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty (0 bytes)"),
        (b"\0" * 300, "nothing but 300 null bytes"),
        (b"{", "cut off at byte 1"),
        (b'{"id":"a","t":"\xc3\xa4', "cut off at byte 17, in the string that begins at byte 14"),
        (b'{"id":"a"', "cut off at byte 9"),
        (b'{"t":"\xc3\xa4" x}', "not JSON at byte 10 (line 1 column 10)"),
        (b'{"id":\n"a",}', "not JSON at byte 11 (line 2 column 5)"),
        (b'{"id":"a"} x', "not JSON at byte 11 (line 1 column 12)"),
        (b'{"n":NaN}', "not JSON at byte 5: NaN is no JSON"),
        (b'{"n":-Infinity}', "not JSON at byte 6: -Infinity is no JSON"),
        (b'{"id":"\xff"', "not UTF-8 at byte 7"),
        (b"[]", "JSON, but no object"),
        (b'"text"', "JSON, but no object"),
        (b"null", "JSON, but no object"),
    ],
)
def test_what_is_broken_is_told_with_its_byte(tmp_path: Path, content: bytes, why: str) -> None:
    seen = put(tmp_path, "info/a.json", content).stat()
    identity = f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}"
    assert only(tmp_path, "broken")[:4] == ["a.json", why, identity, seen.st_mode]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ('{"t":"Grüße"}'.encode("iso-8859-1"), "iso-8859-1"),
        ('{"t":"Grüße '.encode() + b'\xff"}', "utf-8"),
        (b"\xef\xbb\xbf{}", "utf-8-sig"),
        ("{}".encode("utf-16"), "utf-16"),
        ("{}".encode("utf-16-be").replace(b"\0{", b"\xfe\xff\0{"), "utf-16"),
    ],
)
def test_what_is_json_in_another_encoding_is_told_apart(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    put(tmp_path, "info/a.json", content)
    assert only(tmp_path, "recoded")[4] == encoding


@pytest.mark.parametrize(
    "content",
    [
        b'{"id":"a","n":' + b"9" * 5000 + b"}",
        b'{"id":"a","n":1e999}',
        b' \n{"id":"a","half":"\\ud800"}\n',
        b'{"id":"a","id":"a"}',
    ],
)
def test_what_json_allows_is_no_offender(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "info/a.json", content)
    assert set(look(tmp_path, FLAT)["told"]["info"]) == {"files", "bytes", "newest", "rows"}


def test_depth_is_not_judged(tmp_path: Path) -> None:
    put(tmp_path, "info/a.json", b'{"a":' * 100_000)
    assert only(tmp_path, "unjudged")[1] == "is nested too deeply for us"


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/secret.json")
    (tmp_path / "info").mkdir()
    os.mkfifo(tmp_path / "info/fifo.json")
    (tmp_path / "info/folder.json").mkdir()
    (tmp_path / "info/link.json").symlink_to(tmp_path / "elsewhere/secret.json")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "info/s.json"))
    told = look(tmp_path, FLAT)["told"]["info"]
    kinds = {row[0]: row[1] for row in told["broken"] + told["unjudged"]}
    assert kinds == {
        "fifo.json": "is a FIFO",
        "folder.json": "is a folder",
        "link.json": "is a symbolic link",
        "s.json": "is a socket",
    }


def test_no_link_below_the_top_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/a/b.json", b"")
    top = tmp_path / "top"
    top.mkdir()
    (top / "info").symlink_to(tmp_path / "elsewhere/a")
    (top / "message").mkdir()
    (top / "message/ses_a").symlink_to(tmp_path / "elsewhere/a")
    told = look(top, [*FLAT, *NESTED])
    assert told["odd"] == [["info", "is a symbolic link"], ["message/ses_a", "is a symbolic link"]]
    assert told["told"] == {}
    (tmp_path / "linked").symlink_to(top)
    assert look(tmp_path / "linked", FLAT)["odd"] == [["info", "is a symbolic link"]]


def test_names_may_be_anything(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\n<b>.json")
    put(tmp_path, f"info/{name}", b"")
    assert only(tmp_path, "broken")[0] == name
    assert json.loads(json.dumps(look(tmp_path, FLAT)))["prints"]


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    with put(tmp_path, "info/a.json").open("r+b") as file:
        file.truncate(3 << 20)
    told = look(tmp_path, FLAT, limit=2 << 20)["told"]["info"]
    assert told["unjudged"][0][1] == "is larger than our limit of 2 MiB"
    assert told["big"] == [["a.json", 3 << 20]]


def test_fields_are_told_as_far_as_they_may_be(tmp_path: Path) -> None:
    put(tmp_path, "info/a.json", b'{"id":"a","title":"private","time":{"created":7.5}}')
    put(tmp_path, "info/b.json", b'{"id":["x"],"title":5,"time":[]}')
    put(tmp_path, "info/c.json", b'{"id":"' + b"x" * 300 + b'","time":{"created":1e300}}')
    rows = sorted(look(tmp_path, FLAT)["told"]["info"]["rows"])
    assert rows == [
        ["a", "a", ["text"], 7.5],
        ["b", ["list"], 5, None],
        ["c", ["text"], None, ["number"]],
    ]


def test_of_messages_only_those_are_told_that_are_called_otherwise(tmp_path: Path) -> None:
    put(tmp_path, "message/s/a.json")
    put(tmp_path, "message/s/b.json")
    assert look(tmp_path, NESTED)["told"]["message/s"]["rows"] == [["b", "a"]]


def test_lists_are_told_by_their_entries(tmp_path: Path) -> None:
    seen = put(tmp_path, "index/a.json", b'["../../x",7,null,{}]').stat()
    row = only(tmp_path, "rows", LIST)
    assert row[:2] == ["a", ["../../x", 7, None, ["object"]]]
    assert row[3] == seen.st_mode
    put(tmp_path, "index/a.json", b"[" + b"1," * 200_000 + b"1]")
    assert only(tmp_path, "broken", LIST)[1] == "a list of more than 100000 entries"


def test_leftovers_stand_beside(tmp_path: Path) -> None:
    put(tmp_path, "info/a.json17951.tmp", b"{")
    put(tmp_path, "info/a.json.conflict-other")
    put(tmp_path, "info/README")
    told = look(tmp_path, FLAT)["told"]["info"]
    assert told["left"][0][:2] == ["a.json17951.tmp", "1 bytes of a write that did not end"]
    assert told["conflicts"][0][0] == "a.json.conflict-other"
    assert told["files"] == 0


@pytest.mark.usefixtures("settled")
def test_what_did_not_change_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "info/a.json")
    for name in ("s", "t"):
        put(tmp_path, f"message/{name}/a.json")
    first = look(tmp_path, [*FLAT, *NESTED])
    again = look(tmp_path, [*FLAT, *NESTED], prints=first["prints"])
    assert (first["read"], again["read"], again["told"]) == (3, 0, {})
    assert again["print"] == folder_prints.print_of(str(tmp_path), [*FLAT, *NESTED])
    put(tmp_path, "message/t/b.json")
    third = look(tmp_path, [*FLAT, *NESTED], prints=first["prints"])
    assert (third["read"], list(third["told"])) == (2, ["message/t"])
    assert third["print"] != again["print"]


def _rewritten(file: Path) -> None:
    file.write_bytes(b'{"id":"b"}')


def _replaced(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(b'{"id":"b"}')
    other.replace(file)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", [_rewritten, _replaced])
def test_a_change_under_the_same_size_and_time_is_seen(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    file = put(tmp_path, "info/a.json")
    before, seen = look(tmp_path, FLAT)["prints"], file.stat()
    time.sleep(0.02)
    change(file)
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.stat().st_size == seen.st_size
    assert look(tmp_path, FLAT, prints=before)["told"]["info"]["rows"][0][1] == "b"


def test_what_was_written_a_moment_ago_is_read_again_by_a_later_look(tmp_path: Path) -> None:
    put(tmp_path, "info/a.json")
    assert look(tmp_path, FLAT)["unsure"] == ["info"]


@pytest.mark.usefixtures("settled")
def test_offenders_are_named_up_to_a_limit_and_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_folders, "SHOWN", 10)
    for number in range(25):
        put(tmp_path, f"info/{number}.json", b"")
    told = look(tmp_path, FLAT)
    assert (len(told["told"]["info"]["broken"]), told["told"]["info"]["broken_total"]) == (10, 25)
    assert told["unsure"] == ["info"]


def test_ten_thousand_files_are_read_once_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / "message/s").mkdir(parents=True)
    content = json.dumps({"id": "m", "text": "x" * 1000}).encode()
    for number in range(10_000):
        (tmp_path / f"message/s/{number}.json").write_bytes(content.replace(b"m", b"%d" % number))
    tracemalloc.start()
    told = look(tmp_path, NESTED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told["read"] == 10_000
    assert peak < 12 << 20


def test_the_same_eye_answers_on_a_far_host(tmp_path: Path) -> None:
    put(tmp_path, "info/a.json", b"{")
    put(tmp_path, "message/s/b.json")
    words: tuple[Any, ...] = (str(tmp_path), [*FLAT, *NESTED], {}, 60.0, ENDLESS)
    argv = far.errand(json_folders.survey, words)
    ran = subprocess.run((sys.executable, *argv[1:]), capture_output=True, env={}, check=False)
    answer = far.answer(ran.returncode, ran.stdout, ran.stderr.decode(), "the eye")
    assert isinstance(answer, dict)
    here = json_folders.survey(*words)
    assert {**answer, "now": 0} == {**json.loads(json.dumps(here)), "now": 0}


def test_where_the_time_is_over_the_rest_is_late(tmp_path: Path) -> None:
    put(tmp_path, "info/a.json")
    put(tmp_path, "message/s/b.json")
    told = look(tmp_path, [*FLAT, *NESTED], seconds=-1.0)
    assert (told["late"], told["told"], told["prints"]) == (2, {}, {})


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    open_the_way(tmp_path)
    put(tmp_path, "info/a.json").chmod(0)
    put(tmp_path, "message/s/a.json").parent.chmod(0)
    os.seteuid(65534)
    try:
        told = look(tmp_path, [*FLAT, *NESTED])
    finally:
        os.seteuid(0)
    assert told["denied"] == [["message/s", "Permission denied"]]
    assert told["told"]["info"]["unjudged"][0][1] == "may not be read by us"
