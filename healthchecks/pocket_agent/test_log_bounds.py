"""Message logs are kept in bounds."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.pocket_agent.probes_logs import OldLog
from healthchecks.pocket_agent.world import World
from plugins import P2, P3, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Gzip, Quarantine

OLD = "messages_2025-01-31_10-00-00.jsonl"


@remedy(SAFE)
def compress_them(plain_logs: tuple[OldLog, ...]) -> Iterator[Gzip]:
    """Run `gzip` on each file that is listed. The server no longer shows those messages; `gunzip`
    brings them back."""
    for log in plain_logs:
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
    world.age(world.message_log(), 60)


@fault(test_old_message_logs_are_compressed)
def old(world: World) -> None:
    world.age(world.message_log(name=OLD), 31)


@fault(test_old_message_logs_are_compressed)
def large(world: World) -> None:
    world.change(log_mib=1)
    world.message_log(name=OLD, lines=b'{"a":1}\n' * (150 << 10))


@check(
    P3,
    guide="PA22",
    hint="""Compare the two: `gzip -dc <file>.gz | cmp - <file>`. If they are the same, move the .gz
    away; if the .gz is broken (`gzip -t <file>.gz`), move that away too.""",
)
def test_no_message_log_is_there_twice(doubled_logs: tuple[OldLog, ...]) -> None:
    """No message log is there both plain and compressed.

    An interrupted gzip leaves both, and they may differ; nothing can be compressed over it.
    """
    assert not doubled_logs, listed("message logs that are there twice", doubled_logs)


@healthy(test_no_message_log_is_there_twice)
def one_or_the_other(world: World) -> None:
    world.message_log(name=f"{OLD}.gz")


@fault(test_no_message_log_is_there_twice)
def both(world: World) -> None:
    one_or_the_other(world)
    world.message_log(name=OLD)


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
