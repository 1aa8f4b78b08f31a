"""The schedule of the checks themselves: silence must not pass for health."""

from __future__ import annotations

from collections.abc import Iterator

from plugins import P2, SAFE, check, fault, healthy, remedy
from plugins.steps import Run

from .probes_schedule import Schedule
from .world import World


@remedy(SAFE)
def switch_it_on(schedule: Schedule) -> Iterator[Run]:
    """Run `systemctl start <timer>` (with `--user` for a timer of your own); `systemctl enable
    <timer>` keeps it on after a restart of the machine."""
    if schedule.start and not schedule.active:
        yield Run(schedule.start, undo=schedule.stop)


@check(P2, guide="H15", remedy=switch_it_on)
def test_the_timer_of_the_checks_is_on(schedule: Schedule) -> None:
    """The timer that runs the checks is on.

    A timer that was installed and never started, or stopped for an afternoon, checks nothing.
    """
    assert schedule.active or not schedule.overdue, (
        f"no run for more than {2 * schedule.hours:g} hours: {schedule}"
    )


@healthy(test_the_timer_of_the_checks_is_on)
def a_timer_just_switched_on(world: World) -> None:
    world.timer(active=True, on_hours_ago=1, ran_hours_ago=None)


@fault(test_the_timer_of_the_checks_is_on)
def a_timer_that_is_off(world: World) -> None:
    world.timer(active=False, ran_hours_ago=100)


@fault(test_the_timer_of_the_checks_is_on)
def a_timer_that_never_was_on(world: World) -> None:
    world.timer(active=False, ran_hours_ago=None)


@check(
    P2,
    guide="H15",
    hint="Look at `systemctl list-timers --all` and `journalctl --unit <service of the timer>`; "
    "for cron, at `pgrep -a cron` and at the mail that cron sends. Then run `pytest "
    "healthchecks/` by hand once.",
)
def test_the_checks_run_on_schedule(schedule: Schedule) -> None:
    """The checks themselves run on schedule.

    Once they stop, no finding is shown any more, and that looks the same as a healthy machine.
    """
    assert not (schedule.active and schedule.overdue), (
        f"no run for more than {2 * schedule.hours:g} hours: {schedule}"
    )


@healthy(test_the_checks_run_on_schedule)
def a_run_this_morning(world: World) -> None:
    world.timer(active=True, on_hours_ago=500, ran_hours_ago=3)


@healthy(test_the_checks_run_on_schedule)
def one_run_left_out(world: World) -> None:
    world.timer(active=True, on_hours_ago=500, ran_hours_ago=40)


@healthy(test_the_checks_run_on_schedule)
def a_timer_whose_first_run_is_to_come(world: World) -> None:
    world.timer(active=True, on_hours_ago=1, ran_hours_ago=None)


@healthy(test_the_checks_run_on_schedule)
def a_crontab_that_works(world: World) -> None:
    world.crontab("15 6 * * * root cd /srv/checks && pytest healthchecks/ -q", ran_hours_ago=20)


@fault(test_the_checks_run_on_schedule)
def a_timer_whose_runs_fail(world: World) -> None:
    world.timer(active=True, on_hours_ago=500, ran_hours_ago=100)


@fault(test_the_checks_run_on_schedule)
def a_crontab_that_stopped_working(world: World) -> None:
    world.crontab("15 6 * * * root cd /srv/checks && pytest healthchecks/ -q", ran_hours_ago=100)
