"""The server runs, and so do its children: none dead, none forgotten, none out of bounds."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from healthchecks.pocket_agent.probes_process import (
    Execution,
    Load,
    ServerProcess,
    Zombie,
)
from healthchecks.pocket_agent.system import PocketAgent
from healthchecks.pocket_agent.world import World
from plugins import P0, P1, P2, UNSAFE, check, fault, healthy, listed, remedy
from plugins.endpoints.growth import Growth
from plugins.steps import EndGroup, Run, Start

IN_A_TERMINAL = """#!{} -S
import fcntl, os, pty, sys, termios
os.setsid()
fcntl.ioctl(pty.openpty()[1], termios.TIOCSCTTY, 0)
os.chdir({!r})
sys.stdin.read(1)
"""


@remedy(UNSAFE, settle=10.0)
def start_it(server_process: ServerProcess, system: PocketAgent) -> Iterator[Run | Start]:
    """Start it: `systemctl start pocket-agent-server` where it has a unit, else the start_command
    of the systems file; `journalctl -u pocket-agent-server -n 50` says why it ended. A process that
    is only suspended goes on with `kill -CONT <pid>`. Clients have to connect again.
    """
    if server_process.suspended:
        pids = tuple(str(pid) for pid in server_process.pids)
        yield Run(("kill", "-CONT", *pids), undo=("kill", "-STOP", *pids))
    elif system.start_command[:1] == ("systemctl",):
        yield Run(system.start_command)
    elif system.start_command:
        # It finds its folder by HOME, which runuser sets anew; as another user than its own it
        # would leave files there that it may not touch later.
        user, home = server_process.user, (("HOME", server_process.home),)
        env = home if server_process.home else ()
        argv, log = system.start_command, system.start_log
        if user:
            # The log lies in that user's folder: root would write wherever a link there leads.
            told = ("sh", "-c", 'exec "$@" >> "$0" 2>&1', log) if log else ()
            own = ("env", *(f"{k}={v}" for k, v in env))
            argv, log, env = ("runuser", "-u", user, "--", *own, *told, *argv), "", ()
        yield Start(argv, system.start_folder, log, env)


@check(P0, guide="PA01", remedy=start_it)
def test_the_server_process_runs(server_process: ServerProcess) -> None:
    """The server process runs.

    Without it no client connects and no execution goes on. `pgrep pocket-agent-server` never finds
    it, as the kernel cuts its name to 15 characters; its executable and port are looked at.
    """
    assert server_process.pids, listed("no process of the server runs", server_process.looked_for)
    assert not server_process.suspended, listed(
        "the server is suspended (SIGSTOP)", (f"process {pid}" for pid in server_process.pids)
    )


@check(
    P1,
    guide="PA23",
    hint="""The server does not collect its ended children. Restart it when no execution runs:
    `systemctl restart pocket-agent-server`; a zombie cannot be killed.""",
)
def test_no_child_is_a_zombie(zombies: tuple[Zombie, ...]) -> None:
    """No ended child of the server is left defunct.

    Each keeps a slot of the process table, and a server that stopped collecting them has lost track
    of its executions.
    """
    assert not zombies, listed("ended children that the server did not collect", zombies)


@remedy(UNSAFE)
def end_them(lone_executions: tuple[Execution, ...]) -> Iterator[EndGroup]:
    """Run `kill -TERM -- -<process>` on each that is listed (the number of its group where one is
    named), and after some seconds the same with -KILL. What it has not written yet is lost.
    """
    seen: set[int] = set()
    for each in lone_executions:
        if each.group not in seen:
            seen.add(each.group)
            yield EndGroup(each.pid, each.started)


@check(P1, guide="PA24", remedy=end_them)
def test_no_execution_runs_on_alone(lone_executions: tuple[Execution, ...]) -> None:
    """No execution of the CLI runs on without the server.

    Kill and timeout end only the CLI itself: what it had started goes on under init, keeps its
    slot of ten, and keeps changing the project.
    """
    assert not lone_executions, listed("executions that nobody waits for", lone_executions)


@check(
    P2,
    guide="PA25",
    hint="""See what it does: `top -H -p <pid>` and its log. Restart it when no execution runs:
    `systemctl restart pocket-agent-server`.""",
)
def test_its_cpu_use_is_sane(load: Load) -> None:
    """The server itself hardly uses the CPU.

    It only passes messages on; a core that is busy for long is a loop, and every client waits.
    """
    limit = load.cpu.limit or 0.0
    assert load.cpu.value <= limit, (
        f"the server keeps {load.cpu.value:.0f} % of a core busy; {limit:g} % is the limit"
    )


@check(
    P2,
    guide="PA25",
    hint="""Compare over an hour: `grep VmRSS /proc/<pid>/status`. Restart it when no execution
    runs: `systemctl restart pocket-agent-server`.""",
)
def test_its_memory_is_sane(load: Load) -> None:
    """The server keeps within its memory.

    It warns itself at 2 GiB and then collects garbage instead of serving.
    """
    limit = load.memory.limit or 0.0
    assert load.memory.value <= limit, (
        f"the server holds {load.memory.value:.0f} MiB of memory; {limit:g} MiB is the limit"
    )


@check(
    P2,
    guide="PA25",
    hint="""Restart it when no execution runs: `systemctl restart pocket-agent-server`. Before, for
    a report to its authors, note `grep -E 'VmRSS|Threads' /proc/<pid>/status` and
    `ls /proc/<pid>/fd | wc -l`.""",
)
def test_its_memory_does_not_grow(growth: Growth) -> None:
    """The server's memory does not grow from run to run.

    A leak is small every time that somebody looks, until the kernel ends the server for it.
    """
    assert not growth.excessive, listed(
        f"its memory grew by {growth.grown.value:.0f} MiB over the last looks", growth.lines()
    )


@healthy(test_the_server_process_runs)
@healthy(test_no_child_is_a_zombie)
@healthy(test_its_cpu_use_is_sane)
@healthy(test_its_memory_is_sane)
@healthy(test_its_memory_does_not_grow)
def running(world: World) -> None:
    """A server that runs."""
    world.start()


@healthy(test_the_server_process_runs)
@healthy(test_no_execution_runs_on_alone)
def with_an_execution(world: World) -> None:
    """A server of the guide's kind with an execution under way."""
    world.lay_out("guide")
    world.start()
    world.spawn_child()


