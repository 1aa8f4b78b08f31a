"""The monitors' logs are quiet: nobody spins in them, and no known issue shows."""

from __future__ import annotations

from healthchecks.crash_protection.probes_log import MonitorLog
from healthchecks.crash_protection.world import World
from plugins import P2, check, fault, healthy, known_issues, listed, table_beside
from plugins.endpoints.hits import LogHits
from plugins.endpoints.signatures import Signature

SPIN = (
    b"[10:00:00] Claude config volume not found, waiting...\n"
    b"bash: line 12: [: : integer expression expected\n"
    b"sleep: missing operand\nTry 'sleep --help' for more information.\n"
    b"jq: error: Could not open file /monitor_state.json: No such file or directory\n"
)


@check(
    P2,
    guide="CP10",
    hint="""End it: `./conversation-monitor.sh stop`, or `kill <process>`; `truncate -s 0 <log>`
    empties a log that is too large. Started in the background it has none of its variables:
    protect with our own watch instead: `pytest healthchecks/ --system crash_protection --fix
    --watch 10`.""",
)
def test_the_monitor_does_not_spin(monitor_logs: tuple[MonitorLog, ...]) -> None:
    """The monitor waits between its rounds.

    One that lost its variables turns as fast as it can, fills the disk with its log, and copies
    nothing.
    """
    ill = [
        f"{log.path}: {one.value:g} {one.unit}, of {one.limit:g}"
        for log in monitor_logs
        for one in (log.size, log.rate)
        if one.value > (one.limit or 0.0)
    ]
    ill += [line for log in monitor_logs for line in log.said]
    assert not ill, listed("a monitor spins, or did", ill)


@healthy(test_the_monitor_does_not_spin)
def one_that_waits(world: World) -> None:
    world.monitor.run("guide")
    for second in range(0, 60, 10):
        world.monitor.line(b"[10:00:%02d] Backed up: 54f1b9b6" % second)


@healthy(test_the_monitor_does_not_spin)
def one_that_span_long_ago(world: World) -> None:
    world.age(world.monitor.lines(SPIN * 20), 7200)


@healthy(test_the_monitor_does_not_spin)
def one_that_another_has_replaced(world: World) -> None:
    world.age(world.monitor.lines(SPIN * 20), 60)
    world.monitor.watch()


@fault(test_the_monitor_does_not_spin)
def as_the_shell_starts_it(world: World) -> None:
    world.monitor.lines(SPIN * 3)


@fault(test_the_monitor_does_not_spin)
def hundreds_of_lines_a_second(world: World) -> None:
    world.monitor.lines(b"[10:00:00] waiting...\n[10:00:01] waiting...\n" * 150)


@fault(test_the_monitor_does_not_spin)
def hundreds_of_coloured_lines_a_second(world: World) -> None:
    line = b"\x1b[1;33m[10:00:0%d] WARN:\x1b[0m waiting...\n"
    world.monitor.lines((line % 0 + line % 1) * 150)


@fault(test_the_monitor_does_not_spin)
def lines_without_a_time(world: World) -> None:
    world.monitor.says(start_time=world.monitor.hours_ago(0.01))
    world.monitor.lines(b"waiting\n" * 40_000, "simple_monitor.log")


@fault(test_the_monitor_does_not_spin)
def a_log_of_many_mib(world: World) -> None:
    world.large(world.monitor.log, 6 << 20)
    world.age(world.monitor.log, 86400)


@fault(test_the_monitor_does_not_spin, becomes="absent")
def without_a_log(world: World) -> None:
    pass


@known_issues(table_beside(__file__), guide="CP19")
def test_no_known_issue_shows_in_the_log(signature: Signature, log_hits: LogHits) -> None:
    """No known issue shows in the log.

    Its cause and cure are known already: nobody has to search for them again.
    """
    hits = log_hits.of(signature)
    times = "once" if hits.count == 1 else f"{hits.count} times"
    assert not hits.count, listed(f"the log shows it {times}", hits.lines)


@healthy(test_no_known_issue_shows_in_the_log)
def quiet(world: World) -> None:
    world.monitor.line(b"[10:00:00] Monitoring 3 conversations")


@healthy(test_no_known_issue_shows_in_the_log)
def days_ago(world: World) -> None:
    """What nobody has written to for days tells of no issue of today."""
    world.age(world.monitor.lines(SPIN), 3 * 86400)


@healthy(test_no_known_issue_shows_in_the_log)
def before_many_rounds_that_were_well(world: World) -> None:
    """The log goes on, without dates; what it told two days ago is over."""
    day = ((n // 60, n % 60) for n in range(1440))
    well = b"".join(b"[%02d:%02d:00] 3 conversations copied\n" % time for time in day)
    world.monitor.lines(b"[00:00:01] started\n" + SPIN + well * 2)
    colours = b"\x1b[0;32m[%02d:%02d:00]\x1b[0m 3 conversations copied\n"
    well = b"".join(colours % (n // 60, n % 60) for n in range(1440))
    world.monitor.lines(b"[00:00:01] started\n" + SPIN + well * 2, "simple_monitor.log")


@healthy(test_no_known_issue_shows_in_the_log)
def of_a_monitor_that_another_has_replaced(world: World) -> None:
    """What it said is over, once our own watch was started in its stead."""
    world.age(world.monitor.lines(SPIN), 60)
    world.monitor.watch()


@fault(test_no_known_issue_shows_in_the_log, becomes="absent")
def no_log_at_all(world: World) -> None:
    pass
