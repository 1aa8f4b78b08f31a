"""What a crash of the machine may have taken with it."""

from __future__ import annotations

from plugins import P1, check, fault, healthy

from .probes_space import Unsaved, moment
from .world import World


@check(
    P1,
    guide="H13",
    hint="Look through the sources that are newer than the newest backup before you work on, run "
    "the system's own recovery where it has one, then take a backup.",
)
def test_nothing_was_left_unsaved_by_a_crash(unsaved: Unsaved) -> None:
    """Nothing was left unsaved when the machine last went down.

    What changed after the newest backup and before the machine started exists once, perhaps in
    part.
    """
    assert not unsaved.lost_in_a_crash, (
        f"the machine started at {moment(unsaved.booted)}, after the newest backup "
        f"({unsaved.backup}), and there is something newer than the backup: {unsaved.source}"
    )


@healthy(test_nothing_was_left_unsaved_by_a_crash)
def saved_after_the_last_change(world: World) -> None:
    world.boot(hours_ago=5)
    world.history(source_hours_ago=7, backup_hours_ago=6)


@healthy(test_nothing_was_left_unsaved_by_a_crash)
def saved_since_the_machine_started(world: World) -> None:
    world.boot(hours_ago=5)
    world.history(source_hours_ago=1, backup_hours_ago=2)


@fault(test_nothing_was_left_unsaved_by_a_crash)
def changed_between_backup_and_crash(world: World) -> None:
    world.boot(hours_ago=5)
    world.history(source_hours_ago=6, backup_hours_ago=7)


@fault(test_nothing_was_left_unsaved_by_a_crash)
def changed_after_the_crash_too(world: World) -> None:
    world.boot(hours_ago=5)
    world.history(source_hours_ago=1, backup_hours_ago=7)
