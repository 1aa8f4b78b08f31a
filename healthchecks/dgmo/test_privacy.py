"""The user can read and write the store, and nobody else can change it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.dgmo.probes_files import WrongRights
from healthchecks.dgmo.world import World
from plugins import P1, P3, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod, Chown, Step


@remedy(SAFE)
def give_it_to_the_user(wrong_rights: WrongRights) -> Iterator[Step]:
    """Run `chmod 600` on files and `chmod 700` on folders that are listed, as root `chown USER` on
    what is another's; of a whole store by `find STORE -type d -exec chmod u+rwx,go-w {} +` and
    `find STORE -type f -exec chmod u+rw,go-w,a-x {} +`. Not by the guide's `chmod -R 755`, which
    makes programs of conversations. A file system that cannot be written to was mounted so, or
    turned so by a fault of its disk: `dmesg` and `mount` tell."""
    for file in wrong_rights.files:
        if file.fault == "owner":
            yield Chown(file.path, file.user, file.group, seen=file.seen)
        if file.fault != "fixed" and file.mode != file.right:
            yield Chmod(file.path, file.right, seen=file.seen)


@check(P1, guide="DG12", remedy=give_it_to_the_user)
def test_the_user_can_read_and_write_the_store(wrong_rights: WrongRights) -> None:
    """The user can read and write every file of the store, and nobody else can change one.

    One run as root leaves files that the next run of the user can neither write nor replace:
    sessions then end with "permission denied", or lose what was said.
    """
    said = wrong_rights.sentence("wrong owners and modes")
    assert not wrong_rights.total, listed(said, wrong_rights.shown)


@remedy(SAFE)
def take_the_bit_off(executable_files: WrongRights) -> Iterator[Chmod]:
    """Take the execute bits off: `find STORE -type f -exec chmod a-x {} +`."""
    for file in executable_files.files:
        yield Chmod(file.path, file.right, seen=file.seen)


@check(P3, guide="DG12", remedy=take_the_bit_off)
def test_session_files_are_no_programs(executable_files: WrongRights) -> None:
    """No file of a session could be executed.

    The guide's `chmod -R 755` leaves them so. It harms nobody, and hides what else is executable.
    """
    said = executable_files.sentence("files that could be executed")
    assert not executable_files.total, listed(said, executable_files.shown)


@healthy(test_the_user_can_read_and_write_the_store)
@healthy(test_the_user_can_read_and_write_the_store, layout="workspace")
@healthy(test_session_files_are_no_programs)
@healthy(test_session_files_are_no_programs, layout="workspace")
def as_the_program_makes_it(world: World) -> None:
    world.files.dress(folders=0o755, files=0o644)


@healthy(test_the_user_can_read_and_write_the_store)
@healthy(test_session_files_are_no_programs)
def closed_to_all_others(world: World) -> None:
    world.files.dress(folders=0o700, files=0o600)


@healthy(test_the_user_can_read_and_write_the_store)
def as_the_guide_says(world: World) -> None:
    """Untidy, which another check tells; the user can use it all the same."""
    world.files.dress(folders=0o755, files=0o755)


@fault(test_session_files_are_no_programs)
@fault(test_session_files_are_no_programs, layout="workspace")
def as_the_guide_makes_it(world: World) -> None:
    world.files.dress(folders=0o755, files=0o755)


@fault(test_the_user_can_read_and_write_the_store, becomes="blocked")
@fault(test_session_files_are_no_programs, becomes="blocked")
def no_store(world: World) -> None:
    world.change(stores=["~/nowhere"])


@fault(test_the_user_can_read_and_write_the_store)
@fault(test_the_user_can_read_and_write_the_store, layout="workspace")
def files_that_cannot_be_written(world: World) -> None:
    world.files.dress(folders=0o755, files=0o444)


@fault(test_the_user_can_read_and_write_the_store)
def a_folder_that_cannot_be_entered(world: World) -> None:
    (world.sessions.root / "storage").chmod(0o600)


@fault(test_the_user_can_read_and_write_the_store)
def a_file_that_nobody_can_read(world: World) -> None:
    world.sessions.info(world.sessions.main).chmod(0)


@fault(test_the_user_can_read_and_write_the_store)
@fault(test_the_user_can_read_and_write_the_store, layout="workspace")
def open_to_everybody(world: World) -> None:
    world.files.dress(folders=0o777, files=0o666)


@fault(test_the_user_can_read_and_write_the_store, needs=("root",))
def files_for_the_group(world: World) -> None:
    """Of a group that is not the user's alone."""
    path = world.sessions.info(world.sessions.main)
    os.chown(path, -1, world.files.another_group())
    path.chmod(0o664)


@fault(test_the_user_can_read_and_write_the_store, needs=("root",))
@fault(test_the_user_can_read_and_write_the_store, needs=("root",), layout="workspace")
def after_a_run_of_another_user(world: World) -> None:
    os.chown(world.sessions.info(world.sessions.main), 65534, 65534)
