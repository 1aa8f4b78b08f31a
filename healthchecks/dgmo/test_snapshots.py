"""Snapshots of the memories: there is a recent one, and each can be restored."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from healthchecks.dgmo.probes_snapshots import NewestSnapshot
from healthchecks.dgmo.snapshot_files import SnapshotFile
from healthchecks.dgmo.world import World
from plugins import P1, P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import CreateSnapshot

_NAME = "AgentMemories_2025-07-10_12-00-00.snapshot"


@remedy(SAFE)
def snapshot_them(newest_snapshot: NewestSnapshot) -> Iterator[CreateSnapshot]:
    """Run `curl -X POST http://localhost:6333/collections/AgentMemories/snapshots` (with `-H
    @<(echo "api-key: $QDRANT_API_KEY")` where the server wants a key); better `pytest healthchecks/
    --recover dgmo.snapshot_memories`, which brings it to this host and reads it to its end. Have
    one of them run every day."""
    if newest_snapshot.stale and not newest_snapshot.hollow:
        one = newest_snapshot
        yield CreateSnapshot(one.url, one.collection, key=one.key)


@check(P2, guide="DG25", remedy=snapshot_them)
def test_a_recent_snapshot_of_the_memories_exists(newest_snapshot: NewestSnapshot) -> None:
    """A recent snapshot of the memories exists.

    What was remembered since the last one is lost with the disk, with a wrong DELETE, or with a
    restoring that drops first; the guide's own script for it does.
    """
    one = newest_snapshot
    assert not one.stale, listed("no recent snapshot can be restored", one.ills + one.passed_over)


@healthy(test_a_recent_snapshot_of_the_memories_exists)
def on_the_server(world: World) -> None:
    world.memory.start()
    world.memory.snapshot()


@healthy(test_a_recent_snapshot_of_the_memories_exists, layout="workspace")
def in_the_folder_as_the_script_leaves_it(world: World) -> None:
    world.memory.start()
    _fetched(world)


@healthy(test_a_recent_snapshot_of_the_memories_exists)
def as_the_script_leaves_it_before_a_restoring(world: World) -> None:
    world.memory.stand_in()
    path = _fetched(world)
    path.rename(path.with_name("AgentMemories_backup_20250710_120000.snapshot"))
    for snapshot in path.parent.iterdir():
        snapshot.rename(snapshot.with_name(_stamped(world, "AgentMemories_backup_%Y%m%d_%H%M%S")))


@fault(test_a_recent_snapshot_of_the_memories_exists)
def none_at_all(world: World) -> None:
    world.memory.start()


@fault(test_a_recent_snapshot_of_the_memories_exists)
def none_on_a_server_with_a_key(world: World) -> None:
    world.memory.stand_in(key="a-key-of-the-world")


@fault(test_a_recent_snapshot_of_the_memories_exists)
def an_old_one_on_the_server(world: World) -> None:
    world.memory.stand_in()
    world.memory.age_snapshot(world.memory.snapshot(), hours=25)


@fault(test_a_recent_snapshot_of_the_memories_exists, cure=False)
def an_old_one_of_memories_that_are_gone(world: World) -> None:
    """A newer one, of nothing, would be the first to be restored."""
    world.memory.stand_in()
    world.memory.age_snapshot(world.memory.snapshot(), hours=25)
    world.memory.forget([1, 2, 3, 4, 5])


@fault(test_a_recent_snapshot_of_the_memories_exists)
def an_old_one_in_the_folder(world: World) -> None:
    world.memory.stand_in()
    world.age(_fetched(world), hours=25)


@fault(test_a_recent_snapshot_of_the_memories_exists)
def an_old_one_that_was_copied_just_now(world: World) -> None:
    world.memory.stand_in()
    path = _fetched(world)
    path.rename(path.with_name(_NAME))


@fault(test_a_recent_snapshot_of_the_memories_exists)
def an_old_one_that_was_uploaded_just_now(world: World) -> None:
    """As a restoring leaves it on the server."""
    world.memory.stand_in()
    uploaded = world.memory.snapshot_file(world.memory.snapshot())
    uploaded.rename(uploaded.with_name(_NAME))


@fault(test_a_recent_snapshot_of_the_memories_exists)
def a_recent_one_that_is_cut(world: World) -> None:
    world.memory.stand_in()
    path = _fetched(world)
    os.truncate(path, path.stat().st_size // 2)


@fault(test_a_recent_snapshot_of_the_memories_exists)
def of_another_collection(world: World) -> None:
    world.memory.stand_in()
    path = _fetched(world)
    path.rename(path.with_name(path.name.replace("AgentMemories", "Others")))


@fault(test_a_recent_snapshot_of_the_memories_exists, becomes="blocked")
def no_collection(world: World) -> None:
    world.memory.stand_in()
    world.memory.drop()


@fault(test_a_recent_snapshot_of_the_memories_exists, becomes="absent")
def no_qdrant(world: World) -> None:
    world.change(usual_qdrant_url="")


@check(
    P1,
    guide="DG26",
    hint="""Nothing can be restored from it. Take another one: `pytest healthchecks/ --recover
    dgmo.snapshot_memories`. Then see whether the disk is full or failing: `df -h ~/backups`, `dmesg
    | tail`. What a snapshot holds shows `tar -tf <snapshot>`; its checksum, `sha256sum
    <snapshot>`, must be the one in `<snapshot>.checksums` and in the list of
    `curl http://localhost:6333/collections/AgentMemories/snapshots`.""",
)
def test_snapshots_of_the_memories_are_intact(broken_snapshots: tuple[SnapshotFile, ...]) -> None:
    """Every snapshot of the memories can be restored.

    A full disk or a download that broke off leaves a file that looks like the others until the day
    when it is needed; the guide's own script takes every file for whole that is not empty.
    """
    assert not broken_snapshots, listed("snapshots that cannot be restored", broken_snapshots)


@healthy(test_snapshots_of_the_memories_are_intact)
def whole(world: World) -> None:
    world.memory.start()
    _fetched(world)


@healthy(test_snapshots_of_the_memories_are_intact, layout="workspace")
def as_on_the_server(world: World) -> None:
    world.memory.stand_in()
    name = world.memory.snapshot()
    world.memory.download(name, _folder(world) / name)


@healthy(test_snapshots_of_the_memories_are_intact)
def one_under_way(world: World) -> None:
    world.memory.stand_in()
    path = _fetched(world)
    os.truncate(path, 1000)


@healthy(test_snapshots_of_the_memories_are_intact)
def while_qdrant_is_down(world: World) -> None:
    world.memory.stand_in()
    _fetched(world)
    world.memory.server.stop()


@fault(test_snapshots_of_the_memories_are_intact, becomes="absent")
def without_any(world: World) -> None:
    world.memory.stand_in()


@fault(test_snapshots_of_the_memories_are_intact)
def empty(world: World) -> None:
    world.memory.stand_in()
    os.truncate(_old(world), 0)
    world.age(_folder(world) / _NAME, hours=1)


@fault(test_snapshots_of_the_memories_are_intact)
def cut_while_qdrant_is_down(world: World) -> None:
    world.memory.stand_in()
    path = _old(world)
    os.truncate(path, path.stat().st_size // 2)
    world.age(path, hours=1)
    world.memory.server.stop()


@fault(test_snapshots_of_the_memories_are_intact)
def an_error_page_for_a_snapshot(world: World) -> None:
    path = _folder(world) / _NAME
    path.write_bytes(b'{"status":{"error":"Not found"},"time":0}' * 40)
    world.age(path, hours=1)


@fault(test_snapshots_of_the_memories_are_intact)
def other_bytes_than_on_the_server(world: World) -> None:
    world.memory.stand_in()
    name = world.memory.snapshot()
    _turned(world, world.memory.download(name, _folder(world) / name))


@fault(test_snapshots_of_the_memories_are_intact)
def longer_than_on_the_server(world: World) -> None:
    world.memory.stand_in()
    name = world.memory.snapshot()
    path = world.memory.download(name, _folder(world) / name)
    path.write_bytes(path.read_bytes() + bytes(512))
    world.age(path, hours=1)


@fault(test_snapshots_of_the_memories_are_intact)
def other_bytes_than_its_checksum_says(world: World) -> None:
    world.memory.stand_in()
    path = _old(world)
    Path(f"{path}.checksums").write_text(f"SHA256:{'0' * 64}:{path.name}\n")


@fault(test_snapshots_of_the_memories_are_intact)
def leading_out(world: World) -> None:
    path = _folder(world) / _NAME
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("../../.ssh/authorized_keys")
        member.size = 3
        archive.addfile(member, BytesIO(b"key"))
    world.age(path, hours=1)


@fault(test_snapshots_of_the_memories_are_intact)
def a_fifo(world: World) -> None:
    os.mkfifo(_folder(world) / _NAME)
    world.age(_folder(world) / _NAME, hours=1)


def _folder(world: World) -> Path:
    folder = world.folder / "backups" / "qdrant"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _stamped(world: World, form: str) -> str:
    from datetime import datetime

    del world
    return f"{datetime.now().astimezone():{form}}.snapshot"


def _fetched(world: World) -> Path:
    """Have a snapshot as the guide's script leaves one: fetched, and deleted on the server."""
    name = world.memory.snapshot()
    path = _folder(world) / _stamped(world, f"{world.memory.collection}_%Y-%m-%d_%H-%M-%S")
    world.memory.download(name, path)
    place = f"/collections/{world.memory.collection}/snapshots/{name}"
    world.memory.ask("DELETE", place, wait="true")
    return path


def _old(world: World) -> Path:
    """Have one that nobody writes any more."""
    path = _fetched(world).rename(_folder(world) / _NAME)
    return world.age(path, hours=1)


def _turned(world: World, path: Path) -> None:
    """Turn a bit within a file of the archive."""
    text = bytearray(path.read_bytes())
    text[text.find(b"Cosine")] ^= 1
    path.write_bytes(text)
    world.age(path, hours=1)