@healthy(test_no_execution_runs_on_alone)
def run_by_a_person(world: World) -> None:
    """Somebody's own CLI, outside of all projects, whose parent is gone."""
    world.start()
    world.spawn_child(orphan=True)


@healthy(test_no_execution_runs_on_alone)
def left_in_a_terminal(world: World) -> None:
    """A person's, in a project: its shell is gone, and its terminal is not."""
    world.start()
    folder = str(world.folder / "work/project1")
    world.claude.write_text(IN_A_TERMINAL.format(sys.executable, folder), "utf-8")
    world.spawn_child(orphan=True, age=0.6)


@fault(test_the_server_process_runs)
def stopped(world: World) -> None:
    """Nobody started it."""
    world.start()
    world.stop()


@fault(test_the_server_process_runs)
def suspended(world: World) -> None:
    """Somebody pressed the wrong key, or a debugger holds it."""
    world.start()
    world.suspend()


@fault(test_no_child_is_a_zombie)
def not_collected(world: World) -> None:
    """An execution ended, and the server has not noticed."""
    world.spawn_child(zombie=True)


@fault(test_no_execution_runs_on_alone)
def overdue(world: World) -> None:
    """An execution beyond the execution timeout."""
    world.change(execution_timeout=1)
    world.spawn_child(age=1.2)


@fault(test_no_execution_runs_on_alone)
def left_to_init(world: World) -> None:
    """What a killed CLI had started: init has it, and it works on in the project."""
    world.start()
    folder = world.folder / "work/project1"
    world.claude.write_text(f"#!/bin/sh\ncd '{folder}' && read -r _\n", "utf-8")
    world.spawn_child(orphan=True, age=0.2)


@fault(test_its_cpu_use_is_sane)
def spinning(world: World) -> None:
    """A server that computes instead of waiting."""
    world.change(cpu_percent=5)
    world.start(spin=True)


@fault(test_its_memory_is_sane)
def swollen(world: World) -> None:
    """A server that holds more than it may."""
    world.change(memory_mib=1)
    world.start()


@healthy(test_its_memory_does_not_grow)
def up_and_down(world: World) -> None:
    """A server that took memory and gave it back."""
    world.change(memory_growth_mib=1)
    world.start()
    world.looked_at_before(1, 3, 2, 4)


@healthy(test_its_memory_does_not_grow)
def grown_before_its_restart(world: World) -> None:
    """What grew was another process."""
    world.change(memory_growth_mib=1)
    world.start()
    world.looked_at_before(1, 2, 3, 4)
    world.restart()


@fault(test_its_memory_does_not_grow)
def more_at_every_look(world: World) -> None:
    """A server that holds more each time."""
    world.change(memory_growth_mib=1)
    world.start()
    world.looked_at_before(1, 2, 3, 4)
