"""What backups hold: of any layout, hostile ones too, and nothing of them is taken on trust."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from plugins.documents import parsed
from plugins.eyes import absences, holdings
from plugins.hands.unpacking import take_from

SHAPES = [["data/info", 1, "object"], ["data/message", 2, "object"], ["data/index", 1, "list"]]


def text(name: str, **more: object) -> bytes:
    return json.dumps({"id": name, **more}).encode()


def packed(path: Path, *members: tuple[str, bytes | tarfile.TarInfo]) -> list[Any]:
    """Write an archive; a member's content may be a whole header instead."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                one = tarfile.TarInfo(name)
                one.size = len(content)
                tar.addfile(one, io.BytesIO(content))
    return ["archive", str(path), time.time()]


def link(name: str, to: str) -> tuple[str, tarfile.TarInfo]:
    one = tarfile.TarInfo(name)
    one.type, one.linkname = tarfile.SYMTYPE, to
    return name, one


def copies(backups: list[list[Any]], *wanted: str, near: str = "?") -> dict[str, list[Any]]:
    told = holdings.copies(backups, list(wanted), SHAPES, near, 30.0)
    return dict(told["found"])


def test_a_hostile_archive_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_bytes(text("a"))
    backup = packed(
        tmp_path / "b.tar.gz",
        ("../data/info/a.json", text("a")),
        ("/data/info/a.json", text("a")),
        link("data/info/a.json", str(tmp_path / "secret.json")),
        ("data/info/b.json", text("another")),
        ("data/info/c.json", b'{"id": "c", "n": NaN}'),
        ("data/info/d.json", b"[" * 100_000),
        ("data/index/e.json", b'["x", 1]'),
        ("x/info/f.json", text("f", n=1)),
        ("x/info/f.json", text("f", n=2)),
        ("data/message/g.json", text("g")),
    )
    keys = [f"data/info/{name}.json" for name in "abcdf"]
    assert copies([backup], *keys, "data/index/e.json", "data/message/g.json") == {}


def test_a_link_in_a_copied_tree_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_bytes(text("a"))
    folder = tmp_path / "backup" / "info"
    folder.mkdir(parents=True)
    (folder / "a.json").symlink_to(tmp_path / "secret.json")
    (folder.parent / "message").symlink_to(tmp_path)
    os.mkfifo(folder / "b.json")
    backup = ["folder", str(folder.parent), time.time()]
    assert copies([backup], "data/info/a.json", "data/info/b.json") == {}


def test_of_several_copies_in_one_backup_that_of_the_same_store(tmp_path: Path) -> None:
    backup = packed(
        tmp_path / "b.tar.gz",
        ("old/info/a.json", text("a", n=1)),
        ("unified/info/a.json", text("a", n=2)),
        ("other/info/a.json", text("a", n=3)),
    )
    found = copies([backup], "data/info/a.json", near="unified")
    assert found["data/info/a.json"][2] == "unified/info/a.json"


def test_what_a_backup_lacks(tmp_path: Path) -> None:
    root = tmp_path / "store"
    for name in ("a", "b", "young"):
        path = root / "data" / "info" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text(name))
        os.utime(path, (1, 1))
    os.utime(path)
    backup = packed(tmp_path / "b.tar.gz", ("info/a.json", text("a")), ("info/b.json", b""))
    backup[2] = 1000.0
    told = holdings.lacking(backup, [str(root)], SHAPES, 30.0)
    assert (told["wanted"], told["held"], told["total"]) == (2, 1, 1)
    assert told["lacks"] == [str(root / "data/info/b.json")]
    assert holdings.lacking(backup, [str(root)], SHAPES, 0.0)["late"]
    assert holdings.has_any(str(root), SHAPES)
    assert not holdings.has_any(str(tmp_path), SHAPES)


