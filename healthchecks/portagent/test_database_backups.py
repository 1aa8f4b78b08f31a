"""The databases are backed up, and the newest backup can be restored."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.portagent.probes_database_backups import DatabaseBackups
from healthchecks.portagent.world import World
from plugins import P1, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import Mkdir, Step


@remedy(UNSAFE)
def take_one_now(database_backups: DatabaseBackups) -> Iterator[Step]:
    """Take a backup now, while the server runs: `sqlite3 -readonly ~/.agentx/data/agentx.db
    ".backup /var/backups/portagent/agentx-$(date +%Y%m%d_%H%M%S).db"`, and the same of portagent.db
    and queue.db. It takes as much of the disk as they do. A database that is not whole is not
    backed up: recover it first."""
    from plugins.steps.databases import BackUpDatabase  # it brings sqlite3

    if database_backups.makes:
        yield Mkdir(database_backups.folder)
    for path, source in database_backups.sources:
        yield BackUpDatabase(path, source)


@check(P1, guide="PT17", remedy=take_one_now)
def test_its_databases_are_backed_up(database_backups: DatabaseBackups) -> None:
    """The databases are backed up, and the newest backup is fresh and whole.

    The guide's own script never looks whether what it wrote can be read, and a copy by `cp` of a
    database that is written to is not whole.
    """
    assert not database_backups.faults, listed("backups are wanting", database_backups.faults)


@healthy(test_its_databases_are_backed_up)
def an_hour_ago(world: World) -> None:
    assert world.databases.backups.folder.exists()


@healthy(test_its_databases_are_backed_up)
def in_an_archive_as_the_guide_makes_it(world: World) -> None:
    world.databases.backups.none()
    world.databases.backups.archive(hours=2.0)


@healthy(test_its_databases_are_backed_up)
def in_a_folder_of_the_day(world: World) -> None:
    world.databases.backups.in_a_folder()


@healthy(test_its_databases_are_backed_up)
def under_the_guides_plain_names(world: World) -> None:
    for one in world.databases.backups.folder.iterdir():
        name = one.name.partition("-")[0]
        one.rename(world.databases.backups.folder / f"{name}-backup.db")


@healthy(test_its_databases_are_backed_up)
def without_one_of_the_queue(world: World) -> None:
    for one in world.databases.backups.folder.glob("queue-*"):
        one.unlink()


@healthy(test_its_databases_are_backed_up)
def an_old_one_is_broken(world: World) -> None:
    broken = world.databases.backups.take(hours=30.0)[0]
    broken.write_bytes(b"")
    world.age(broken, hours=30.0)


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def none(world: World) -> None:
    world.databases.backups.none()


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def no_folder(world: World) -> None:
    world.databases.backups.none()
    world.databases.backups.folder.rmdir()


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def only_of_one(world: World) -> None:
    world.databases.backups.none()
    world.databases.backups.take(names=("portagent",))


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def of_the_day_before_yesterday(world: World) -> None:
    world.databases.backups.none()
    world.databases.backups.take(hours=50.0)


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def of_a_time_to_come(world: World) -> None:
    world.databases.backups.none()
    world.databases.backups.take(hours=-50.0)


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def only_the_databases_themselves(world: World) -> None:
    world.databases.backups.none()
    world.databases.backups.folder.rmdir()
    world.databases.backups.folder.symlink_to(world.databases.folder)


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def the_newest_is_empty(world: World) -> None:
    world.databases.backups.take(hours=0.1)[0].write_bytes(b"")


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def the_newest_is_cut(world: World) -> None:
    os.truncate(world.databases.backups.take(hours=0.1)[0], 9000)


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def the_newest_archive_is_cut(world: World) -> None:
    world.databases.backups.none()
    archive = world.databases.backups.archive(hours=0.1)
    os.truncate(archive, archive.stat().st_size // 2)


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def the_newest_archive_holds_a_broken_one(world: World) -> None:
    world.databases.backups.none()
    world.databases.backups.archive(hours=0.1, broken=True)


@fault(test_its_databases_are_backed_up, needs=("sqlite3",))
def while_it_is_served(world: World) -> None:
    world.server.start()
    world.server.register()
    world.databases.backups.none()


@fault(test_its_databases_are_backed_up, cure=False)
def of_a_database_that_is_broken(world: World) -> None:
    world.databases.backups.none()
    world.databases.break_page("agentx", "idx_kv_key")


@fault(test_its_databases_are_backed_up, becomes="absent", generation=2)
def its_successor_is_another(world: World) -> None:
    assert not world.databases.path("portagent").exists()


@fault(test_its_databases_are_backed_up, becomes="absent")
def nobody_wants_one(world: World) -> None:
    world.change(backups=[])
