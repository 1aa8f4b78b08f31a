"""Every conversation has a copy of its own, and the copy is what the conversation is."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.crash_protection.probes_copies_current import Protection
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.taking import Taking
from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import SESSIONS, talk
from plugins import P0, P1, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Step

DAY = 86400.0
DOCKER = ("root", "dockerd", "docker", "busybox")


@remedy(SAFE, routine=True)
def copy_them(protection: Protection, system: CrashProtection) -> Iterator[Step]:
    """Run for each `cp -p <conversation> <copy>.new && cmp <conversation> <copy>.new && mv
    <copy>.new <copy>`, where <copy> is `~/.claude-docker-conversations/realtime/<session>.jsonl`;
    one that grows meanwhile is copied again.
    """
    return Taking(system, protection).copies(
        row for row in protection.standing if row.relation in ("none", "behind")
    )


@check(P0, guide="CP03", remedy=copy_them)
def test_every_conversation_has_a_current_copy(protection: Protection) -> None:
    """Every conversation has a current copy.

    What is said in a container is gone with its volume, and a crash takes what was not copied. A
    copy may be three rounds of the monitor behind; all folders of projects count, and sub-agents.
    """
    assert not protection.late, listed(
        "without a current copy", (*protection.late, *protection.in_the_way)
    )
    protection.judged()


@healthy(test_every_conversation_has_a_current_copy)
def all_copied(world: World) -> None:
    world.conversations.age_all(DAY)


@healthy(test_every_conversation_has_a_current_copy)
def just_begun(world: World) -> None:
    world.conversations.origin("just-begun", talk("just-begun", 1))


@healthy(test_every_conversation_has_a_current_copy)
def a_line_was_added_to_an_old_one(world: World) -> None:
    world.conversations.age_all(DAY)
    world.conversations.say(SESSIONS[2])


@fault(test_every_conversation_has_a_current_copy)
def one_never_copied(world: World) -> None:
    world.conversations.said_before("never-copied", DAY)


@fault(test_every_conversation_has_a_current_copy)
def nothing_copied(world: World) -> None:
    for path in world.realtime.iterdir():
        path.unlink()
    world.conversations.age_all(DAY)


@fault(test_every_conversation_has_a_current_copy, bare=True)
def no_folder_of_copies(world: World) -> None:
    world.conversations.age_all(DAY)


@fault(test_every_conversation_has_a_current_copy)
def one_is_behind(world: World) -> None:
    world.conversations.behind(SESSIONS[0], DAY)


@fault(test_every_conversation_has_a_current_copy)
def behind_while_it_goes_on(world: World) -> None:
    world.conversations.behind(SESSIONS[0], DAY)
    world.conversations.say(SESSIONS[0])


@fault(test_every_conversation_has_a_current_copy)
def a_sub_agent_never_copied(world: World) -> None:
    folder = world.projects / "-srv-app" / SESSIONS[2] / "subagents"
    world.conversations.said_before("agent-1f2e3d", DAY, folder)


@fault(test_every_conversation_has_a_current_copy)
def two_of_one_name(world: World) -> None:
    folder = world.projects / "-srv-other"
    world.conversations.said_before(SESSIONS[2], DAY, folder, "another one of that name")


@fault(test_every_conversation_has_a_current_copy)
def a_hostile_name(world: World) -> None:
    folder = world.projects / "-srv $(touch x)'\n\x1b[31m"
    world.conversations.said_before('it\'s "this" `one`; -rf', DAY, folder)


@fault(test_every_conversation_has_a_current_copy)
def a_cut_last_line(world: World) -> None:
    path = world.conversations.said_before("cut", DAY)
    path.write_bytes(path.read_bytes()[:-30])
    world.age(path, DAY)


@fault(test_every_conversation_has_a_current_copy)
def a_second_name_of_the_conversation_itself(world: World) -> None:
    """A hard link: what is cut from the one is cut from the other."""
    path = world.conversations.path(SESSIONS[0])
    copy = world.realtime / path.name
    copy.unlink()
    copy.hardlink_to(path)
    world.conversations.age_all(DAY)


@fault(test_every_conversation_has_a_current_copy, cure=False)
def a_link_in_the_place_of_all_copies(world: World) -> None:
    """Through a link nothing is written; the shell monitors do."""
    world.realtime.rename(world.folder / "elsewhere")
    world.realtime.symlink_to(world.folder / "elsewhere")
    world.conversations.age_all(DAY)


@fault(test_every_conversation_has_a_current_copy)
def a_link_in_the_place_of_the_copy(world: World) -> None:
    path = world.realtime / f"{SESSIONS[0]}.jsonl"
    path.unlink()
    path.symlink_to("/dev/null")
    world.conversations.age_all(DAY)


@healthy(test_every_conversation_has_a_current_copy, needs=DOCKER)
def all_copied_out_of_a_container(world: World) -> None:
    world.conversations.age_all(DAY)
    world.engine.volume()


@fault(test_every_conversation_has_a_current_copy, needs=DOCKER)
def behind_and_never_copied_in_a_container(world: World) -> None:
    folder = world.volume / "projects" / "-workspace"
    world.conversations.said_before("never copied", DAY, folder)
    world.conversations.behind(SESSIONS[0], DAY)
    world.engine.volume()


@fault(test_every_conversation_has_a_current_copy)
def docker_is_down_and_one_never_copied(world: World) -> None:
    world.change(volume_folder="")
    world.conversations.said_before("never-copied", DAY)


@fault(test_every_conversation_has_a_current_copy)
def a_fifo_beside_one_never_copied(world: World) -> None:
    world.conversations.said_before("never-copied", DAY)
    os.mkfifo(world.projects / "-srv-app" / "waits.jsonl")


@healthy(test_every_conversation_has_a_current_copy)
def between_two_rounds_of_the_periodic_one(world: World) -> None:
    pid = world.monitor.run("periodic", said=False)
    world.monitor.write(b"%d" % pid, "periodic_backup.pid")
    world.conversations.behind(SESSIONS[0], 60)


@fault(test_every_conversation_has_a_current_copy)
def after_four_rounds_of_the_periodic_one(world: World) -> None:
    pid = world.monitor.run("periodic", said=False)
    world.monitor.write(b"%d" % pid, "periodic_backup.pid")
    world.conversations.behind(SESSIONS[0], 120)


@fault(test_every_conversation_has_a_current_copy)
def goes_on_after_a_long_first_line(world: World) -> None:
    """The time of a line stands behind what was said in it."""
    path = world.conversations.said_before("long", DAY, text="pasted " * 5000)
    os.utime(path)


@fault(test_every_conversation_has_a_current_copy, becomes="absent")
def nobody_has_talked(world: World) -> None:
    world.conversations.forget_all()


@check(
    P0,
    guide="CP03",
    hint="Find what was cut out with `pytest healthchecks/ --system crash_protection --recover "
    "crash_protection.find --with text=<words>`; the copy in realtime/ has all of it, and "
    "`--recover crash_protection.restore_one --with id=<session>` puts it back.",
)
def test_no_conversation_got_shorter(protection: Protection) -> None:
    """No conversation got shorter than its copy.

    Claude only ever appends to a conversation: one that is shorter than its copy was cut by a crash
    or written over. The longer copy is never replaced; what is left is kept beside it.
    """
    shorter = [row for row in protection.standing if row.relation == "shorter"]
    assert not shorter, listed("shorter than their copies", shorter)
    protection.judged()


@healthy(test_no_conversation_got_shorter)
def all_whole(world: World) -> None:
    world.conversations.say(SESSIONS[0])


@fault(test_no_conversation_got_shorter)
def one_was_cut(world: World) -> None:
    path = world.conversations.path(SESSIONS[0])
    path.write_bytes(path.read_bytes()[:-200])


@fault(test_no_conversation_got_shorter)
def one_is_empty(world: World) -> None:
    world.conversations.path(SESSIONS[0]).write_bytes(b"")


@remedy(SAFE)
def set_aside(protection: Protection, system: CrashProtection) -> Iterator[Step]:
    """Move the copy to crash-recovery/ with its time in its name, and copy the conversation."""
    rows = [row for row in protection.standing if row.relation == "differs"]
    taking = Taking(system, protection)
    if rows:
        yield from taking.folders()
    for row in rows:
        yield from taking.aside(row)
    yield from taking.anew(rows)


@check(P1, guide="CP04", remedy=set_aside)
def test_the_copy_is_the_conversation(protection: Protection) -> None:
    """The copy is the conversation, or its beginning.

    A copy whose bytes are others than the conversation's is damaged, or was taken of something
    else; it may hold what is nowhere else, so it is kept.
    """
    odd = [row for row in protection.standing if row.relation == "differs"]
    assert not odd, listed("copies of something else", odd)
    protection.judged()


@healthy(test_the_copy_is_the_conversation)
def true_copies(world: World) -> None:
    world.conversations.say(SESSIONS[0])


@fault(test_the_copy_is_the_conversation)
def a_byte_is_another(world: World) -> None:
    path = world.realtime / f"{SESSIONS[0]}.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:99] + b"\x00" + content[100:])


@fault(test_the_copy_is_the_conversation)
def it_went_another_way(world: World) -> None:
    path = world.conversations.path(SESSIONS[2])
    path.write_bytes(talk(SESSIONS[2], 3) + talk("another", 9))
