"""A monitor runs, its files say what is so, and it neither spins nor is about to stop."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.crash_protection.monitor_state import MonitorState
from healthchecks.crash_protection.probes_monitor import MonitorEnd, Monitors
from healthchecks.crash_protection.world import World
from plugins import P0, P1, P2, SAFE, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import Quarantine, Run, Start, Write


@remedy(UNSAFE, settle=30.0)
def start_one(monitors: Monitors) -> Iterator[Run | Start]:
    """Start our own watch: `pytest healthchecks/ --system crash_protection --fix --watch 10` in a
    terminal; with `--print-unit systemd` behind it (or launchd, or cron) the same line prints a
    unit, by which the system starts it from now on, and how to install that. A suspended one goes
    on with `kill -CONT <process>`.
    """
    suspended = [str(one.pid) for one in monitors.running if one.suspended]
    if suspended:
        yield Run(("kill", "-CONT", *suspended), undo=("kill", "-STOP", *suspended))
    elif monitors.start:
        argv, log, env = monitors.start, monitors.log, (("HOME", monitors.home),)
        if monitors.user:
            # The log lies in that user's folder: root would write wherever a link there leads.
            told = ("sh", "-c", 'exec "$@" >> "$0" 2>&1', log) if log else ()
            own = ("env", f"HOME={monitors.home}")
            argv, log = ("runuser", "-u", monitors.user, "--", *own, *told, *argv), ""
        yield Start(argv, monitors.folder, log, () if monitors.user else env)


@check(P0, guide="CP01", remedy=start_one)
def test_a_monitor_runs(monitors: Monitors) -> None:
    """A monitor runs that copies conversations.

    Without it what is said from now on exists once, in a place that a crash may take. A pid in a
    file proves nothing: after a restart the kernel gives the number to another program.
    """
    assert any(not one.suspended for one in monitors.running), listed(
        "no monitor runs", monitors.looked_at
    )


@healthy(test_a_monitor_runs)
def the_shell_monitor(world: World) -> None:
    world.monitor.run("guide")


@healthy(test_a_monitor_runs)
def one_with_a_pid_file_alone(world: World) -> None:
    pid = world.monitor.run("guide", said=False)
    world.monitor.state.unlink()
    world.monitor.write(b"%d\n" % pid, "monitor.pid")


@healthy(test_a_monitor_runs)
def the_periodic_one_alone(world: World) -> None:
    pid = world.monitor.run("periodic", said=False)
    world.monitor.state.unlink()
    world.monitor.write(b"%d" % pid, "periodic_backup.pid")


@healthy(test_a_monitor_runs)
def the_simple_one_alone(world: World) -> None:
    pid = world.monitor.run("simple", said=False)
    world.monitor.write(b"%d\n" % pid, "simple_monitor.pid")


@healthy(test_a_monitor_runs)
def our_own_watch(world: World) -> None:
    world.monitor.watch()


@healthy(test_a_monitor_runs)
def a_watch_before_its_first_round(world: World) -> None:
    world.monitor.watch(home=True)
    world.monitor.state.unlink()


@fault(test_a_monitor_runs)
def a_watch_of_another_home(world: World) -> None:
    world.monitor.starter()
    world.monitor.watch()
    world.monitor.state.unlink()


@fault(test_a_monitor_runs)
def none_was_ever_started(world: World) -> None:
    world.monitor.starter()
    world.monitor.state.unlink()


@fault(test_a_monitor_runs)
def it_died(world: World) -> None:
    world.monitor.starter()
    pid = world.monitor.end(world.monitor.run("guide"))
    world.monitor.write(b"%d\n" % pid, "monitor.pid")


@fault(test_a_monitor_runs)
def its_number_is_anothers_now(world: World) -> None:
    world.monitor.starter()
    world.monitor.run("stranger")


@fault(test_a_monitor_runs)
def somebody_reads_its_script(world: World) -> None:
    """A program that only shows such a file is no monitor."""
    world.monitor.starter()
    pid = world.monitor.process(("tail", "-f", "/dev/null", "conversation-monitor.sh"))
    world.monitor.says(monitor_pid=pid)


@fault(test_a_monitor_runs)
def a_watch_that_takes_no_copies(world: World) -> None:
    world.monitor.starter()
    world.monitor.watch("--fix=plan")


@fault(test_a_monitor_runs)
def it_is_suspended(world: World) -> None:
    world.monitor.suspend(world.monitor.run("guide"))


@fault(test_a_monitor_runs)
def with_a_state_of_any_shape(world: World) -> None:
    world.monitor.starter()
    world.monitor.write(b'[{"monitor_pid": true}, 1e999, "\\udcff"]')


@remedy(SAFE)
def tell_the_truth(monitor_state: MonitorState) -> Iterator[Quarantine | Write]:
    """Compare `ps -p <process>` with what is listed. Move a file that says nothing true out of the
    folder (`mv`), and set `"status": "stopped"` in monitor_state.json where no monitor runs. Where
    two run, or one never began, end it: `kill <process>`.
    """
    state = monitor_state
    for stray in state.put_away:
        yield Quarantine(stray.path, seen=stray.seen)
    if state.rewritten:
        yield Write(state.path, state.rewritten, state.mode, seen=state.seen)


@check(P1, guide="CP02", remedy=tell_the_truth)
def test_the_monitors_state_makes_sense(monitor_state: MonitorState) -> None:
    """What the monitor's files say of it is so.

    The shell monitor refuses to start where its state names a number that any process has, and one
    that stays "starting" has lost its variables and copies nothing.
    """
    assert not monitor_state.faults, listed("the monitor's files are wrong", monitor_state.faults)


@healthy(test_the_monitors_state_makes_sense)
def stopped_in_good_order(world: World) -> None:
    world.monitor.says(status="stopped", monitor_pid=4194304)


@healthy(test_the_monitors_state_makes_sense)
def at_work(world: World) -> None:
    pid = world.monitor.run("guide")
    world.monitor.write(b"%d\n" % pid, "monitor.pid")


@healthy(test_the_monitors_state_makes_sense)
def just_starting(world: World) -> None:
    world.monitor.run("guide", status="starting", last_backup=None)


@fault(test_the_monitors_state_makes_sense, becomes="absent")
def no_state_at_all(world: World) -> None:
    world.monitor.state.unlink()


@fault(test_the_monitors_state_makes_sense)
def a_state_that_is_cut(world: World) -> None:
    world.monitor.write(b'{"monitor_pid": 123, "sta')


@fault(test_the_monitors_state_makes_sense)
def an_empty_state(world: World) -> None:
    world.monitor.write(b"")


@fault(test_the_monitors_state_makes_sense)
def a_state_that_is_a_list(world: World) -> None:
    world.monitor.write(b"[" * 100_000)


@fault(test_the_monitors_state_makes_sense)
def a_state_that_is_a_fifo(world: World) -> None:
    world.monitor.fifo()


@fault(test_the_monitors_state_makes_sense)
def monitoring_without_a_process(world: World) -> None:
    """Keys that we do not know are kept."""
    pid = world.monitor.end(world.monitor.run("guide"))
    world.monitor.says(monitor_pid=pid, note={"kept": ["é", 1.5, None]})


@fault(test_the_monitors_state_makes_sense)
def monitoring_by_a_stranger(world: World) -> None:
    world.monitor.run("stranger")


@fault(test_the_monitors_state_makes_sense)
def starting_and_dead(world: World) -> None:
    pid = world.monitor.end(world.monitor.run("guide"))
    world.monitor.says(monitor_pid=str(pid), status="starting", start_time="2026-01-05T10:00:00Z")


@fault(test_the_monitors_state_makes_sense)
def a_stale_pid_file(world: World) -> None:
    pid = world.monitor.end(world.monitor.run("guide"))
    world.monitor.run("guide")
    world.monitor.write(b"%d\n" % pid, "monitor.pid")


@fault(test_the_monitors_state_makes_sense)
def a_stale_pid_file_alone(world: World) -> None:
    world.monitor.state.unlink()
    world.monitor.write(b"rubbish \xff\n", "monitor.pid")


@fault(test_the_monitors_state_makes_sense)
def a_state_of_the_monitor_before(world: World) -> None:
    before = world.monitor.end(world.monitor.run("guide"))
    pid = world.monitor.run("guide", said=False)
    world.monitor.write(b"%d\n" % pid, "monitor.pid")
    world.monitor.says(monitor_pid=before)


@fault(test_the_monitors_state_makes_sense, cure=False)
def starting_for_ever(world: World) -> None:
    """The shell monitor's own start: it runs, and never begins."""
    world.monitor.run("guide", status="starting", start_time="2026-01-05T10:00:00Z")


