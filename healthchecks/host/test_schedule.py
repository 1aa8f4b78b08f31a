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
        f"no run for more than {schedule.silence}: {schedule}"
    )


@healthy(test_the_timer_of_the_checks_is_on)
def a_timer_just_switched_on(world: World) -> None:
    world.schedules.timer(active=True, on_hours_ago=1, ran_hours_ago=None)


@fault(test_the_timer_of_the_checks_is_on)
def a_timer_that_is_off(world: World) -> None:
    world.schedules.timer(active=False, ran_hours_ago=100)


@fault(test_the_timer_of_the_checks_is_on)
def a_watch_that_is_off(world: World) -> None:
    world.schedules.watch(active=False, round_hours_ago=2)


@healthy(test_the_timer_of_the_checks_is_on)
def a_watch_that_is_on(world: World) -> None:
    world.schedules.watch(active=True, round_hours_ago=0.01)


@fault(test_the_timer_of_the_checks_is_on)
def a_timer_that_never_was_on(world: World) -> None:
    world.schedules.timer(active=False, ran_hours_ago=None)


@check(
    P2,
    guide="H15",
    hint="Look at `systemctl list-timers --all` and `journalctl --unit <service of the timer>` "
    "(with `--user` for a timer of your own); for cron, at `pgrep -a cron` and at the mail that "
    "cron sends; for launchd, at `launchctl list`; for a CI, at its runs and at whether its "
    "runner is up. A schedule that was given up is forgotten with the file that is named.",
)
def test_the_checks_run_on_schedule(schedule: Schedule) -> None:
    """The checks themselves run on schedule.

    Once they stop, no finding is shown any more, and that looks the same as a healthy machine.
    What `--print-unit` printed leaves a mark of each of its runs: a run by hand is none of them.
    """
    assert not (schedule.active and schedule.overdue), (
        f"no run for more than {schedule.silence}: {schedule}"
    )


@healthy(test_the_checks_run_on_schedule)
def a_run_this_morning(world: World) -> None:
    world.schedules.timer(active=True, on_hours_ago=500, ran_hours_ago=3)


@healthy(test_the_checks_run_on_schedule)
def one_run_left_out(world: World) -> None:
    world.schedules.timer(active=True, on_hours_ago=500, ran_hours_ago=40)


@healthy(test_the_checks_run_on_schedule)
def a_timer_whose_first_run_is_to_come(world: World) -> None:
    world.schedules.timer(active=True, on_hours_ago=1, ran_hours_ago=None)


@healthy(test_the_checks_run_on_schedule)
def a_crontab_that_works(world: World) -> None:
    world.schedules.crontab(ran_hours_ago=20)


@fault(test_the_checks_run_on_schedule)
def a_timer_whose_runs_fail(world: World) -> None:
    world.schedules.timer(active=True, on_hours_ago=500, ran_hours_ago=100)


@fault(test_the_checks_run_on_schedule)
def a_crontab_that_stopped_working(world: World) -> None:
    world.schedules.crontab(ran_hours_ago=100)


@healthy(test_the_checks_run_on_schedule)
def a_marked_run_an_hour_ago(world: World) -> None:
    world.schedules.marking_timer(ran_hours_ago=1)


@healthy(test_the_checks_run_on_schedule)
def an_older_unit_without_a_mark(world: World) -> None:
    world.schedules.timer(active=True, on_hours_ago=500, ran_hours_ago=3)
    world.schedules.ran("systemd", hours_ago=400)


@healthy(test_the_checks_run_on_schedule)
def a_marking_timer_whose_first_run_is_to_come(world: World) -> None:
    world.schedules.marking_timer(ran_hours_ago=None, on_hours_ago=1)


@healthy(test_the_checks_run_on_schedule)
def a_crontab_of_my_own(world: World) -> None:
    world.schedules.own_crontab(ran_hours_ago=20)


@healthy(test_the_checks_run_on_schedule)
def a_ci_that_is_late(world: World) -> None:
    world.schedules.ran("github", hours_ago=5, every=3600)


@healthy(test_the_checks_run_on_schedule)
def a_round_a_minute_ago(world: World) -> None:
    world.schedules.watch(active=True, round_hours_ago=0.02)


@fault(test_the_checks_run_on_schedule)
def a_dead_timer_behind_runs_by_hand(world: World) -> None:
    world.schedules.marking_timer(ran_hours_ago=100)
    world.schedules.report(1)


@fault(test_the_checks_run_on_schedule)
def a_timer_each_hour_that_stopped_this_morning(world: World) -> None:
    world.schedules.marking_timer(ran_hours_ago=6, every=3600)


@fault(test_the_checks_run_on_schedule)
def one_of_two_timers_that_stopped(world: World) -> None:
    world.schedules.marking_timer(ran_hours_ago=100, named="agent-healthchecks-host")
    world.schedules.own_crontab(ran_hours_ago=1)


@healthy(test_the_timer_of_the_checks_is_on)
def a_timer_that_a_crontab_replaced(world: World) -> None:
    world.schedules.marking_timer(active=False, ran_hours_ago=100, named="agent-healthchecks-old")
    world.schedules.own_crontab(ran_hours_ago=1)


@fault(test_the_checks_run_on_schedule)
def a_marking_timer_that_never_ran_behind_runs_by_hand(world: World) -> None:
    world.schedules.marking_timer(ran_hours_ago=None)
    world.schedules.report(1)


@fault(test_the_checks_run_on_schedule)
def a_watch_that_hangs(world: World) -> None:
    world.schedules.watch(active=True, round_hours_ago=1)


@fault(test_the_checks_run_on_schedule)
def a_crontab_of_my_own_behind_runs_by_hand(world: World) -> None:
    world.schedules.own_crontab(ran_hours_ago=100)
    world.schedules.report(1)


@fault(test_the_checks_run_on_schedule)
def an_agent_that_stopped(world: World) -> None:
    world.schedules.agent(ran_hours_ago=100)


@fault(test_the_checks_run_on_schedule)
def a_ci_that_stopped(world: World) -> None:
    world.schedules.ran("gitlab", hours_ago=100)
