"""What was read of trees of JSON files is kept, and what changes meanwhile is read again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from plugins.endpoints.json_folders import Folders, JsonFolders, Surveyed, Wanted
from plugins.eyes import json_folders, json_values
from plugins.hosts import Host
from plugins.outcomes import TimedOut


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of this very moment count as old ones."""
    monkeypatch.setattr(json_folders, "_FRESH", -(10**12))


def put(top: Path, path: str) -> Path:
    file = top / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b'{"id":"a"}')
    return file


class Asked:
    """An endpoint's survey of a folder, with a judge that counts how often it was asked."""

    def __init__(self, top: Path, state: Path) -> None:
        self.top, self.state = top, state
        self.judged = 0

    def __call__(self, deadline: float = 60.0) -> Surveyed:
        def judge(folders: Folders) -> dict[str, Any]:
            self.judged += 1
            return {name: one["files"] for name, one in folders.items()}

        wanted = [Wanted("info", False, "object", ("id",)), Wanted("message", True, "any")]
        state = str(self.state)
        return JsonFolders(Host()).survey(
            str(self.top), wanted, judge, form="1", cursor_folder=state, deadline=deadline
        )


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    put(tmp_path / "top", "info/a.json")
    put(tmp_path / "top", "message/s/a.json")
    return Asked(tmp_path / "top", tmp_path / "state")


@pytest.mark.usefixtures("settled")
def test_a_judgement_is_kept_while_nothing_changes(asked: Asked) -> None:
    assert (asked().read, asked().read, asked.judged) == (2, 0, 1)
    put(asked.top, "message/t/b.json")
    told = asked()
    assert (told.read, asked.judged) == (1, 2)
    assert told.judged == {"info": 1, "message/s": 1, "message/t": 1}
    (asked.top / "message/s/a.json").unlink()
    (asked.top / "message/s").rmdir()
    assert asked().judged == {"info": 1, "message/t": 1}


@pytest.mark.usefixtures("settled")
def test_half_of_what_was_kept_is_not_believed(asked: Asked) -> None:
    asked()
    for kept in asked.state.iterdir():
        if b'"folders"' in kept.read_bytes():
            kept.write_bytes(b"{")
    put(asked.top, "message/t/b.json")
    told = asked()
    assert told.judged == {"info": 1, "message/s": 1, "message/t": 1}
    assert told.read == 3


@pytest.mark.usefixtures("settled")
def test_what_was_read_before_the_time_was_over_is_kept(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(content: bytes, shape: str) -> tuple[Any, str, str]:
        time.sleep(0.2)
        return json_values.judged(content, shape)

    with monkeypatch.context() as patched:
        patched.setattr("plugins.eyes.json_folders.judged", slowly)
        with pytest.raises(TimedOut):
            asked(deadline=0.1)
    told = asked()
    assert (told.read, told.judged) == (1, {"info": 1, "message/s": 1})


def test_a_file_that_changes_while_others_are_read_is_read_again(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = ["info/new.json"]

    def written(content: bytes, shape: str) -> tuple[Any, str, str]:
        if left:
            put(asked.top, left.pop())
        return json_values.judged(content, shape)

    monkeypatch.setattr("plugins.eyes.json_folders.judged", written)
    told = asked()
    assert (told.judged["info"], told.moving) == (2, ())


def test_a_file_that_changes_all_the_time_is_told(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = iter(range(10_000))

    def written(content: bytes, shape: str) -> tuple[Any, str, str]:
        put(asked.top, f"info/{next(number)}.json")
        return json_values.judged(content, shape)

    monkeypatch.setattr("plugins.eyes.json_folders.judged", written)
    assert asked().moving == ("info",)
