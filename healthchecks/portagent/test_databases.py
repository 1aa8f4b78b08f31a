"""The databases are whole, nobody blocks them, and somebody can log in."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.portagent.probes_databases import Accounts, BrokenDatabase
from healthchecks.portagent.world import World
from plugins import P0, P1, P2, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import Step


@remedy(UNSAFE)
def recover_them(broken_databases: tuple[BrokenDatabase, ...]) -> Iterator[Step]:
    """Stop the server first: a database that it has open is left alone. A journal that a crash left
    is applied, else what is in the file is recovered into a new one, `sqlite3
    ~/.agentx/data/portagent.db .recover | sqlite3 new.db` (`.dump` where the shell was built
    without `.recover`, as Debian's is). The old file is kept with its -wal and -journal, and stays
    in place when anything that can still be read would be missing. Where that is too little:
    `pytest healthchecks/ --recover portagent.restore_database --with database=portagent`."""
    from plugins.steps.databases import RecoverDatabase  # it brings sqlite3

    return (RecoverDatabase(one.path, one.tables) for one in broken_databases if one.recoverable)


@check(P0, guide="PT14", remedy=recover_them)
def test_its_databases_are_whole(broken_databases: tuple[BrokenDatabase, ...]) -> None:
    """The three databases are whole.

    They hold every account and every conversation. The server notices damage only when it reads
    the damaged page, and then fails at its start or in the middle of a message.
    """
    assert not broken_databases, listed("a database is not whole", broken_databases)


@healthy(test_its_databases_are_whole)
def as_they_are(world: World) -> None:
    assert world.databases.path("queue").exists()


@healthy(test_its_databases_are_whole)
def served(world: World) -> None:
    world.server.start()
    world.server.register()


@healthy(test_its_databases_are_whole)
def in_the_middle_of_a_transaction(world: World) -> None:
    world.databases.hold("agentx", "BEGIN EXCLUSIVE")
    world.databases.hold("queue", "BEGIN IMMEDIATE")


@healthy(test_its_databases_are_whole)
def with_a_log_that_a_crash_left(world: World) -> None:
    world.databases.grow_log(2)


@healthy(test_its_databases_are_whole)
def with_a_log_that_was_copied(world: World) -> None:
    world.databases.grow_log(2)
    os.unlink(f"{world.databases.path('queue')}-shm")


@healthy(test_its_databases_are_whole)
def before_it_queued_anything(world: World) -> None:
    world.databases.path("queue").unlink()


@healthy(test_its_databases_are_whole)
def only_looked_at_quickly(world: World) -> None:
    world.change(quick_check_mib=0.0)


@fault(test_its_databases_are_whole, becomes="absent", generation=2)
def its_successor(world: World) -> None:
    assert not world.databases.path("portagent").exists()


@fault(test_its_databases_are_whole, needs=("sqlite3",))
def with_a_broken_page_of_an_index(world: World) -> None:
    world.databases.break_page("portagent", "idx_users_email")


@fault(test_its_databases_are_whole, needs=("sqlite3",))
def with_a_broken_list_of_free_pages(world: World) -> None:
    world.databases.break_freelist("agentx")


@fault(test_its_databases_are_whole, needs=("sqlite3",))
def killed_in_a_transaction(world: World) -> None:
    world.databases.leave_journal("agentx")


@fault(test_its_databases_are_whole, needs=("sqlite3",))
def with_a_broken_queue(world: World) -> None:
    world.databases.break_page("queue", "idx_queue_timestamp")


@fault(test_its_databases_are_whole, cure=False)
def with_a_broken_table(world: World) -> None:
    world.databases.break_page("portagent", "users")


@fault(test_its_databases_are_whole, cure=False)
def with_a_broken_header(world: World) -> None:
    world.databases.break_header("portagent")


@fault(test_its_databases_are_whole, cure=False)
def emptied(world: World) -> None:
    world.databases.cut("agentx", 0)


@fault(test_its_databases_are_whole, cure=False)
def cut_short(world: World) -> None:
    world.databases.cut("portagent", 9000)


@fault(test_its_databases_are_whole, cure=False)
def overwritten_by_a_text(world: World) -> None:
    world.databases.path("portagent").write_text("not a database\n" * 99)


@fault(test_its_databases_are_whole, cure=False)
def without_its_table(world: World) -> None:
    world.databases.run("agentx", "DROP TABLE kv_storage")


@fault(test_its_databases_are_whole, cure=False)
def with_one_gone(world: World) -> None:
    world.databases.path("portagent").unlink()


@fault(test_its_databases_are_whole, cure=False)
def all_gone(world: World) -> None:
    for name in ("portagent", "agentx", "queue"):
        world.databases.path(name).unlink()


@fault(test_its_databases_are_whole, cure=False)
def on_a_disk_that_is_not_there(world: World) -> None:
    world.databases.folder.rename(world.folder / "unmounted")
    world.databases.folder.symlink_to(world.folder / "disk")


@fault(test_its_databases_are_whole, cure=False)
def broken_while_it_is_served(world: World) -> None:
    world.server.start()
    world.databases.break_page("portagent", "idx_users_email")


@fault(test_its_databases_are_whole, becomes="cannot_tell")
def it_is_a_pipe(world: World) -> None:
    world.databases.path("queue").unlink()
    os.mkfifo(world.databases.path("queue"))


@fault(test_its_databases_are_whole, becomes="cannot_tell")
def it_takes_too_long(world: World) -> None:
    world.databases.many_entries(20_000)
    world.change(check_seconds=0.001)


@check(
    P2,
    guide="PT10",
    hint="""Look who there is: `sqlite3 -readonly ~/.agentx/data/portagent.db "SELECT username,
    isActive FROM users"`. Without users, register one on the page; enable all again with
    `sqlite3 ~/.agentx/data/portagent.db "UPDATE users SET isActive = 1"`.""",
)
def test_someone_can_log_in(accounts: Accounts) -> None:
    """Someone can log in.

    A disabled user is told what one with a wrong password is told, "Invalid credentials".
    """
    assert accounts.total, "there is no user"
    assert accounts.active, f"all {accounts.total} users are disabled"


@healthy(test_someone_can_log_in)
def one_user(world: World) -> None:
    assert world.databases.path("portagent").exists()


@healthy(test_someone_can_log_in)
def one_of_two_is_disabled(world: World) -> None:
    world.databases.user("bob", active=False)


@fault(test_someone_can_log_in)
def no_user(world: World) -> None:
    world.databases.run("portagent", "DELETE FROM users")


@fault(test_someone_can_log_in)
def all_are_disabled(world: World) -> None:
    world.databases.run("portagent", "UPDATE users SET isActive = 0")


@fault(test_someone_can_log_in, becomes="blocked")
def users_cannot_be_read(world: World) -> None:
    world.databases.break_page("portagent", "users")


@fault(test_someone_can_log_in, becomes="blocked")
def users_are_a_view(world: World) -> None:
    world.databases.users_without_end()


@fault(test_someone_can_log_in, becomes="absent", generation=2)
def users_of_its_successor(world: World) -> None:
    assert not world.databases.path("portagent").exists()


@check(
    P1,
    guide="PT15",
    hint="""See who has it open: `fuser -v ~/.agentx/data/*.db`. Let one server run on the folder:
    end the other one, `kill <process>`, or the program that holds the lock.""",
)
def test_nobody_blocks_its_databases(blocked_databases: tuple[str, ...]) -> None:
    """Nobody blocks the databases.

    The server never waits for a lock: while another process holds one, to register or to log in
    fails with "database is locked".
    """
    assert not blocked_databases, listed("a database is blocked", blocked_databases)


@healthy(test_nobody_blocks_its_databases)
def one_server(world: World) -> None:
    world.server.start()


@healthy(test_nobody_blocks_its_databases)
def somebody_reads(world: World) -> None:
    world.databases.hold("portagent", "SELECT 1")
    world.databases.hold("portagent", "SELECT 1", mode="ro")


@fault(test_nobody_blocks_its_databases)
def a_lock_is_held(world: World) -> None:
    world.change(lock_seconds=0.3)
    world.databases.hold("portagent", "BEGIN IMMEDIATE")


@fault(test_nobody_blocks_its_databases)
def somebody_reads_and_does_not_end(world: World) -> None:
    world.change(lock_seconds=0.3)
    world.databases.hold("agentx", "BEGIN; SELECT 1 FROM kv_storage", mode="ro")


@fault(test_nobody_blocks_its_databases)
def the_queue_is_locked(world: World) -> None:
    world.change(lock_seconds=0.3)
    world.databases.hold("queue", "BEGIN IMMEDIATE")


@fault(test_nobody_blocks_its_databases)
def two_of_them(world: World) -> None:
    world.databases.hold("portagent", "SELECT 1")
    world.databases.hold("portagent", "SELECT 1")


@fault(test_nobody_blocks_its_databases, becomes="absent", generation=2)
def the_successor_is_another(world: World) -> None:
    assert not world.databases.path("portagent").exists()
