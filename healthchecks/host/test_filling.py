"""Where the room on disks goes, by the history of earlier runs."""

from __future__ import annotations

from plugins import P2, check, fault, healthy, listed

from .probes_filling import Filling
from .world import World


@check(
    P2,
    guide="H01",
    hint="Run `du -xh -d 2 <folder> | sort -h | tail` now and again in a day to see what "
    "grows; put a limit to it (rotate logs, prune images and old backups), or make the file system "
    "larger. `pytest healthchecks/ --history` shows the runs that this is told from.",
)
def test_disks_do_not_fill_up_soon(fillings: tuple[Filling, ...]) -> None:
    """No disk is going to be full soon, at the pace of the last days.

    A disk that is half empty and loses a tenth each day is full before anybody looks again; by
    then it is too late to tidy up by choice.
    """
    soon = [one for one in fillings if one.soon]
    assert not soon, listed("on its way to be full", soon)


@healthy(test_disks_do_not_fill_up_soon)
def it_stays_as_it_is(world: World) -> None:
    world.free_before(dict.fromkeys(range(1, 10), 1.0))


@healthy(test_disks_do_not_fill_up_soon)
def it_fills_in_half_a_year(world: World) -> None:
    world.free_before({day: 1.0 + day / 180 for day in range(1, 10)})


@healthy(test_disks_do_not_fill_up_soon)
def a_big_copy_was_made_once(world: World) -> None:
    world.free_before({day: 2.0 if day > 4 else 1.0 for day in range(1, 10)})


@healthy(test_disks_do_not_fill_up_soon)
def what_filled_it_has_stopped(world: World) -> None:
    world.free_before({day: 1.0 + max(day - 6, 0) / 3 for day in range(1, 13)})


@healthy(test_disks_do_not_fill_up_soon)
def it_was_tidied_up(world: World) -> None:
    world.free_before({1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4, 5: 0.5})


@fault(test_disks_do_not_fill_up_soon)
def full_in_five_days(world: World) -> None:
    world.free_before({day: 1.0 + day / 5 for day in range(1, 10)})


@fault(test_disks_do_not_fill_up_soon)
def full_in_five_days_with_one_odd_day(world: World) -> None:
    world.free_before({day: 0.2 if day == 3 else 1.0 + day / 5 for day in range(1, 10)})


@fault(test_disks_do_not_fill_up_soon)
def a_run_a_day_for_three_days(world: World) -> None:
    world.free_before({day: 1.0 + day for day in (1, 2, 3)})


@fault(test_disks_do_not_fill_up_soon, becomes="absent")
def two_days_are_too_few(world: World) -> None:
    world.free_before({day: 1.0 + day for day in (1, 2)})


@fault(test_disks_do_not_fill_up_soon, becomes="absent")
def nothing_was_seen_before(world: World) -> None:
    world.free_before({})
