"""The kit's logs can be read, and say something."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.claude_docker.probes_logs import BrokenLog, SilentLog
from healthchecks.claude_docker.world import World
from plugins import P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import DropLines


@remedy(SAFE)
def drop_broken_lines(broken_logs: tuple[BrokenLog, ...]) -> Iterator[DropLines]:
    """Keep a copy elsewhere (`cp -p <log> <copy>`), see what is wrong (`jq -R 'fromjson? // "?"'
    <copy> | tail`), then write its good lines over it: `jq -rR '. as $line | try (fromjson | $line)
    catch empty' <copy> > <log>`. Where a process holds the log open, end the session first; where
    most lines are broken, find what writes them."""
    for log in broken_logs:
        if log.numbers:
            yield DropLines(log.path, log.numbers, seen=log.seen)


@check(P2, guide="CD21", remedy=drop_broken_lines)
def test_the_logs_are_json_lines(broken_logs: tuple[BrokenLog, ...]) -> None:
    """Every line of the event and metric logs is JSON.

    `jq` ends at the first line that is none: what stands behind it is seen by no query. A cut last
    line tells that something died while it wrote, or that the disk was full.
    """
    assert not broken_logs, listed("logs with lines that cannot be read", broken_logs)


@healthy(test_the_logs_are_json_lines)
def readable(world: World) -> None:
    world.logs.event("claude_start")


@healthy(test_the_logs_are_json_lines)
def a_last_line_without_an_end(world: World) -> None:
    world.logs.raw(b'{"event":"claude_end"}')


@healthy(test_the_logs_are_json_lines)
def a_line_that_is_being_written(world: World) -> None:
    world.logs.hold(world.logs.raw(b'{"event":"cla'))


@healthy(test_the_logs_are_json_lines)
def empty_lines_between(world: World) -> None:
    world.logs.raw(b"\n\r\n")
    world.logs.event("claude_end")


@fault(test_the_logs_are_json_lines)
def half_a_line_in_the_middle(world: World) -> None:
    world.logs.raw(b'{"event":"cla{"event":1}\n')
    world.logs.event("claude_end")


@fault(test_the_logs_are_json_lines)
def a_cut_last_line(world: World) -> None:
    world.logs.raw(b'{"event":"claude_end","ti')


@fault(test_the_logs_are_json_lines)
def cut_and_held_open_by_a_reader(world: World) -> None:
    world.logs.hold(world.logs.raw(b'{"event":"cla'), mode="rb")


@fault(test_the_logs_are_json_lines)
def rubbish_in_both(world: World) -> None:
    world.logs.raw(b"\0\0\0\0\n\xff\xfe\n\x1b[31m<script>\n")
    world.logs.raw(b"rsync: connection unexpectedly closed\n", world.logs.metrics)
    world.logs.metric(1000)


@fault(test_the_logs_are_json_lines)
def behind_a_link(world: World) -> None:
    real = world.folder / ".claude" / "events.jsonl"
    world.logs.raw(b"rubbish\n").rename(real)
    world.logs.events.symlink_to(real)


@fault(test_the_logs_are_json_lines, cure=False)
def broken_and_held_open(world: World) -> None:
    world.logs.hold(world.logs.raw(b"rubbish\n"))


@fault(test_the_logs_are_json_lines, cure=False)
def pretty_printed(world: World) -> None:
    world.logs.metrics.write_bytes(b'{\n  "metric": "x",\n  "value": 1\n}\n' * 40)


@fault(test_the_logs_are_json_lines, becomes="absent", layout="own")
def no_kit_and_no_log(world: World) -> None:
    assert not world.logs.events.exists()


@check(
    P2,
    guide="CD21",
    hint="""See whether the kit writes it at all: start a session, end it, and run
    `ls -l ~/.claude-docker-*`; then look for its path in the kit (`grep -rn claude-docker- <kit>`).
    Move what is no file out of the way.""",
)
def test_the_logs_say_something(silent_logs: tuple[SilentLog, ...]) -> None:
    """The logs that are kept say something.

    An empty log passes every query, and an error that is written nowhere is seen by nobody.
    """
    assert not silent_logs, listed("logs that say nothing", silent_logs)


@healthy(test_the_logs_say_something)
def with_a_stream_of_errors(world: World) -> None:
    world.logs.error('it says "no"')


@healthy(test_the_logs_say_something)
def without_an_error(world: World) -> None:
    world.logs.errors.write_bytes(b"")


@healthy(test_the_logs_say_something)
def one_was_rotated_a_moment_ago(world: World) -> None:
    world.logs.events.rename(f"{world.logs.events}.1")
    world.logs.events.touch()


@fault(test_the_logs_say_something)
def empty(world: World) -> None:
    world.logs.events.write_bytes(b"")


@fault(test_the_logs_say_something)
def blank(world: World) -> None:
    world.logs.events.write_bytes(b"\n \n")


@fault(test_the_logs_say_something)
def rubbish_for_errors(world: World) -> None:
    world.logs.errors.write_bytes(b"Segmentation fault\n" * 9)


@fault(test_the_logs_say_something)
def a_pipe(world: World) -> None:
    world.logs.metrics.unlink()
    os.mkfifo(world.logs.metrics)


@fault(test_the_logs_say_something, becomes="absent", layout="own")
def nothing_is_kept(world: World) -> None:
    assert not world.logs.events.exists()
