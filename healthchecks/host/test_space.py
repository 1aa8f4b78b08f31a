"""Room, inodes and mounts: every write ends here first."""

from __future__ import annotations

from plugins import P1, P2, check, fault, healthy, listed

from .probes_space import Rooms
from .world import World


@check(
    P1,
    guide="H01",
    hint="Run `findmnt` (it touches no mount) to see what is mounted there and from where; bring "
    "that server back, or take the dead mount away with `umount --lazy <mount point>`.",
)
def test_watched_file_systems_answer(rooms: Rooms) -> None:
    """Every file system that holds a watched system's data answers.

    A dead mount stops each program that touches it, often so that it cannot even be killed.
    """
    assert not rooms.silent, listed("folders whose file system does not answer", rooms.silent)


@healthy(test_watched_file_systems_answer)
def mounts_answer(world: World) -> None:
    world.change(watch_folders=[world.data])


@fault(test_watched_file_systems_answer, needs=("root",))
def a_dead_mount(world: World) -> None:
    world.change(watch_folders=[world.data, world.dead_mount()])


@fault(test_watched_file_systems_answer, needs=("root",))
def a_mount_whose_server_is_gone(world: World) -> None:
    world.change(watch_folders=[world.data, world.dead_mount(gone=True)])


@check(
    P1,
    guide="H01",
    hint="Run `dmesg --ctime | tail -n 50` as root to see why: after errors of the disk save what "
    "is on it first, then unmount it and run `fsck <device>`; where somebody wanted it so, "
    "`mount -o remount,rw <mount point>`.",
)
def test_watched_file_systems_can_be_written(rooms: Rooms) -> None:
    """Every file system that holds a watched system's data takes writes.

    The kernel makes a disk read-only when it meets errors on it; what runs goes on, saves nothing,
    and `df` looks healthy.
    """
    assert not rooms.sealed, listed("folders on a read-only file system", rooms.sealed)


@healthy(test_watched_file_systems_can_be_written)
def writable(world: World) -> None:
    world.change(watch_folders=[world.data])


@healthy(test_watched_file_systems_can_be_written, needs=("root",))
def read_only_for_us_alone(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=10, seen="read-only")])


@fault(test_watched_file_systems_can_be_written, needs=("root",))
def made_read_only(world: World) -> None:
    world.change(watch_folders=[world.data, world.small_disk(used_percent=10, seen="sealed")])


@check(
    P1,
    guide="H01",
    hint="Run `df -h <folder>`, then `du -xh --max-depth=2 <folder> | sort -h | tail` to find "
    "what is big; move it away or delete it, or make the file system larger.",
)
def test_disks_have_room(rooms: Rooms) -> None:
    """Every file system that holds a watched system's data has room.

    On a full disk, conversations, databases and backups are cut short, and some never open again.
    """
    assert not rooms.full, listed("full or nearly full", rooms.full)


@healthy(test_disks_have_room)
def room_enough(world: World) -> None:
    world.change(watch_folders=[world.data])


@healthy(test_disks_have_room, needs=("root",))
def a_small_empty_disk(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=10)])


@fault(test_disks_have_room, needs=("root",))
def a_full_disk(world: World) -> None:
    world.change(watch_folders=[world.data, world.small_disk(used_percent=95)])


@fault(test_disks_have_room, needs=("root",))
def a_full_disk_beside_a_dead_mount(world: World) -> None:
    world.change(watch_folders=[world.dead_mount(), world.small_disk(used_percent=95)])


@fault(test_disks_have_room, needs=("root",))
def a_full_disk_that_we_may_not_write(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=95, seen="read-only")])


@fault(test_disks_have_room, needs=("root",))
def just_as_full_as_the_limit(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=75)], disk_full_percent=75.0)


@fault(test_disks_have_room)
def less_than_asked_for(world: World) -> None:
    world.change(watch_folders=[world.data], disk_free_gib=world.total_gib * 0.999)


@check(
    P2,
    guide="H01",
    hint="Run `du -xh --max-depth=2 <folder> | sort -h | tail` while there is time: it will be "
    "full soon.",
)
def test_disks_are_not_getting_tight(rooms: Rooms) -> None:
    """No file system that holds a watched system's data is about to fill up.

    Between 80 and 90 percent there still is time to tidy up by choice and not in a hurry.
    """
    assert not rooms.tight, listed("getting tight", rooms.tight)


@healthy(test_disks_are_not_getting_tight, needs=("root",))
def a_small_disk_half_full(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=50)])


@healthy(test_disks_are_not_getting_tight)
def far_from_tight(world: World) -> None:
    world.change(watch_folders=[world.data])


@fault(test_disks_are_not_getting_tight, needs=("root",))
def a_tight_disk(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=85)])


@fault(test_disks_are_not_getting_tight, needs=("root",))
def just_as_tight_as_the_limit(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=75)], disk_tight_percent=75.0)


@fault(test_disks_are_not_getting_tight)
def tighter_than_asked_for(world: World) -> None:
    world.change(watch_folders=[world.data], disk_tight_percent=0.0)


@check(
    P1,
    guide="H02",
    hint="Run `df -i <folder>`, then `du -x --inodes --max-depth=3 <folder> | sort -n | tail` to "
    "find the folder with the many small files, and clear it out.",
)
def test_inodes_are_left(rooms: Rooms) -> None:
    """Inodes are left on every file system that holds a watched system's data.

    Without a free inode no file can be made, however many bytes are free, and `df -h` looks
    healthy.
    """
    assert not rooms.crowded, listed("out of inodes or nearly so", rooms.crowded)


@healthy(test_inodes_are_left, needs=("root",))
def few_files(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=1, files=5)])


@healthy(test_inodes_are_left)
def inodes_enough(world: World) -> None:
    world.change(watch_folders=[world.data])


@fault(test_inodes_are_left, needs=("root",))
def many_small_files(world: World) -> None:
    world.change(watch_folders=[world.small_disk(used_percent=1, files=95)])
