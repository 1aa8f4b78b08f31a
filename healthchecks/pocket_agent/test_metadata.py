"""Every project's metadata can be read and makes sense, and no folder is without."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.pocket_agent.probes_metadata import BrokenMetadata, Projects
from healthchecks.pocket_agent.world import World
from plugins import P1, P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Quarantine, Write


@remedy(SAFE)
def restore_them(broken_metadata: tuple[BrokenMetadata, ...]) -> Iterator[Quarantine | Write]:
    """Move the broken file aside and put metadata.json.backup, or that of a backup folder, in its
    place; without one, write its id (the folder's name) and its path anew. Then restart the server
    when nothing executes: it loads projects only at its start."""
    for broken in broken_metadata:
        if broken.better:
            yield Quarantine(broken.path, seen=broken.seen)
            yield Write(broken.path, broken.better.content, broken.mode)


@check(P1, guide="PA15", remedy=restore_them)
def test_project_metadata_can_be_read(broken_metadata: tuple[BrokenMetadata, ...]) -> None:
    """Every project's metadata can be read.

    The server leaves out a project whose metadata it cannot load, with a line in its log and
    nothing on the wire: it is gone from every client.
    """
    assert not broken_metadata, listed("metadata that the server cannot load", broken_metadata)


@healthy(test_project_metadata_can_be_read)
def readable(world: World) -> None:
    world.project(metadata={"session_id": "6f1d", "unknown": [1, {}]})


@healthy(test_project_metadata_can_be_read)
def readable_as_the_guide_writes_it(world: World) -> None:
    world.lay_out("guide")


@fault(test_project_metadata_can_be_read)
def torn(world: World) -> None:
    content = world.metadata().read_bytes()
    world.metadata().write_bytes(content[: content.index(b"created_at")])


@fault(test_project_metadata_can_be_read)
def with_a_byte_order_mark(world: World) -> None:
    file = world.project(metadata={"session_id": "6f1d"}) / "metadata.json"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())


@fault(test_project_metadata_can_be_read)
def emptied_with_a_backup(world: World) -> None:
    metadata = world.metadata()
    metadata.with_name("metadata.json.backup").write_bytes(metadata.read_bytes())
    metadata.write_bytes(b"")
    metadata.chmod(0o600)


@fault(test_project_metadata_can_be_read)
def emptied_with_a_backup_folder(world: World) -> None:
    metadata = world.metadata()
    kept = world.folder / "backups/projects" / metadata.parent.name / metadata.name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(metadata.read_bytes())
    metadata.with_name("metadata.json.backup").write_bytes(b"{")
    metadata.write_bytes(b"\0" * 183)


@fault(test_project_metadata_can_be_read)
def emptied_where_the_log_names_the_folder(world: World) -> None:
    begun = b'{"message":{"type":"system","content":{"type":"system","content":{"cwd":"%s"}}}}\n'
    work = os.fsencode(world.folder / "work")
    world.message_log(1, (begun % work).replace(b'{"cwd"', b'{"type":"system","cwd"'))
    world.metadata(1).write_bytes(b"")


@fault(test_project_metadata_can_be_read)
def named_by_a_stranger(world: World) -> None:
    name = "$(id) `id` '\"\n\x1b[31m<script>"
    work = os.fsencode(world.folder / "work")
    (world.data / "projects" / name).mkdir()
    file = world.data / "projects" / name / "metadata.json"
    file.write_bytes(b'{"path":"%s","created_at":' % work)


@fault(test_project_metadata_can_be_read, becomes="blocked")
def without_a_data_folder(world: World) -> None:
    world.change(data_dir=str(world.folder / "gone"))


@fault(test_project_metadata_can_be_read)
def without_an_id(world: World) -> None:
    world.project(metadata={"id": None})


@fault(test_project_metadata_can_be_read)
def no_json_number(world: World) -> None:
    folder = world.project()
    text = folder.joinpath("metadata.json").read_bytes()
    folder.joinpath("metadata.json").write_bytes(text.replace(b"{", b'{"age": NaN,', 1))


@check(
    P1,
    guide="PA15",
    hint="""Find the project's path (the person who made it knows it; `grep -h -o '"cwd":"[^"]*"'
    <project folder>/logs/*.jsonl` may show it), move what is listed out of the project's folder,
    and write a metadata.json with the folder's name as id, the path, and created_at and
    last_active such as 2026-01-31T12:00:00Z. If nobody misses the project, move its folder out of
    projects/. Restart the server when nothing executes.""",
)
def test_no_project_metadata_is_lost(lost_metadata: tuple[BrokenMetadata, ...]) -> None:
    """Broken metadata can be restored from something.

    Where no backup is good, the file does not say the project's path any more, and no message log
    names one folder, only a person knows where the project was; a path is never guessed.
    """
    assert not lost_metadata, listed("metadata that nothing restores", lost_metadata)


@healthy(test_no_project_metadata_is_lost)
def none_lost(world: World) -> None:
    world.project()


@fault(test_no_project_metadata_is_lost)
def emptied(world: World) -> None:
    world.metadata().write_bytes(b"")


@fault(test_no_project_metadata_is_lost)
def a_backup_of_another_project(world: World) -> None:
    world.metadata(0).with_name("metadata.json.backup").write_bytes(world.metadata(1).read_bytes())
    world.metadata(0).write_bytes(b"{")


@fault(test_no_project_metadata_is_lost)
def a_link_instead(world: World) -> None:
    world.metadata().unlink()
    world.metadata().symlink_to(world.metadata(1))


@fault(test_no_project_metadata_is_lost)
def a_pipe_instead(world: World) -> None:
    world.metadata().unlink()
    os.mkfifo(world.metadata())


@fault(test_no_project_metadata_is_lost)
def in_a_folder_whose_name_is_no_text(world: World) -> None:
    (world.data / "projects/\udcff").mkdir()
    (world.data / "projects/\udcff/metadata.json").write_bytes(b'{"path":"/srv",')


@fault(test_no_project_metadata_is_lost)
def two_gigabytes(world: World) -> None:
    os.truncate(world.metadata(), 2 << 30)


@check(
    P2,
    guide="PA16",
    hint="""Stop the server, then put right in the project's metadata.json what is listed: the id is
    the folder's name; the path is absolute and the project's own; times look like
    2026-01-31T12:00:00Z. Where the path is gone for good, delete the project in the client.""",
)
def test_project_metadata_makes_sense(implausible_metadata: tuple[str, ...]) -> None:
    """Every project's metadata makes sense.

    The server believes what it reads: an id that is not the folder's splits the project into two, a
    path that is gone fails at the next execution, and a time that it cannot read hides the project.
    """
    assert not implausible_metadata, listed("metadata that cannot be true", implausible_metadata)


@healthy(test_project_metadata_makes_sense)
def sound(world: World) -> None:
    world.project(metadata={"last_active": "2025-01-31T12:00:00.123456789+09:00"})


@fault(test_project_metadata_makes_sense)
def of_another_folder(world: World) -> None:
    world.project(metadata={"id": world.metadata().parent.name})


@fault(test_project_metadata_makes_sense)
def of_a_folder_that_is_not_there(world: World) -> None:
    world.project(metadata={"id": "4cd6f8d3-93d1-405f-92ad-d8865d252473"})


@fault(test_project_metadata_makes_sense)
def path_gone(world: World) -> None:
    world.project(path=str(world.folder / "work/gone"))


@fault(test_project_metadata_makes_sense)
def path_relative(world: World) -> None:
    world.project(path="work/project1")


@fault(test_project_metadata_makes_sense)
def path_inside_another(world: World) -> None:
    inner = world.folder / "work/project1/inner"
    inner.mkdir()
    world.project(path=str(inner))


@fault(test_project_metadata_makes_sense)
def from_the_future(world: World) -> None:
    world.project(metadata={"last_active": world.now(-7200)})


@fault(test_project_metadata_makes_sense)
def no_time(world: World) -> None:
    world.project(metadata={"created_at": "yesterday"})


@check(
    P2,
    guide="PA20",
    hint="""See what is in the folder: if there is a metadata.json.backup, copy it to metadata.json
    (`cp -n metadata.json.backup metadata.json`); if its logs are worth keeping, write a
    metadata.json with the folder's name as id; else move the folder out of projects/.""",
)
def test_no_project_folder_is_an_orphan(projects: Projects) -> None:
    """Every project folder has its metadata.

    A folder without it is no project for the server, yet it takes room and nobody sees it.
    """
    assert not projects.orphans, listed("folders that are no project", projects.orphans)


@healthy(test_no_project_folder_is_an_orphan)
def complete(world: World) -> None:
    world.project(logs=True)


@fault(test_no_project_folder_is_an_orphan)
def without_metadata(world: World) -> None:
    metadata = world.metadata()
    metadata.rename(metadata.with_name("metadata.json.backup"))


@fault(test_no_project_folder_is_an_orphan)
def empty(world: World) -> None:
    (world.data / "projects/4cd6f8d3-93d1-405f-92ad-d8865d252473").mkdir()
