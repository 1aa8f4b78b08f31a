"""A restart ends no protection, and nothing waits to be recovered since the last one."""

from __future__ import annotations

from healthchecks.crash_protection.probes_restart import Comeback
from healthchecks.crash_protection.probes_waiting import Unrecovered
from healthchecks.crash_protection.world import World
from plugins import P1, P2, check, fault, healthy, listed

AGENT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>conversations</string>
<key>ProgramArguments</key><array><string>/bin/bash</string>
<string>/Users/me/claude/conversation-monitor.sh</string><string>monitor</string></array>
<key>RunAtLoad</key><{}/>
</dict></plist>
"""


@check(
    P2,
    guide="CP16",
    hint="""Run `pytest healthchecks/ --system crash_protection --fix --watch 10 --print-unit
    systemd` (or launchd, or cron): it prints a unit of our own watch, and how to install and enable
    it. A unit that is there and not enabled: `systemctl --user enable --now <unit>`.""",
)
def test_protection_comes_back_after_a_restart(comeback: Comeback) -> None:
    """A systemd unit, launchd agent or cron entry starts a monitor after a restart.

    A crash of the machine is what this is for, and after one nobody remembers to start it.
    """
    idle = tuple(f"{one} would, and is not enabled" for one in comeback.idle)
    looked = (f"nothing in {', '.join(comeback.looked_in)}",)
    assert comeback.by, listed("nothing starts a monitor after a restart", idle or looked)


@healthy(test_protection_comes_back_after_a_restart)
def by_a_unit(world: World) -> None:
    pass


@healthy(test_protection_comes_back_after_a_restart)
def by_a_timer(world: World) -> None:
    world.monitor.no_unit()
    text = "[Service]\nExecStart=/usr/bin/env bash \\\n  /opt/claude/periodic-backup.sh\n"
    world.monitor.unit(text, name="claude.service", on=False)
    world.monitor.unit("[Timer]\nOnBootSec=1m\n", name="claude.timer")


@healthy(test_protection_comes_back_after_a_restart)
def by_an_agent(world: World) -> None:
    world.monitor.no_unit()
    world.monitor.entry("agents/conversations.plist", AGENT.format("true"))


@healthy(test_protection_comes_back_after_a_restart)
def by_cron(world: World) -> None:
    world.monitor.no_unit()
    line = "@reboot cd /srv/checks && python -m pytest healthchecks --fix --watch 10 >/dev/null\n"
    world.monitor.entry("cron", f"# m h dom mon dow\nPATH=/usr/bin\n{line}")


@healthy(test_protection_comes_back_after_a_restart)
def by_ones_own_entries(world: World) -> None:
    """They lie where only root may read; crontab tells them."""
    world.monitor.no_unit()
    world.monitor.crontab("@reboot bash /opt/claude/conversation-monitor.sh monitor")


@fault(test_protection_comes_back_after_a_restart)
def by_nothing(world: World) -> None:
    world.monitor.no_unit()
    world.monitor.entry("cron", "*/15 * * * * run-parts /etc/periodic/15min\n")


@fault(test_protection_comes_back_after_a_restart)
def by_a_unit_that_is_not_enabled(world: World) -> None:
    world.monitor.no_unit()
    world.monitor.unit(on=False)


@fault(test_protection_comes_back_after_a_restart)
def by_an_agent_that_never_starts(world: World) -> None:
    world.monitor.no_unit()
    world.monitor.entry("agents/conversations.plist", AGENT.format("false"))


@fault(test_protection_comes_back_after_a_restart)
def by_what_is_commented_out(world: World) -> None:
    world.monitor.no_unit()
    world.monitor.entry("cron", "#@reboot /opt/claude/conversation-monitor.sh start\n")
    world.monitor.unit("[Service]\n# ExecStart=bash conversation-monitor.sh monitor\n")
    world.monitor.entry("agents/broken.plist", "<plist><dict><key>")
    world.monitor.entry("agents/list.plist", "<plist version='1.0'><array/></plist>")


@check(
    P1,
    guide="CP17",
    hint="""Before anything writes to the originals again: `pytest healthchecks/ --recover
    crash_protection.recover`, which takes the longest copy of each and keeps what differs. The
    shell scripts' own recovery may put a shorter copy over a longer one.""",
)
def test_nothing_waits_to_be_recovered(unrecovered: Unrecovered) -> None:
    """No copy of before a crash holds more than what is left.

    After a restart, or when the container is gone, the last words of a conversation may stand in a
    crash copy alone, and the next round of copies may push it out.
    """
    assert not unrecovered.waiting, listed(
        f"{unrecovered.since}, and copies hold more than the originals", unrecovered.waiting
    )


@healthy(test_nothing_waits_to_be_recovered)
def no_restart(world: World) -> None:
    pass


@healthy(test_nothing_waits_to_be_recovered)
def a_restart_that_took_nothing(world: World) -> None:
    world.crashed()


@healthy(test_nothing_waits_to_be_recovered)
def recovered_already(world: World) -> None:
    lost = world.crashed(lost=True)
    (world.saved / lost.name).write_bytes((world.realtime / lost.name).read_bytes())


@healthy(test_nothing_waits_to_be_recovered)
def what_claude_cleared_away(world: World) -> None:
    """Weeks after the last word Claude removes a conversation by itself; its copies stay."""
    lost = world.crashed(lost=True)
    for folder in (world.realtime, world.crash_recovery, world.saved):
        for path in folder.glob(f"{lost.stem}*"):
            world.age(path, 40 * 86400)


@fault(test_nothing_waits_to_be_recovered)
def the_originals_end_is_gone(world: World) -> None:
    world.crashed(cut=True)


@fault(test_nothing_waits_to_be_recovered)
def the_original_is_gone(world: World) -> None:
    world.crashed(lost=True)


@fault(test_nothing_waits_to_be_recovered, becomes="blocked")
def docker_is_not_back_yet(world: World) -> None:
    world.change(volume_folder="")
    world.crashed(lost=True)


@fault(test_nothing_waits_to_be_recovered, needs=("root", "dockerd", "docker", "busybox"))
def its_container_vanished(world: World) -> None:
    world.crashed(cut=True, ago=0)
    world.engine.use("version")
    (world.folder / ".claude-last-container").write_text("claude-task-dashboard-20260105-100000\n")