def test_a_file_is_taken_from_an_archive_or_not_at_all(tmp_path: Path) -> None:
    backup = packed(tmp_path / "b.tar.gz", ("info/a.json", text("a")))
    _, _, name, sha256, size = copies([backup], "data/info/a.json")["data/info/a.json"]
    target, roots = str(tmp_path / "a.json"), [str(tmp_path)]
    assert take_from(target, backup[1], name, sha256, roots) == {}
    assert (tmp_path / "a.json").read_bytes() == text("a")
    assert (os.stat(target).st_mode & 0o777, os.stat(target).st_size) == (0o600, size)
    packed(tmp_path / "b.tar.gz", ("info/a.json", text("a", changed=True)))
    assert "not what it was" in take_from(target, backup[1], name, sha256, roots)["refused"]
    packed(tmp_path / "b.tar.gz", ("info/b.json", b""))
    assert "any more" in take_from(target, backup[1], name, sha256, roots)["refused"]
    (tmp_path / "b.tar.gz").write_bytes(b"rubbish")
    assert "cannot be read" in take_from(target, backup[1], name, sha256, roots)["refused"]
    assert (tmp_path / "a.json").read_bytes() == text("a")
    assert sorted(os.listdir(tmp_path)) == ["a.json", "b.tar.gz"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ('{"a": "//x", /* , } */ "b": [1, 2,], // "c": 1\n}', {"a": "//x", "b": [1, 2]}),
        ('{"a": "\\"/*", "b": ",}"}', {"a": '"/*', "b": ",}"}),
        ("\ufeff{}", {}),
    ],
)
def test_json_with_comments(words: str, value: dict[str, object]) -> None:
    assert parsed(words.encode(), comments=True) == ("", value)


@pytest.mark.parametrize("words", ['{"a": 1,, }', '{"a": /* 1 }', "{'a': 1}", '{"a" //', "[,]"])
def test_json_with_comments_that_is_broken(words: str) -> None:
    why, value = parsed(words.encode(), comments=True)
    assert (bool(why), value) == (True, {})


def test_where_it_breaks_is_told_by_its_own_lines() -> None:
    why, _ = parsed(b'{ // one\n /* two\n */ "a" 1 }', comments=True)
    assert "line 3 column 9" in why


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 100_000, b"/*" * 100_000, b"{" + b", " * 100_000])
def test_a_strangers_text_takes_linear_time(text: bytes) -> None:
    began = time.monotonic()
    assert parsed(text, comments=True)[0]
    assert time.monotonic() - began < 20


def missing(backups: list[list[Any]], *trees: Path, session: str = "") -> dict[str, Any]:
    return absences.missing(backups, [str(one) for one in trees], session, SHAPES, 30.0)


def laid(root: Path, *names: str) -> Path:
    for name in names:
        path = root / "data" / "info" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text(name))
    return root


def test_what_is_another_trees_is_never_given(tmp_path: Path) -> None:
    one, other = laid(tmp_path / "p/one", "a"), laid(tmp_path / "p/other", "x")
    both = packed(
        tmp_path / "both.tar.gz",
        *((f"p/one/data/info/{name}.json", text(name)) for name in "ab"),
        *((f"p/other/data/info/{name}.json", text(name)) for name in "xy"),
        ("p/gone/data/info/z.json", text("z")),
    )
    for trees, name in (((one, other), "b"), ((other, one), "y")):
        found = missing([both], *trees)["found"]
        assert list(found) == [f"data/info/{name}.json"]
    assert list(missing([both], one)["found"]) == ["data/info/b.json"]
    assert missing([both], one, other, session="y")["found"] == {}


def test_a_newer_backup_of_another_tree_is_passed_over(tmp_path: Path) -> None:
    one, other = laid(tmp_path / "w1/dgmo", "a"), laid(tmp_path / "w2/dgmo", "x")
    mine = packed(tmp_path / "1.tar.gz", *((f"dgmo/info/{n}.json", text(n)) for n in "ab"))
    newer = packed(tmp_path / "2.tar.gz", *((f"dgmo/info/{n}.json", text(n)) for n in "xy"))
    told = missing([newer, mine], one, other)
    assert {key: row[1] for key, row in told["found"].items()} == {"data/info/b.json": mine[1]}
    unknown = packed(tmp_path / "3.tar.gz", ("dgmo/info/z.json", text("z")))
    told = missing([unknown], one, other)
    assert (told["found"], told["unclear"]) == ({}, [unknown[1]])
    assert list(missing([unknown], one)["found"]) == ["data/info/z.json"]


def test_a_copy_that_was_cut_is_lacking(tmp_path: Path) -> None:
    root = laid(tmp_path / "store", "a")
    backup = packed(tmp_path / "b.tar.gz", ("data/info/a.json", b"{"))
    told = holdings.lacking(backup, [str(root)], SHAPES, 30.0)
    assert (told["held"], told["wanted"], told["total"]) == (1, 1, 1)
