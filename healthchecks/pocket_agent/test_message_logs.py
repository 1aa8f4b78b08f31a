"""Message logs can be read, each lies in its place, and the link to the current one is right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from healthchecks.pocket_agent.probes_logs import Leftover, WrongLink
from healthchecks.pocket_agent.probes_messages import BadLog
from healthchecks.pocket_agent.world import World
from plugins import P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import DropLines, Link, Quarantine

OLD = "messages_2025-01-31_10-00-00.jsonl"


@remedy(SAFE)
def drop_bad_lines(bad_logs: tuple[BadLog, ...]) -> Iterator[DropLines]:
    """Keep a copy elsewhere (`cp -p <log> <copy>`), then write its good lines over it:
    `LC_ALL=C awk 'length <= 1048576' <copy> | jq -rR '. as $line | try (fromjson | $line)
    catch empty' > <log>`. Never run `jq -c . < log`: it stops at the first bad line and loses the
    rest."""
    for log in bad_logs:
        yield DropLines(log.path, log.numbers, seen=log.seen)


@check(P2, guide="PA17", remedy=drop_bad_lines)
def test_message_logs_can_be_read(bad_logs: tuple[BadLog, ...]) -> None:
    """Every line of the rotated message logs can be read.

    The server passes over a broken line, so that a message is missing; over a line of more than 1
    MiB it gives up, and the project's whole history cannot be had.
    """
    assert not bad_logs, listed("message logs with lines that cannot be read", bad_logs)


@healthy(test_message_logs_can_be_read)
def readable(world: World) -> None:
    world.message_log(name=OLD)


@healthy(test_message_logs_can_be_read)
def being_written(world: World) -> None:
    world.message_log(lines=b'{"timestamp":"2026-01-31T10:00:00Z"}\n{"timesta')


@fault(test_message_logs_can_be_read)
def half_a_line(world: World) -> None:
    world.message_log(name=OLD, lines=b'{"a":1}\n{"timesta\n\xff\xfe\n{"b":2}\n')


@fault(test_message_logs_can_be_read)
def a_line_of_two_mebibytes(world: World) -> None:
    world.message_log(name=OLD, lines=b'{"a":1}\n{"a":"' + b"x" * (2 << 20) + b'"}\n{"b":2}\n')


@fault(test_message_logs_can_be_read)
def a_last_line_of_three_mebibytes_without_an_end(world: World) -> None:
    world.message_log(name=OLD, lines=b'{"a":1}\n{"a":"' + b"x" * (3 << 20))


@fault(test_message_logs_can_be_read)
def rubbish_as_the_guide_names_it(world: World) -> None:
    world.lay_out("guide")
    world.message_log(name=OLD, lines=b"<html>\n{}\n")


@check(
    P2,
    guide="PA17",
    hint="""Nobody may rewrite the log that the server writes: stop the server or wait for rotation
    (at midnight UTC, and at each start: `systemctl restart pocket-agent-server` when nothing
    executes), then look again. Move what is not a file out of
    the logs folder.""",
)
def test_live_message_logs_can_be_read(untouchable_logs: tuple[BadLog, ...]) -> None:
    """Every line of the live message logs can be read.

    A broken line in the log that is being written tells that the server is losing messages now. Its
    last line may be half written, and is not judged.
    """
    assert not untouchable_logs, listed("message logs that cannot be read", untouchable_logs)


@healthy(test_live_message_logs_can_be_read)
def half_a_line_at_the_end(world: World) -> None:
    world.message_log(lines=b'{"timestamp":"2026-01-31T10:00:00Z"}\n{"timesta')


@fault(test_live_message_logs_can_be_read)
def half_a_line_in_the_middle(world: World) -> None:
    world.message_log(lines=b'{"timesta\n{"timestamp":"2026-01-31T10:00:00Z"}\n')


@fault(test_live_message_logs_can_be_read)
def half_a_line_in_the_guides_live_log(world: World) -> None:
    world.lay_out("guide")
    half_a_line_in_the_middle(world)


@fault(test_live_message_logs_can_be_read)
def a_pipe(world: World) -> None:
    os.mkfifo(world.message_log().with_name(OLD))


@fault(test_live_message_logs_can_be_read)
def a_line_too_long_and_without_an_end(world: World) -> None:
    world.message_log(lines=b'{"a":"' + b"x" * (3 << 20))


@fault(test_live_message_logs_can_be_read)
def rubbish_throughout(world: World) -> None:
    world.message_log(name=OLD, lines=b"rubbish\n" * 2000)


@remedy(SAFE)
def renew_links(wrong_links: tuple[WrongLink, ...]) -> Iterator[Quarantine | Link]:
    """Move current.jsonl.tmp out of its folder and run `ln -sfn <newest log> current.jsonl` there;
    where there is no log at all, move current.jsonl out too."""
    for link in wrong_links:
        if link.blocking:
            yield Quarantine(link.blocking.path, seen=link.blocking.seen)
        if link.newest:
            yield Link(link.path, link.newest, seen=link.seen)
        elif link.seen:
            yield Quarantine(link.path, seen=link.seen)


@check(P2, guide="PA18", remedy=renew_links)
def test_the_current_log_link_is_right(wrong_links: tuple[WrongLink, ...]) -> None:
    """Each project's current.jsonl leads to its newest message log.

    A stale current.jsonl.tmp keeps the server from ever renewing the link, without a word: whoever
    follows the link reads yesterday's messages.
    """
    assert not wrong_links, listed("links to the current log are wrong", wrong_links)


@healthy(test_the_current_log_link_is_right)
def right(world: World) -> None:
    world.message_log(name=OLD)


@healthy(test_the_current_log_link_is_right)
def none_as_the_guide_says(world: World) -> None:
    world.lay_out("guide")


@fault(test_the_current_log_link_is_right)
def dangling(world: World) -> None:
    _relinked(world, "messages_2025-01-31_10-00-01.jsonl")


@fault(test_the_current_log_link_is_right)
def dangling_without_a_log(world: World) -> None:
    world.message_log().unlink()


@fault(test_the_current_log_link_is_right)
def dangling_where_the_guide_wants_none(world: World) -> None:
    world.lay_out("guide")
    os.symlink(OLD, world.metadata().parent / "logs/current.jsonl")


@fault(test_the_current_log_link_is_right)
def blocked_from_now_on(world: World) -> None:
    stale = world.metadata().parent / "logs/current.jsonl.tmp"
    stale.symlink_to(OLD)
    world.age(stale, 1)


@fault(test_the_current_log_link_is_right)
def to_an_older_log(world: World) -> None:
    world.message_log(name=OLD)
    _relinked(world, OLD)
    world.age(_newest(world), 1)


@fault(test_the_current_log_link_is_right)
def blocked(world: World) -> None:
    stale = _relinked(world, OLD).with_name("current.jsonl.tmp")
    world.message_log(name=OLD)
    stale.symlink_to(OLD)
    world.age(stale, 2)
    world.age(_newest(world), 1)


@remedy(SAFE)
def put_empty_strays_away(empty_strays: tuple[Leftover, ...]) -> Iterator[Quarantine]:
    """Move each file that is listed out of the logs folder."""
    for stray in empty_strays:
        yield Quarantine(stray.path, seen=stray.seen)


@check(P2, guide="PA18", remedy=put_empty_strays_away)
def test_no_empty_message_log_is_a_stray(empty_strays: tuple[Leftover, ...]) -> None:
    """No empty messages_current.jsonl lies among the logs of a server that never writes one.

    The guide's repair makes such a file; the server reads it with every history, writes elsewhere,
    and whoever follows it sees nothing.
    """
    assert not empty_strays, listed("stray message logs", empty_strays)


@healthy(test_no_empty_message_log_is_a_stray)
def no_stray(world: World) -> None:
    world.message_log(name=OLD)


@healthy(test_no_empty_message_log_is_a_stray)
def the_live_one_as_the_guide_says(world: World) -> None:
    world.lay_out("guide")


@fault(test_no_empty_message_log_is_a_stray)
def an_empty_stray(world: World) -> None:
    world.message_log(name="messages_current.jsonl", lines=b"")


@check(
    P2,
    guide="PA18",
    hint="""See when its lines were written (`head -n 1 <file>`) and rename it after that time, such
    as messages_2026-01-31_10-00-00.jsonl: the server reads it under any name.""",
)
def test_no_message_lies_in_a_stray_log(full_strays: tuple[Leftover, ...]) -> None:
    """No message lies in a log that is not one of the server's own.

    The server mixes the lines of a messages_current.jsonl into the history, and never those of a
    current.jsonl that is no link: what was said there is out of order, or not to be seen.
    """
    assert not full_strays, listed("stray logs with messages in them", full_strays)


@healthy(test_no_message_lies_in_a_stray_log)
def all_in_order(world: World) -> None:
    world.message_log(name=OLD)


@fault(test_no_message_lies_in_a_stray_log)
def a_stray_with_messages(world: World) -> None:
    world.message_log(name="messages_current.jsonl")


@fault(test_no_message_lies_in_a_stray_log)
def a_current_log_that_is_no_link(world: World) -> None:
    log = world.message_log()
    log.rename(log.with_name("current.jsonl"))


def _newest(world: World) -> Path:
    return max(world.metadata().parent.glob("logs/messages_*.jsonl"))


def _relinked(world: World, target: str) -> Path:
    link = world.metadata().parent / "logs/current.jsonl"
    link.unlink()
    os.symlink(target, link)
    return link
