"""Indexes of sub-sessions say what the records say."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.dgmo.mending import guards
from healthchecks.dgmo.probes_indexes import Index
from healthchecks.dgmo.world import World
from plugins import P1, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Mkdir, Quarantine, Step, Write


def rebuilt(indexes: tuple[Index, ...]) -> Iterator[Step]:
    """Yield the steps that write each index as its records say."""
    yield from guards(one.file for one in indexes)
    yield from map(Mkdir, dict.fromkeys(one.folder for one in indexes if one.folder))
    for one in indexes:
        if not one.file.regular:
            yield Quarantine(one.file.path, seen=one.file.seen)
        seen = one.file.seen if one.file.regular else ""
        yield Write(one.file.path, one.content, one.mode, seen=seen)


@remedy(SAFE)
def rebuild_the_broken(broken_indexes: tuple[Index, ...]) -> Iterator[Step]:
    """Stop DGMO, and write into each index the ids of the records in sub-sessions/ whose
    parentSessionId is the index's name, as a JSON list: `jq -s '[.[] |
    select(.parentSessionId == "ID") | .id]' sub-sessions/*.json`."""
    return rebuilt(broken_indexes)


@check(P1, guide="DG06", remedy=rebuild_the_broken)
def test_every_index_is_a_list_of_ids(broken_indexes: tuple[Index, ...]) -> None:
    """Every index of sub-sessions is a JSON list of ids, each of them once.

    The program shows no sub-sessions of a session whose index it cannot read, and the shipped
    repair leaves one that is an object as it is.
    """
    assert not broken_indexes, listed("indexes that are no list of ids", broken_indexes)


@healthy(test_every_index_is_a_list_of_ids)
def lists(world: World) -> None:
    pass


@healthy(test_every_index_is_a_list_of_ids, layout="workspace")
def an_empty_list(world: World) -> None:
    world.sessions.write(world.sessions.index(world.sessions.session("No children")), [])


@fault(test_every_index_is_a_list_of_ids)
def an_empty_file(world: World) -> None:
    world.sessions.write(world.sessions.index(world.sessions.main), b"")


@fault(test_every_index_is_a_list_of_ids, layout="project")
def cut_off(world: World) -> None:
    world.sessions.write(world.sessions.index(world.sessions.main), b'["ses_e078c0')


@fault(test_every_index_is_a_list_of_ids, layout="opencode")
def an_object(world: World) -> None:
    world.sessions.write(world.sessions.index(world.sessions.main), {})


@fault(test_every_index_is_a_list_of_ids, layout="workspace")
def the_same_twice(world: World) -> None:
    first, second = world.sessions.children
    world.sessions.write(world.sessions.index(world.sessions.main), [first, second, first])


@fault(test_every_index_is_a_list_of_ids)
def numbers_among_the_ids(world: World) -> None:
    first, second = world.sessions.children
    world.sessions.write(world.sessions.index(world.sessions.main), [first, 7, None, second])


@fault(test_every_index_is_a_list_of_ids)
def a_fifo(world: World) -> None:
    world.sessions.index(world.sessions.main).unlink()
    world.sessions.fifo(world.sessions.index(world.sessions.main))


@remedy(SAFE)
def add_what_they_lack(short_indexes: tuple[Index, ...]) -> Iterator[Step]:
    """Stop DGMO, and add to each index the ids that it lacks, in the order of their creation:
    `jq '. + ["ID"]' INDEX > INDEX.new && mv INDEX.new INDEX`."""
    return rebuilt(short_indexes)


@check(P1, guide="DG07", remedy=add_what_they_lack)
def test_every_sub_session_is_in_its_parents_index(short_indexes: tuple[Index, ...]) -> None:
    """Every sub-session stands in the index of its parent.

    The program looks for a session's sub-sessions there and nowhere else: what is not in the index
    is not shown, and no error says so.
    """
    assert not short_indexes, listed("indexes that lack sub-sessions", short_indexes)


@healthy(test_every_sub_session_is_in_its_parents_index)
def all_in_it(world: World) -> None:
    pass


@fault(test_every_sub_session_is_in_its_parents_index)
def a_record_that_is_in_none(world: World) -> None:
    world.sessions.sub_session(world.sessions.main, hours=2.5, indexed=False)


@fault(test_every_sub_session_is_in_its_parents_index, layout="project")
def an_index_that_was_deleted(world: World) -> None:
    world.sessions.index(world.sessions.main).unlink()


@fault(test_every_sub_session_is_in_its_parents_index, layout="workspace")
def no_folder_of_indexes(world: World) -> None:
    world.sessions.index(world.sessions.main).unlink()
    world.sessions.index(world.sessions.main).parent.rmdir()


@remedy(SAFE)
def drop_what_is_not_there(dangling_indexes: tuple[Index, ...]) -> Iterator[Step]:
    """Stop DGMO, look for the records in a backup first, and then take the ids that are listed out
    of their index: `jq 'map(select(. != "ID"))' INDEX > INDEX.new && mv INDEX.new INDEX`. The
    shipped repair keeps them."""
    return rebuilt(dangling_indexes)


@check(P1, guide="DG08", remedy=drop_what_is_not_there)
def test_no_index_names_what_is_not_there(dangling_indexes: tuple[Index, ...]) -> None:
    """Every id in an index has its record.

    The program asks for each record by its id, and fails with ENOENT at the first that is not
    there. The shipped repair only ever adds ids.
    """
    assert not dangling_indexes, listed("indexes that name what is not there", dangling_indexes)


@healthy(test_no_index_names_what_is_not_there, layout="opencode")
def each_has_its_record(world: World) -> None:
    pass


@healthy(test_no_index_names_what_is_not_there)
def a_record_that_is_broken_only(world: World) -> None:
    world.sessions.record(world.sessions.children[0]).write_bytes(b"")


@fault(test_no_index_names_what_is_not_there)
def a_record_that_was_deleted(world: World) -> None:
    world.sessions.record(world.sessions.children[0]).unlink()


@fault(test_no_index_names_what_is_not_there, layout="workspace")
def a_name_that_leads_elsewhere(world: World) -> None:
    index = world.sessions.index(world.sessions.main)
    world.sessions.write(index, ["../../../../x", *world.sessions.children])


@fault(test_no_index_names_what_is_not_there, becomes="cannot_tell")
def a_link_in_the_place_of_the_records(world: World) -> None:
    folder = world.sessions.record("x").parent
    folder.rename(world.folder / "records")
    folder.symlink_to(world.folder / "records")


@fault(test_every_index_is_a_list_of_ids, becomes="blocked")
@fault(test_every_sub_session_is_in_its_parents_index, becomes="blocked")
@fault(test_no_index_names_what_is_not_there, becomes="blocked")
def an_index_that_was_not_read(world: World) -> None:
    """It is a link, which is not followed."""
    world.sessions.elsewhere(world.sessions.index(world.sessions.main))
