"""The write-ahead log of the queue stays small."""

from __future__ import annotations

import os

from healthchecks.portagent.probes_databases import WriteLog
from healthchecks.portagent.world import World
from plugins import P2, check, fault, healthy, printable


@check(
    P2,
    guide="PT16",
    hint="""Restart the server when no agent works: its end writes the log back into the database.
    While it does not run, do the same by hand: `sqlite3 ~/.agentx/data/queue.db "PRAGMA
    wal_checkpoint(TRUNCATE)"`.""",
)
def test_its_write_ahead_log_stays_small(write_log: WriteLog) -> None:
    """The write-ahead log of queue.db stays small.

    It grows for as long as a reader keeps an old state of the database in use, fills the disk, and
    makes every read slower.
    """
    said = f"{printable(write_log.path)} has {write_log.mib:.1f} MiB (limit {write_log.limit:g})"
    assert write_log.mib <= write_log.limit, said


@healthy(test_its_write_ahead_log_stays_small)
def no_log(world: World) -> None:
    assert not os.path.exists(f"{world.databases.path('queue')}-wal")


@healthy(test_its_write_ahead_log_stays_small)
def a_small_log(world: World) -> None:
    world.databases.grow_log(2, open_still=True)


@fault(test_its_write_ahead_log_stays_small)
def a_large_log(world: World) -> None:
    world.change(wal_mib=2.0)
    world.databases.grow_log(4, open_still=True)


@fault(test_its_write_ahead_log_stays_small)
def a_large_log_of_a_crash(world: World) -> None:
    world.change(wal_mib=2.0)
    world.databases.grow_log(4)


@fault(test_its_write_ahead_log_stays_small, becomes="absent")
def no_queue(world: World) -> None:
    world.databases.path("queue").unlink()
