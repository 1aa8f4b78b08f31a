"""The server may write its data and nobody else may; its log files stay in bounds."""

from __future__ import annotations

from collections.abc import Iterator

from plugins import P0, P2, SAFE, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod, Chown, Quarantine

from .probes_data import LogFiles, Misheld
from .world import World
from .world_containers import NEEDS


@remedy(UNSAFE)
def give_it_back(misheld_data: tuple[Misheld, ...]) -> Iterator[Chown | Chmod]:
    """Run `chown -h 1000:1000 <path>` (in Docker; else the numbers of the server's user) on each
    that it cannot write, and `chmod o-w <path>` on each that anybody can; never `chmod 777`.
    Whoever owned a file until now may lose it."""
    for one in misheld_data:
        if one.owner is not None:
            yield Chown(one.path, *one.owner, seen=one.seen)
        if one.mode is not None:
            yield Chmod(one.path, one.mode, seen=one.seen)


@check(P0, guide="PT05", remedy=give_it_back)
def test_it_can_write_its_data(misheld_data: tuple[Misheld, ...]) -> None:
    """The server can write all of its data, and nobody else can.

    In Docker it is user 1000, whoever owns the folder on the host: it ends with EACCES, or loses
    what is said. With 777, which its guide proposes, any user may read and change every account.
    """
    assert not misheld_data, listed("data that is not the server's own to write", misheld_data)


@remedy(SAFE)
def put_them_away(log_files: LogFiles) -> Iterator[Quarantine]:
    """Move the oldest of `ls -lt logs/portagent.log.*` away until eight files, 80 MiB in all, are
    left; never portagent.log itself, which the server has open."""
    for one in log_files.excess:
        yield Quarantine(one.path, seen=one.seen)


@check(P2, guide="PT19", remedy=put_them_away)
def test_its_log_files_are_in_bounds(log_files: LogFiles) -> None:
    """Its log files are no more than it keeps itself.

    It keeps eight of 10 MiB each. What is beyond was left by something else, and fills the disk
    that its databases are on.
    """
    assert not log_files.beyond, listed(
        f"its log has {log_files.count}, and {log_files.size}",
        log_files.excess or ("portagent.log itself, or what is open now, is too large",),
    )


@healthy(test_it_can_write_its_data, needs=NEEDS)
def of_user_1000(world: World) -> None:
    """A container of user 1000, whose folder is that user's."""
    world.containers.own(1000)
    world.containers.run(user="1000:1000")


@healthy(test_it_can_write_its_data)
@healthy(test_its_log_files_are_in_bounds)
def as_installed(world: World) -> None:
    """A server that runs as the user who owns its folder."""
    world.server.start()


@healthy(test_it_can_write_its_data, needs=("root",))
def shared_with_its_group(world: World) -> None:
    """Another user of its group may write it too."""
    world.containers.own(1000, mode=0o660)
    world.change(user="1001:1000")


@fault(test_it_can_write_its_data, needs=NEEDS)
def of_root_in_docker(world: World) -> None:
    """Docker made the folder, so it is root's, and the container's user is 1000."""
    world.containers.run(user="1000")


@fault(test_it_can_write_its_data, needs=("root",))
def one_database_of_root(world: World) -> None:
    """Somebody ran sqlite3 or a backup as root."""
    world.containers.own(1000)
    world.containers.own_one("data/portagent.db", 0)
    world.change(user="1000")


@fault(test_it_can_write_its_data)
def writable_by_anybody(world: World) -> None:
    """What the guide proposes as the second way."""
    world.server.start()
    (world.data_dir / "data").chmod(0o777)


@fault(test_it_can_write_its_data, needs=("root",))
def not_writable_by_itself(world: World) -> None:
    """Its own, without the right to write."""
    world.containers.own(1000)
    world.databases.path("agentx").chmod(0o444)
    world.change(user="1000")


@fault(test_it_can_write_its_data, needs=NEEDS, cure=False)
def mounted_read_only(world: World) -> None:
    """The volume is mounted :ro."""
    world.containers.own(1000)
    mount = f"{world.data_dir}:/home/node/.agentx:ro"
    world.containers.run("--volume", mount, leave=("--volume",), user="1000")


@fault(test_it_can_write_its_data, needs=("root",), cure=False)
def linked_to_what_is_not_its_own(world: World) -> None:
    """The databases were moved to another disk, which is root's."""
    there = world.folder / "disk"
    (world.data_dir / "data").rename(there)
    (world.data_dir / "data").symlink_to(there)
    world.containers.own(1000)
    world.change(user="1000")


@fault(test_it_can_write_its_data, becomes="absent")
@fault(test_its_log_files_are_in_bounds, becomes="absent")
def without_data(world: World) -> None:
    """It was never started."""
    world.data_dir.rename(world.folder / "elsewhere")


@fault(test_it_can_write_its_data, becomes="blocked")
def nobody_runs_it(world: World) -> None:
    """A folder without a server: nothing tells whose it should be."""


@fault(test_it_can_write_its_data, becomes="cannot_tell")
def a_user_that_is_not_there(world: World) -> None:
    world.change(user="nobody-of-this-name")


@healthy(test_its_log_files_are_in_bounds)
def eight_files(world: World) -> None:
    world.containers.logs(7)


@fault(test_its_log_files_are_in_bounds)
def too_many_files(world: World) -> None:
    """Somebody's own rotation beside the program's."""
    world.containers.logs(11)
    world.containers.logs(0, "portagent.log.2026-11-01.gz")


@fault(test_its_log_files_are_in_bounds)
def too_large_together(world: World) -> None:
    world.change(log_mib=0.1)
    world.containers.logs(4, size=40 << 10)


@fault(test_its_log_files_are_in_bounds, cure=False)
def one_that_grows(world: World) -> None:
    """The one that is written: it should have been rotated long ago."""
    world.change(log_mib=0.1)
    world.containers.logs(0, size=200 << 10)
