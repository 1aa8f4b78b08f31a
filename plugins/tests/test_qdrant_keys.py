"""An API key that stands in one file alone opens the server to cures too, and shows nowhere."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.dgmo.world import World
from plugins.hands.qdrant_keys import is_place, key_at, parts, pointer
from plugins.steps import CreateSnapshot
from plugins.tests.boxes import Box, opened

KEY = "a-key-that-nobody-sees"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box[World]]:
    with opened(World(tmp_path / "world"), tmp_path, "dgmo") as made:
        made.world.memory.stand_in(key=KEY)
        made.world.change(qdrant_key_env="QDRANT_API_KEY_OF_NOBODY")
        yield made


def left(box: Box[World]) -> str:
    """Return all that the runs have left behind, but for the systems file."""
    files = [one for one in box.folder.rglob("*") if one.is_file() and "world" not in one.parts]
    return "".join(one.read_text("latin-1") for one in files if one.name != "systems.toml")


def test_a_key_of_the_systems_file_is_enough_for_a_cure(box: Box[World]) -> None:
    box.world.change(qdrant_api_key=KEY)
    status, planned = box.run("--recover", "dgmo.snapshot_memories", "--fix=plan")
    assert status == 0, planned
    lines = [one[5:] for one in planned.splitlines() if re.match(r" +[0-9]\. ", one)]
    assert "systems.toml dgmo qdrant_api_key" in lines[-1]
    # A shell that has no such variable.
    subprocess.run(["bash", "-ec", "\n".join(lines)], check=True, timeout=30)
    status, said = box.run("--recover", "dgmo.snapshot_memories", "--yes")
    assert status == 0, said
    assert len(list((box.world.folder / "backups" / "qdrant").glob("*.snapshot"))) == 2
    assert KEY not in planned + said + left(box)


def test_a_key_of_the_memory_servers_entry_is_enough_for_a_cure(box: Box[World]) -> None:
    memory = box.world.memory
    told = {"QDRANT_URL": memory.url, "QDRANT_API_KEY": KEY, "COLLECTION_NAME": "AgentMemories"}
    memory.entry(**told)
    box.world.change(qdrant_url="")
    memory.drop()
    status, said = box.run("-k", "the_collection_exists", "--fix")
    assert status == 0, said
    assert memory.names() == ["AgentMemories"]
    assert KEY not in said + left(box)
    status, said = box.run("--undo")
    assert status == 0, said
    assert memory.names() == []


def test_a_key_that_no_step_can_read_is_told(box: Box[World]) -> None:
    memory = box.world.memory
    told = {"QDRANT_URL": memory.url, "QDRANT_API_KEY": f"${{NOT_SET_HERE:-{KEY}}}"}
    memory.entry(style="claude", COLLECTION_NAME="AgentMemories", **told)
    box.world.change(qdrant_url="")
    memory.drop()
    status, said = box.run("-k", "the_collection_exists", "--fix")
    assert status == 1, said
    words = " ".join(re.sub(r"\s+", " ", said).split())
    assert "the variable QDRANT_API_KEY_OF_NOBODY is not set" in words
    assert KEY not in said + left(box)


def test_a_place_is_read_whatever_its_names(tmp_path: Path) -> None:
    file = tmp_path / "a #b.json"
    file.write_text('﻿{"a/b": {"~c": "the key"}, "n": 1}', "utf-8")
    place = pointer(str(file), "a/b", "~c")
    assert parts(place) == (str(file), ["a/b", "~c"])
    assert key_at(place) == "the key"
    (tmp_path / "s.toml").write_text('[dgmo]\nqdrant_api_key = "k"\n')
    assert key_at(pointer(str(tmp_path / "s.toml"), "dgmo", "qdrant_api_key")) == "k"
    assert key_at("A_VARIABLE_OF_NOBODY") == key_at("") == ""
    assert not is_place("$(id)")
    assert not is_place("x.json#/a")


def test_what_is_no_key_is_told_without_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.json")
    (tmp_path / "list.json").write_text('{"key": ["hush"]}')
    (tmp_path / "broken.json").write_text('{"key": "hush')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for name in ("fifo", "list", "broken", "deep", "nothing"):
        with pytest.raises(OSError, match=r"not in it|No such file") as told:
            key_at(pointer(str(tmp_path / f"{name}.json"), "key"))
        assert "hush" not in str(told.value)


def test_a_line_names_the_file_and_never_the_key(tmp_path: Path) -> None:
    file = tmp_path / "it's.json"
    file.write_text(f'{{"mcp": {{"key": "{KEY}"}}}}')
    step = CreateSnapshot("http://127.0.0.1:1", "m", key=pointer(str(file), "mcp", "key"))
    header = str(step).partition("@<(")[2].partition(") -fsS")[0]
    ran = subprocess.run(["bash", "-c", header], check=True, capture_output=True, timeout=30)
    assert ran.stdout.decode() == f"api-key: {KEY}"
    assert KEY not in str(step)
