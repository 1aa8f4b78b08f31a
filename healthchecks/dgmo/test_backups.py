"""The sessions are backed up: by a fresh backup that holds them, and by archives that are whole."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from healthchecks.dgmo.probes_backups import Unbacked
from healthchecks.dgmo.world import World
from plugins import P1, UNSAFE, check, fault, healthy, listed, remedy
from plugins.archives import BrokenArchive
from plugins.steps import Archive, Mkdir, Step


@remedy(UNSAFE)
def take_one(unbacked_stores: tuple[Unbacked, ...]) -> Iterator[Step]:
    """Archive each store that is listed, read it back, and give it its name last:
    `tar -czf ~/backups/sessions/sessions_$(date +%F_%H-%M-%S).tar.gz -C FOLDER STORE`. It takes
    room on the disk, and time; what is written meanwhile is in the next one. The kit's own
    `session-backup.sh` looks where the program never writes."""
    made: set[str] = set()
    for store in unbacked_stores:
        yield from (Mkdir(path) for path in store.folders if path not in made)
        made.update(store.folders)
        if store.archive:
            yield Archive(store.archive, store.root)


@check(P1, guide="DG14", remedy=take_one)
def test_sessions_are_backed_up(unbacked_stores: tuple[Unbacked, ...]) -> None:
    """A fresh backup holds the sessions, whole.

    The shipped script ends well with an archive of other folders, or with none at all: whether a
    backup holds the sessions is seen in it alone.
    """
    assert not unbacked_stores, listed("no fresh backup holds these stores", unbacked_stores)


@check(
    P1,
    guide="DG14",
    hint="""Take another backup by `pytest healthchecks/ --fix=unsafe --fix-only
    dgmo.sessions_are_backed_up`, and move what is listed out of the folder: nobody should rely on
    it. `gzip -t FILE` shows the same. A full disk and a backup that was killed leave such
    archives.""",
)
def test_session_archives_are_whole(broken_archives: tuple[BrokenArchive, ...]) -> None:
    """Every archive of sessions reads to its end.

    One that is cut is found out on the day when it is needed.
    """
    assert not broken_archives, listed("archives that cannot be restored", broken_archives)


@healthy(test_sessions_are_backed_up)
@healthy(test_sessions_are_backed_up, layout="workspace")
@healthy(test_sessions_are_backed_up, layout="opencode")
@healthy(test_session_archives_are_whole)
@healthy(test_session_archives_are_whole, layout="workspace")
def an_archive_of_today(world: World) -> None:
    world.files.backup(hours=3)


@healthy(test_sessions_are_backed_up)
@healthy(test_sessions_are_backed_up, layout="workspace")
def a_copied_tree(world: World) -> None:
    world.files.backup(hours=3, kind="folder")


@healthy(test_sessions_are_backed_up)
def a_useless_one_beside_it(world: World) -> None:
    """The kit's script ran after ours."""
    world.files.backup(hours=3)
    world.files.useless_backup(hours=1)


@healthy(test_sessions_are_backed_up)
def what_was_said_since(world: World) -> None:
    """A session that is younger than the backup cannot be in it."""
    world.files.backup(hours=3)
    world.sessions.session("Just begun")


@healthy(test_sessions_are_backed_up)
def what_was_deleted_since(world: World) -> None:
    world.files.backup(hours=3)
    world.sessions.info(world.sessions.main).unlink()


@fault(test_sessions_are_backed_up, becomes="absent")
@fault(test_session_archives_are_whole, becomes="absent")
def nothing_to_back_up(world: World) -> None:
    world.files.forget_sessions()


@fault(test_sessions_are_backed_up)
@fault(test_sessions_are_backed_up, layout="workspace")
def no_backup_at_all(world: World) -> None:
    """Not even a folder for them."""
    world.files.no_backup()


@fault(test_sessions_are_backed_up)
@fault(test_sessions_are_backed_up, layout="workspace")
def of_the_day_before_yesterday(world: World) -> None:
    world.files.backup(hours=50)


@fault(test_sessions_are_backed_up)
def dated_by_its_name(world: World) -> None:
    """It was copied today, and made long ago."""
    path = world.files.backup(hours=200)
    world.age(path, hours=-200)


@fault(test_sessions_are_backed_up)
@fault(test_sessions_are_backed_up, layout="workspace")
def of_other_folders_than_the_sessions(world: World) -> None:
    """As the shipped script takes it."""
    world.files.useless_backup(hours=2)


@fault(test_sessions_are_backed_up)
def of_another_root(world: World) -> None:
    """That of an older program, which has sessions too."""
    other = world.sessions.another("opencode", hours=100)
    world.files.backup(hours=2, of=other)


@fault(test_sessions_are_backed_up)
def without_one_message(world: World) -> None:
    message = world.sessions.message(world.sessions.main, "msg_9")
    text = message.read_bytes()
    message.unlink()
    world.files.backup(hours=2)
    world.age(world.sessions.write(message, text), hours=20)


@fault(test_sessions_are_backed_up)
def with_every_file_cut(world: World) -> None:
    """All names are in it, and nothing that could be read."""
    copy = world.folder / "copy"
    shutil.copytree(world.sessions.root, copy)
    for path in copy.rglob("*.json"):
        path.write_text("{")
    world.files.backup(hours=2, of=copy)


@fault(test_sessions_are_backed_up)
def renamed_to_be_of_today(world: World) -> None:
    path = world.files.backup(hours=50)
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(time.time() - 3600))
    path.rename(path.with_name(f"sessions_{stamp}.tar.gz"))


@fault(test_sessions_are_backed_up, layout="workspace")
def of_two_workspaces_none(world: World) -> None:
    world.files.no_backup()
    world.sessions.another("workspace", hours=1, name="w2")


@fault(test_sessions_are_backed_up)
@fault(test_session_archives_are_whole)
@fault(test_session_archives_are_whole, layout="workspace")
def cut(world: World) -> None:
    path = world.files.backup(hours=2)
    world.files.cut(path)


@fault(test_session_archives_are_whole)
def no_archive_at_all(world: World) -> None:
    path = world.files.backup(hours=2)
    world.age(world.files.put(path, "tar: command not found\n"), hours=2)
