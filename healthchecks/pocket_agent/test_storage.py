"""The data folder: it is there, it is the server's alone, and there is room for more projects."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from healthchecks.pocket_agent.probes_disk import DataFolder, Exposed, Foreign
from healthchecks.pocket_agent.probes_metadata import Projects
from healthchecks.pocket_agent.world import World
from plugins import P1, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod, Chown, Mkdir


@remedy(SAFE)
def make_it(data_folder: DataFolder) -> Iterator[Mkdir | Chown]:
    """Make it with `mkdir -m 750` and give it to the server's user with `chown`. If it should be on
    a disk of its own, mount that first; if it moved, name the right data_dir in the
    configuration."""
    if data_folder.kind or not (data_folder.parent and data_folder.at_home):
        return
    yield Mkdir(data_folder.path, 0o750)
    if data_folder.uid:
        yield Chown(data_folder.path, data_folder.uid, data_folder.gid)


@check(P1, guide="PA14", remedy=make_it)
def test_the_data_folder_is_there(data_folder: DataFolder) -> None:
    """The data folder is there.

    Without it the server does not start, or starts with no project in it, somewhere else.
    """
    assert data_folder.kind == "folder", f"the data folder {data_folder}"


@healthy(test_the_data_folder_is_there)
def there(world: World) -> None:
    world.project()


@healthy(test_the_data_folder_is_there)
def there_as_the_guide_says(world: World) -> None:
    world.lay_out("guide")


@fault(test_the_data_folder_is_there, becomes="blocked")
def in_a_yaml_that_nothing_reads(world: World) -> None:
    world.configure(text=b"server:\n  port: 8443\ndata:\n  dir: ./elsewhere\n")
    world.change(data_dir="")
    world.start_refused()


@fault(test_the_data_folder_is_there)
def gone(world: World) -> None:
    _separate(world)
    shutil.rmtree(world.data)


@fault(test_the_data_folder_is_there, cure=False)
def on_a_disk_that_is_not_mounted(world: World) -> None:
    world.change(data_dir=str(world.folder / "mnt/disk/data"))


@fault(test_the_data_folder_is_there, cure=False)
def a_file_in_its_place(world: World) -> None:
    _separate(world)
    shutil.rmtree(world.data)
    world.data.touch()


@remedy(SAFE)
def close_it(open_data_folders: tuple[Exposed, ...]) -> Iterator[Chmod]:
    """Run `chmod o-rwx,g-w` on the folder that is listed."""
    for folder in open_data_folders:
        yield Chmod(folder.path, folder.mode & folder.allowed, seen=folder.seen)


@check(P1, guide="PA14", remedy=close_it)
def test_the_data_folder_is_private(open_data_folders: tuple[Exposed, ...]) -> None:
    """Nobody but the server and its group can enter the data folder.

    The message logs in it hold whole conversations, and the server writes them readable by all: the
    folder's own mode is all that keeps others out.
    """
    assert not open_data_folders, listed("the data folder lets others in", open_data_folders)


@healthy(test_the_data_folder_is_private)
def private(world: World) -> None:
    world.data.chmod(0o750)


@fault(test_the_data_folder_is_private)
def on_a_larger_disk(world: World) -> None:
    _separate(world)
    kept = world.data.rename(world.folder / "larger-disk")
    world.data.symlink_to(kept)
    kept.chmod(0o777)


@fault(test_the_data_folder_is_private)
def open_to_all(world: World) -> None:
    world.data.chmod(0o755)


@fault(test_the_data_folder_is_private)
def writable_by_the_group(world: World) -> None:
    world.data.chmod(0o770)


@remedy(SAFE)
def give_them_to_the_server(foreign_data_folders: tuple[Foreign, ...]) -> Iterator[Chown]:
    """Run, as root, `chown` with the server's user on each folder that is listed."""
    for folder in foreign_data_folders:
        if folder.at_home:
            yield Chown(folder.path, folder.uid, folder.gid, seen=folder.seen)


@check(P1, guide="PA14", remedy=give_them_to_the_server)
def test_the_data_folder_belongs_to_the_server(foreign_data_folders: tuple[Foreign, ...]) -> None:
    """The data folder and the projects' folders belong to the server's user.

    After a restore or a first start as root the server can no longer write there, and every message
    from then on is lost.
    """
    assert not foreign_data_folders, listed(
        "folders of another user than the server's", foreign_data_folders
    )


@healthy(test_the_data_folder_belongs_to_the_server)
def its_own(world: World) -> None:
    world.project()


@fault(test_the_data_folder_belongs_to_the_server, needs=("root",))
def of_a_stranger(world: World) -> None:
    shutil.chown(world.data, 65534)


@fault(test_the_data_folder_belongs_to_the_server, needs=("root",))
def a_project_of_a_stranger(world: World) -> None:
    shutil.chown(world.project(), 65534)


@check(
    P1,
    guide="PA21",
    hint="""Delete projects that nobody needs in the client: only there the server forgets them too.
    Which are old, `ls -lt <data folder>/projects/*/metadata.json` tells. The limit is fixed in the
    server: the configuration's max_projects is not read.""",
)
def test_projects_are_left(projects: Projects) -> None:
    """There is room for more projects.

    At the limit the server refuses every new project with RESOURCE_LIMIT.
    """
    used, share = projects.used.value, projects.share
    assert share.value < (share.limit or 0), (
        f"{used:g} of {projects.used.limit:g} projects are in use"
    )


@healthy(test_projects_are_left)
def few(world: World) -> None:
    world.project()


@fault(test_projects_are_left)
def nearly_full(world: World) -> None:
    for _ in range(87):
        world.project(path=str(world.folder / "work"))


def _separate(world: World) -> None:
    """Give the server a data folder apart from its configuration, as --data-dir does."""
    data = world.root / "data"
    data.mkdir(0o750)
    shutil.move(world.data / "projects", data / "projects")
    world.data = data
    world.configure(data_dir=str(data))
    world.change(data_dir=str(data))