@fault(test_the_monitors_state_makes_sense, cure=False)
def two_monitors_at_once(world: World) -> None:
    world.monitor.run("guide")
    pid = world.monitor.run("guide", said=False)
    world.monitor.write(b"%d\n" % pid, "monitor.pid")


@check(
    P2,
    guide="CP11",
    hint="""Start it again before it stops: `./conversation-monitor.sh stop`, then `start`; or use
    a monitor without such a limit: `pytest healthchecks/ --system crash_protection --fix --watch
    10`, with `--print-unit systemd` behind it for a unit.""",
)
def test_the_monitor_is_not_about_to_stop(monitor_end: MonitorEnd) -> None:
    """The monitor goes on for hours yet.

    The shell monitor stops by itself after eight hours, says so in its log only, and nothing starts
    it again.
    """
    assert not monitor_end.stopped, "its own time limit has ended it, and no other monitor runs"
    hours = monitor_end.left.value
    assert hours > (monitor_end.left.limit or 0.0), f"it stops by itself in {max(hours, 0):.1f} h"


@healthy(test_the_monitor_is_not_about_to_stop)
def just_started(world: World) -> None:
    world.monitor.run("guide")


@healthy(test_the_monitor_is_not_about_to_stop)
def with_an_older_state_beside_it(world: World) -> None:
    pid = world.monitor.run("guide", said=False)
    world.monitor.write(b"%d\n" % pid, "monitor.pid")
    world.monitor.says(monitor_pid=4194304, start_time="2026-01-05T10:00:00Z")


@fault(test_the_monitor_is_not_about_to_stop)
def an_old_one(world: World) -> None:
    world.monitor.run("guide", start_time=world.monitor.hours_ago(7.2))


@fault(test_the_monitor_is_not_about_to_stop)
def ended_by_its_limit(world: World) -> None:
    world.monitor.line(b"[10:00:00] Max monitoring time reached, stopping")


@fault(test_the_monitor_is_not_about_to_stop, becomes="absent")
def one_without_a_limit(world: World) -> None:
    world.monitor.run("periodic", start_time="2026-01-05T10:00:00Z")
    world.monitor.line(b"[10:00:00] Max monitoring time reached, stopping")
