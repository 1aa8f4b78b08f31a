"""The eye on metadata files, before everything that a stranger may put in their place."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from plugins.eyes import held, metadata, reading, running

FIELDS = ["id", "path", "created_at"]
SAID = b'{"id": "one", "path": "/srv/one", "created_at": null, "more": [1.5, {}]}'


def survey(top: Path) -> dict[str, list[metadata.Row]]:
    return metadata.survey(str(top), "metadata.json", FIELDS, 1 << 20)


def project(top: Path, content: bytes, name: str = "one") -> Path:
    (top / name).mkdir()
    file = top / name / "metadata.json"
    file.write_bytes(content)
    return file


def test_good_metadata_gives_its_fields(tmp_path: Path) -> None:
    project(tmp_path, SAID)
    assert survey(tmp_path)["good"] == [["one", "one", "/srv/one", None]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\0" * 300, "nothing but null bytes"),
        (b"{", "not JSON at line 1 column 2"),
        (b"\xef\xbb\xbf" + SAID, "not JSON: a byte order mark stands before it"),
        (b'{"id": "\xff"}', "not UTF-8 at byte 8"),
        (SAID + b" x", "not JSON at line 1 column 74"),
        (SAID.replace(b"1.5", b"NaN"), "not JSON: NaN is no JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b"[]", "JSON, but no object"),
        (b'"text"', "JSON, but no object"),
        (b'{"id": 5, "path": "/"}', "id is no text"),
        (b'{"id": "", "path": "/"}', "no id"),
        (b'{"id": "one", "path": null}', "no path"),
    ],
)
def test_what_the_server_cannot_load_is_told_in_words(
    tmp_path: Path, content: bytes, why: str
) -> None:
    file = project(tmp_path, content)
    file.chmod(0o600)
    seen = file.stat()
    identity = f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}"
    assert survey(tmp_path)["broken"] == [["one", why, identity, 0o600, seen.st_uid]]


def test_a_number_of_five_thousand_digits_is_json(tmp_path: Path) -> None:
    project(tmp_path, SAID.replace(b"1.5", b"9" * 5000))
    assert len(survey(tmp_path)["good"]) == 1


def test_two_gigabytes_are_not_read(tmp_path: Path) -> None:
    os.truncate(project(tmp_path, SAID), 2 << 30)
    assert survey(tmp_path)["broken"][0][1] == "larger than our limit of 1024 KiB"


def test_what_is_no_file_is_told_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("fifo", "loop", "folder", "socket"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "fifo/metadata.json")
    (tmp_path / "loop/metadata.json").symlink_to("metadata.json")
    (tmp_path / "folder/metadata.json").mkdir()
    monkeypatch.chdir(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("metadata.json")
        rows = survey(tmp_path)["broken"]
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("fifo", "a FIFO", ""),
        ("folder", "a folder", ""),
        ("loop", "a symbolic link", ""),
        ("socket", "a socket", ""),
    ]


def test_links_and_empty_folders_are_no_projects(tmp_path: Path) -> None:
    project(tmp_path, SAID)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("one")
    (tmp_path / "file").touch()
    found = survey(tmp_path)
    assert found["missing"] == [["empty"]]
    assert found["others"] == [["link", "a symbolic link"]]
    assert len(found["good"]) == 1


def test_a_name_that_is_no_text_survives_the_way_from_a_far_host(tmp_path: Path) -> None:
    project(tmp_path, b"", os.fsdecode(b"new\nline \xff"))
    found = json.loads(json.dumps(survey(tmp_path)))
    assert os.fsencode(found["broken"][0][0]) == b"new\nline \xff"


def test_reading_follows_links_only_where_it_is_asked_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text\xff")
    link = tmp_path / "link"
    link.symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    paths = [str(tmp_path / name) for name in ("link", "fifo", "gone")]
    rows = reading.at(paths, 100)
    assert [rows[path]["kind"] for path in paths] == ["file", "other", "missing"]
    assert rows[str(link)]["text"] == "text\udcff"
    assert reading.at(paths, 100, False)[str(link)]["kind"] == "other"
    assert reading.at(paths, 3)[str(link)]["kind"] == "too big"


def test_a_file_in_use_is_known(tmp_path: Path) -> None:
    used, free = tmp_path / "used", tmp_path / "free"
    free.touch()
    with used.open("w"):
        assert held.open_now([str(used), str(free), str(tmp_path / "gone")]) == [str(used)]


def test_programs_are_known_by_more_than_their_short_name() -> None:
    own = os.path.basename(os.readlink("/proc/self/exe"))
    rows = [row for row in running.by_name([own], ["PATH"]) if row["pid"] == os.getpid()]
    assert rows
    environment = rows[0]["environment"]
    assert isinstance(environment, dict)
    assert set(environment) <= {"PATH"}
