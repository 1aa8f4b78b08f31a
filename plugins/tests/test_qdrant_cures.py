"""The memories are snapshotted, restored and rebuilt by name, and given back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.dgmo.world import World
from plugins.tests.boxes import Box, opened

BARE: dict[str, Any] = {"size": 384, "distance": "Cosine"}
VECTOR = "fast-all-minilm-l6-v2"
KEY = "a-key-that-nobody-sees"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box[World]]:
    with opened(World(tmp_path / "world"), tmp_path, "dgmo") as made:
        yield made


def shelf(box: Box[World]) -> Path:
    return box.world.folder / "backups" / "qdrant"


def recover(box: Box[World], name: str, *told: str) -> tuple[int, str]:
    words = [word for one in told for word in ("--with", one)]
    return box.run("--recover", f"dgmo.{name}", "--yes", *words)


def test_a_snapshot_is_brought_here_and_put_away_again(box: Box[World]) -> None:
    box.world.memory.stand_in(key=KEY)
    status, said = recover(box, "snapshot_memories")
    assert status == 0, said
    (path,) = shelf(box).glob("*.snapshot")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_name(f"{path.name}.checksums").exists()
    assert box.world.memory.snapshots() == []
    assert "it was fetched, and is whole" in said
    journal = "".join(one.read_text() for one in (box.state / "journal").iterdir())
    assert KEY not in said + journal
    status, said = box.run("--undo")
    assert status == 0, said
    assert not shelf(box).exists()


def test_the_memories_come_back_from_the_newest_snapshot_that_is_whole(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in()
    was = memory.points()
    for _ in range(2):
        assert recover(box, "snapshot_memories")[0] == 0
    older, newer = sorted(shelf(box).glob("*.snapshot"))
    os.truncate(newer, newer.stat().st_size // 2)
    memory.forget([1, 2, 3])
    memory.fill(1, first=70)
    now = memory.points()
    status, said = recover(box, "restore_memories")
    assert status == 0, said
    assert f"{older} is restored" in said
    assert newer.name in said.partition("passed over")[2]
    assert memory.points() == was
    assert len(list(shelf(box).glob("*.snapshot"))) == 3
    status, said = box.run("--undo")
    assert status == 0, said
    assert memory.points() == now


def test_memories_that_are_gone_come_back_by_recovering_too(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in()
    was = memory.points()
    assert recover(box, "snapshot_memories")[0] == 0
    memory.drop()
    status, said = recover(box, "restore_memories", "by=recover")
    assert status == 0, said
    assert memory.points() == was


def test_a_snapshot_on_the_server_is_fetched_first(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in()
    was = memory.points()
    name = memory.snapshot()
    memory.forget([1])
    status, said = recover(box, "restore_memories", f"snapshot={name}")
    assert status == 0, said
    assert memory.points() == was
    assert (shelf(box) / name).exists()


def test_without_a_whole_snapshot_nothing_is_touched(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in()
    shelf(box).mkdir(parents=True)
    (shelf(box) / "AgentMemories_2026-01-01_00-00-00.snapshot").write_bytes(b"no tar" * 100)
    was = memory.points()
    status, said = recover(box, "restore_memories")
    assert status == 11, said
    assert "can be restored" in said
    assert memory.points() == was


@pytest.mark.parametrize("fault", ["upload", "full"])
def test_a_restoring_that_fails_gives_back_what_was_there(box: Box[World], fault: str) -> None:
    from plugins.worlds.qdrant_faults import Canned

    memory = box.world.memory
    faults = memory.stand_in()
    assert recover(box, "snapshot_memories")[0] == 0
    memory.forget([4])
    was = memory.points()
    if fault == "full":
        faults.full = True
    else:
        faults.checksum = "0" * 64
        faults.answers = {"/snapshots/upload": Canned(507, "application/json", b"{}")}
    status, said = recover(box, "restore_memories")
    assert status != 0, said
    assert memory.points() == was, said


def test_every_snapshot_is_told(box: Box[World]) -> None:
    box.world.memory.stand_in()
    assert recover(box, "snapshot_memories")[0] == 0
    (path,) = shelf(box).glob("*.snapshot")
    status, said = box.run("--recover", "dgmo.verify_snapshots")
    assert status == 0, said
    assert f"{path}: whole; of AgentMemories, 0 hours old" in said


def test_a_rebuilding_is_planned_told_and_taken_back(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in(vectors={"default": BARE, "large": {"size": 8, "distance": "Dot"}})
    row = {"id": 99, "vector": {"large": [1.0] * 8}, "payload": {"document": "large"}}
    place = f"/collections/{memory.collection}"
    memory.ask("PUT", f"{place}/points", {"points": [row]}, wait="true")
    index = {"field_name": "document", "field_schema": "keyword"}
    memory.ask("PUT", f"{place}/index", index, wait="true")
    was = memory.points()
    status, said = box.run("--recover", "dgmo.rebuild_memories", "--fix=plan")
    assert status == 0, said
    assert "1 of 6 points do not fit" in said
    assert memory.points() == was
    status, said = recover(box, "rebuild_memories")
    assert status == 0, said
    info = memory.info()
    assert set(info["config"]["params"]["vectors"]) == {VECTOR, "large"}
    assert info["payload_schema"]["document"]["data_type"] == "keyword"
    assert memory.count() == 5
    assert "5 of 5 points are copied" in said
    status, said = box.run("--undo")
    assert status == 0, said
    assert memory.points() == was
    assert memory.names() == [memory.collection]


def test_nothing_that_fits_is_left_to_a_person_unless_he_says_so(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in(vectors={"size": 8, "distance": "Cosine"})
    was = memory.points()
    status, said = recover(box, "rebuild_memories")
    assert status == 11, said
    assert "must be embedded anew" in said
    status, said = recover(box, "rebuild_memories", "leave_out=all")
    assert status == 0, said
    assert memory.count() == 0
    status, said = box.run("--undo")
    assert status == 0, said
    assert memory.points() == was


def test_a_fix_that_was_cut_short_is_recognised_and_finished(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in(vectors=BARE)
    was = {row["id"]: row["payload"] for row in memory.points()}
    rows = memory.points()
    copy = f"{memory.collection}-rebuilding-5"
    memory.create(copy)
    named = [{**row, "vector": {VECTOR: row["vector"]}} for row in rows]
    memory.ask("PUT", f"/collections/{copy}/points", {"points": named}, wait="true")
    memory.drop()  # here it was killed
    box.run("-k", "test_collection")
    found = box.findings()["dgmo.the_collection_exists"]
    assert "left by a rebuilding that was cut short: 5 of 5" in json.dumps(found)
    status, said = box.run("-k", "test_collection", "--fix")
    assert status in (0, 1), said
    box.run("-k", "test_collection", "--fix=unsafe")
    assert {row["id"]: row["payload"] for row in memory.points()} == was
    assert memory.names() == [memory.collection]
