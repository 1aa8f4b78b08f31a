"""Message logs can be read, are kept in bounds, and the link to the current one is right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from healthchecks.pocket_agent.probes_logs import Leftover, OldLog, WrongLink
from healthchecks.pocket_agent.probes_messages import BadLog
from healthchecks.pocket_agent.world import World
from plugins import P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import DropLines, Gzip, Link, Quarantine

OLD = "messages_2025-01-31_10-00-00.jsonl"


@remedy(SAFE)
def drop_bad_lines(bad_logs: tuple[BadLog, ...]) -> Iterator[DropLines]:
    """Copy every good line to a new file and keep the old one aside. Never run `jq -c . < log`: it
    stops at the first bad line and loses the rest. The live log is left alone: restart the server
    when nothing executes (it begins a new log) and look again."""
    for log in bad_logs:
        if log.numbers:
            yield DropLines(log.path, log.numbers, seen=log.seen)


@check(P2, guide="PA17", remedy=drop_bad_lines)
def test_message_logs_can_be_read(bad_logs: tuple[BadLog, ...]) -> None:
    """Every line of the message logs can be read.

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
def rubbish_as_the_guide_names_it(world: World) -> None:
    world.lay_out("guide")
    world.message_log(name=OLD, lines=b"<html>\n{}\n")


@remedy(SAFE)
def renew_links(wrong_links: tuple[WrongLink, ...]) -> Iterator[Quarantine | Link]:
    """Move current.jsonl.tmp aside and run `ln -sfn <newest log> current.jsonl` in its folder."""
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
    _live(world).unlink()


@fault(test_the_current_log_link_is_right)
def blocked(world: World) -> None:
    stale = _relinked(world, OLD).with_name("current.jsonl.tmp")
    world.message_log(name=OLD)
    stale.symlink_to(OLD)
    world.age(stale, 2)
    world.age(_newest(world), 1)


@remedy(SAFE)
def put_empty_strays_away(stray_logs: tuple[Leftover, ...]) -> Iterator[Quarantine]:
    """Move it out of the logs folder if it is empty. If it has lines, rename it to their time, such
    as messages_2026-01-31_10-00-00.jsonl: the server reads it under any name."""
    for stray in stray_logs:
        if stray.harmless:
            yield Quarantine(stray.path, seen=stray.seen)


@check(P2, guide="PA18", remedy=put_empty_strays_away)
def test_no_message_log_is_a_stray(stray_logs: tuple[Leftover, ...]) -> None:
    """No messages_current.jsonl lies among the logs of a server that never writes one.

    The guide's repair makes such a file; the server reads it with every history, and writes
    elsewhere.
    """
    assert not stray_logs, listed("stray message logs", stray_logs)


@healthy(test_no_message_log_is_a_stray)
def no_stray(world: World) -> None:
    world.message_log(name=OLD)


@healthy(test_no_message_log_is_a_stray)
def the_live_one_as_the_guide_says(world: World) -> None:
    world.lay_out("guide")


@fault(test_no_message_log_is_a_stray)
def an_empty_stray(world: World) -> None:
    world.message_log(name="messages_current.jsonl", lines=b"")


@remedy(SAFE)
def compress_them(plain_logs: tuple[OldLog, ...]) -> Iterator[Gzip]:
    """Run `gzip` on each file that is listed. The server no longer shows those messages; `gunzip`
    brings them back."""
    for log in plain_logs:
        if log.alone:
            yield Gzip(log.path, seen=log.seen)


@check(P2, guide="PA22", remedy=compress_them)
def test_old_message_logs_are_compressed(plain_logs: tuple[OldLog, ...]) -> None:
    """Old and large message logs are compressed.

    The server keeps every message for ever and compresses nothing; what it rotates away only takes
    room, until the disk is full and messages are lost.
    """
    assert not plain_logs, listed("message logs that should be compressed", plain_logs)


@healthy(test_old_message_logs_are_compressed)
def young(world: World) -> None:
    world.age(world.message_log(name=OLD), 29)


@healthy(test_old_message_logs_are_compressed)
def old_and_live(world: World) -> None:
    world.age(_live(world), 60)


@fault(test_old_message_logs_are_compressed)
def old(world: World) -> None:
    world.age(world.message_log(name=OLD), 31)


@fault(test_old_message_logs_are_compressed)
def large(world: World) -> None:
    world.change(log_mib=1)
    world.message_log(name=OLD, lines=b'{"a":1}\n' * (150 << 10))


@remedy(SAFE)
def put_them_away(ancient_logs: tuple[OldLog, ...]) -> Iterator[Quarantine]:
    """Move each file that is listed to a place for old things, or delete it if nobody wants it.
    archive_days in the systems file says how long they stay."""
    for log in ancient_logs:
        yield Quarantine(log.path, seen=log.seen)


@check(P2, guide="PA22", remedy=put_them_away)
def test_very_old_message_logs_are_put_away(ancient_logs: tuple[OldLog, ...]) -> None:
    """Very old message logs are put away.

    Nobody scrolls back so far, and they still take room and still hold what was said.
    """
    assert not ancient_logs, listed("message logs to put away", ancient_logs)


@healthy(test_very_old_message_logs_are_put_away)
def not_so_old(world: World) -> None:
    world.age(world.message_log(name=f"{OLD}.gz"), 89)


@fault(test_very_old_message_logs_are_put_away)
def very_old(world: World) -> None:
    world.age(world.message_log(name=f"{OLD}.gz"), 91)
    world.age(world.message_log(1, name=OLD), 91)


def _live(world: World) -> Path:
    return world.message_log()


def _newest(world: World) -> Path:
    return max(world.metadata().parent.glob("logs/messages_*.jsonl"))


def _relinked(world: World, target: str) -> Path:
    link = world.metadata().parent / "logs/current.jsonl"
    link.unlink()
    os.symlink(target, link)
    return link
