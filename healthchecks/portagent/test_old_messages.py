"""Old messages are cleared away."""

from __future__ import annotations

from healthchecks.portagent.probes_old_messages import OldMessages
from healthchecks.portagent.world import World
from plugins import P2, check, fault, healthy, printable


@check(
    P2,
    guide="PT18",
    hint="""Take a backup, stop the server, and drop what is older than 30 days: `sqlite3
    ~/.agentx/data/agentx.db "UPDATE kv_storage SET value = (SELECT
    json_group_array(json(one.value)) FROM json_each(kv_storage.value) AS one WHERE
    json_extract(one.value, '$.timestamp') >= 1000 * strftime('%s', 'now', '-30 days')) WHERE key
    LIKE 'messages:%' AND json_valid(value); VACUUM"`. The guide's own DELETE FROM messages finds no
    such table.""",
)
def test_old_messages_are_cleared_away(old_messages: OldMessages) -> None:
    """Messages older than a month do not gather.

    Every message rewrites the whole array of its session, and the program never drops one.
    """
    seen = old_messages
    said = f"messages older than {seen.days} days take {seen.mib:.0f} MiB (limit {seen.limit:g})"
    assert seen.mib <= seen.limit, f"{printable(seen.path)}: {said}"


@healthy(test_old_messages_are_cleared_away)
def few_messages(world: World) -> None:
    world.databases.messages("long ago", count=10, days=90.0)


@healthy(test_old_messages_are_cleared_away)
def many_new_ones(world: World) -> None:
    world.change(messages_mib=1.0)
    world.databases.messages("busy", count=30, days=1.0, size=100_000)


@healthy(test_old_messages_are_cleared_away)
def what_is_no_array_of_messages(world: World) -> None:
    world.change(messages_mib=1.0)
    for number, text in enumerate(("{", "7", '{"timestamp": 1}', '[1, "x", {"timestamp": {}}]')):
        world.databases.entry(f"messages:{number}", text)
    world.databases.messages("busy", count=30, days=1.0, size=100_000)


@fault(test_old_messages_are_cleared_away)
def sessions_of_last_year(world: World) -> None:
    world.change(messages_mib=1.0)
    world.databases.messages("last year", count=30, days=300.0, size=100_000)


@fault(test_old_messages_are_cleared_away)
def one_session_that_goes_on(world: World) -> None:
    world.change(messages_mib=1.0)
    world.databases.messages("goes on", count=30, days=40.0, size=100_000)
    world.databases.run("agentx", "UPDATE kv_storage SET updated_at = ?", world.databases.now)


@fault(test_old_messages_are_cleared_away, becomes="cannot_tell")
def one_session_that_is_huge(world: World) -> None:
    world.change(messages_mib=1.0)
    world.databases.messages("huge", count=70, days=1.0, size=1_000_000)


@fault(test_old_messages_are_cleared_away, becomes="blocked")
def messages_cannot_be_read(world: World) -> None:
    world.databases.break_page("agentx", "kv_storage")


@fault(test_old_messages_are_cleared_away, becomes="absent", generation=2)
def messages_of_its_successor(world: World) -> None:
    assert not world.databases.path("agentx").exists()
