"""Every file of the store can be read, and nothing else lies among them."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.dgmo.mending import guards, restore_or_put_aside
from healthchecks.dgmo.store_looks import StoreFile, StoreFiles
from healthchecks.dgmo.world import World
from plugins import P0, P1, P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Quarantine, Reencode, Step


@check(P0, guide="DG03", remedy=restore_or_put_aside)
def test_every_session_can_be_read(broken_sessions: StoreFiles) -> None:
    """Every file of a session, a message and a sub-session is a whole JSON object.

    One file of 0 bytes or cut off by a crash is enough: the program's list of sessions then fails
    as a whole, and what the file held is lost unless a backup has it.
    """
    said = broken_sessions.sentence("files that cannot be read")
    assert not broken_sessions.total, listed(said, broken_sessions.files)


@healthy(test_every_session_can_be_read)
def all_whole(world: World) -> None:
    pass


@healthy(test_every_session_can_be_read, layout="workspace")
def all_whole_in_the_guides_layout(world: World) -> None:
    pass


@healthy(test_every_session_can_be_read)
def what_json_allows(world: World) -> None:
    huge = b'{"id":"msg_2","role":"user","n":' + b"9" * 5000 + b',"half":"\\ud800"}'
    world.sessions.write(world.sessions.message(world.sessions.main, "msg_2"), huge)


@fault(test_every_session_can_be_read)
def an_empty_session(world: World) -> None:
    world.sessions.info(world.sessions.main).write_bytes(b"")


@fault(test_every_session_can_be_read, layout="project")
def a_cut_off_message(world: World) -> None:
    path = world.sessions.message(world.sessions.main, "msg_1")
    path.write_bytes(path.read_bytes()[:40])


@fault(test_every_session_can_be_read, layout="opencode")
def a_record_that_is_no_object(world: World) -> None:
    world.sessions.write(world.sessions.record(world.sessions.children[0]), [])


@fault(test_every_session_can_be_read, layout="workspace")
def nothing_but_null_bytes(world: World) -> None:
    world.sessions.info(world.sessions.main).write_bytes(b"\0" * 300)


@fault(test_every_session_can_be_read)
def a_session_that_no_backup_holds(world: World) -> None:
    world.files.no_backup()
    world.sessions.info(world.sessions.main).write_bytes(b"")


@fault(test_every_session_can_be_read)
def a_session_that_an_archive_holds(world: World) -> None:
    world.files.backup(hours=3)
    world.sessions.info(world.sessions.main).write_bytes(b'{"id":')


@fault(test_every_session_can_be_read, layout="workspace")
def a_record_that_a_copied_tree_holds(world: World) -> None:
    world.files.backup(hours=3, kind="folder")
    world.sessions.record(world.sessions.children[0]).write_bytes(b"")


@fault(test_every_session_can_be_read)
def a_session_of_which_the_newest_copy_is_broken_too(world: World) -> None:
    info = world.sessions.info(world.sessions.main)
    world.files.backup(hours=30)
    info.write_bytes(b"")
    world.files.backup(hours=3)


@fault(test_every_session_can_be_read)
def a_fifo_among_the_messages(world: World) -> None:
    world.sessions.fifo(world.sessions.folder / "message" / world.sessions.main / "msg_9.json")


@fault(test_every_session_can_be_read, becomes="cannot_tell")
def a_link_in_the_place_of_a_session(world: World) -> None:
    world.sessions.elsewhere(world.sessions.info(world.sessions.main))


@remedy(SAFE)
def put_the_unfinished_aside(interrupted_writes: StoreFiles) -> Iterator[Step]:
    """Stop DGMO, and move each temporary file that is listed out of the store: `mkdir -p ~/aside &&
    mv -n -- FILE ~/aside/`. The file whose name it begins with is the last that was written
    whole."""
    yield from guards(interrupted_writes.files)
    for file in interrupted_writes.files:
        yield Quarantine(file.path, seen=file.seen)


@check(P1, guide="DG04", remedy=put_the_unfinished_aside)
def test_no_interrupted_write_is_left(interrupted_writes: StoreFiles) -> None:
    """No temporary file of a write that did not end lies in the store.

    The program takes the last five letters off each name in a folder: with such a file there it
    looks for one that is not there, and the whole list of sessions fails.
    """
    said = interrupted_writes.sentence("writes that did not end")
    assert not interrupted_writes.total, listed(said, interrupted_writes.files)


@healthy(test_no_interrupted_write_is_left)
def one_under_way(world: World) -> None:
    path = world.sessions.info(world.sessions.main)
    world.sessions.write(path.with_name(f"{path.name}1795169713098.tmp"), b'{"id":')


@fault(test_no_interrupted_write_is_left)
def cut_off_yesterday(world: World) -> None:
    path = world.sessions.info(world.sessions.main)
    left = world.sessions.write(path.with_name(f"{path.name}1795169713098.tmp"), b'{"id":')
    world.age(left, days=1)


@fault(test_no_interrupted_write_is_left, layout="opencode")
def cut_off_beside_a_message(world: World) -> None:
    path = world.sessions.message(world.sessions.main, "msg_1")
    world.age(world.sessions.write(path.with_name(f"{path.name}17951.tmp"), b""), hours=1)


@remedy(SAFE)
def write_them_in_utf_8(misencoded_files: tuple[tuple[StoreFile, str], ...]) -> Iterator[Step]:
    """Stop DGMO, and bring each file that is listed to UTF-8, such as with `iconv -f ISO-8859-1 -t
    UTF-8 FILE > FILE.new`; keep what it was. One that is UTF-8 but for some bytes loses those:
    `iconv -c -f UTF-8 -t UTF-8 FILE > FILE.new`."""
    yield from guards(file for file, _ in misencoded_files)
    for file, encoding in misencoded_files:
        yield Reencode(file.path, encoding, seen=file.seen)


@check(P2, guide="DG11", remedy=write_them_in_utf_8)
def test_files_are_utf_8(misencoded_files: tuple[tuple[StoreFile, str], ...]) -> None:
    """Every file is UTF-8, without a byte order mark.

    JSON is nothing else; a tool or an editor that saved a file in an older encoding makes the
    program show wrong letters, or refuse it.
    """
    rows = [
        f"{file}; {'the rest' if encoding == 'utf-8' else 'it'} is {encoding.upper()}"
        for file, encoding in misencoded_files
    ]
    assert not rows, listed("files in another encoding", rows)


@healthy(test_files_are_utf_8)
def letters_of_all_kinds(world: World) -> None:
    path = world.sessions.message(world.sessions.main, "msg_2")
    world.sessions.write(path, '{"id":"msg_2","t":"äö ✓"}'.encode())


@fault(test_files_are_utf_8, becomes="blocked")
def not_read_as_it_is_a_link(world: World) -> None:
    world.sessions.elsewhere(world.sessions.message(world.sessions.main, "msg_1"))


@fault(test_files_are_utf_8)
def saved_in_latin_1(world: World) -> None:
    path = world.sessions.message(world.sessions.main, "msg_2")
    world.sessions.write(path, '{"id":"msg_2","t":"Grüße"}'.encode("iso-8859-1"))


@fault(test_files_are_utf_8)
def a_byte_that_is_no_letter(world: World) -> None:
    path = world.sessions.message(world.sessions.main, "msg_2")
    world.sessions.write(path, '{"id":"msg_2","t":"Grüße '.encode() + b'\xff"}')


@fault(test_files_are_utf_8, layout="workspace")
def saved_with_a_mark(world: World) -> None:
    path = world.sessions.info(world.sessions.main)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


@fault(test_files_are_utf_8, layout="opencode")
def saved_in_utf_16(world: World) -> None:
    path = world.sessions.info(world.sessions.main)
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))


@check(
    P2,
    guide="DG16",
    hint="Compare each with the file that it stands beside (`diff FILE.json"
    " FILE.json.conflict-NAME`), keep the better as FILE.json, and move the other out of the"
    " store.",
)
def test_no_conflicts_wait_to_be_merged(conflicts: StoreFiles) -> None:
    """No file that a consolidation set aside waits for a person.

    Two stores had different files of one name: one of the two is not shown, until somebody says
    which of them holds.
    """
    said = conflicts.sentence("conflicts that wait to be merged")
    assert not conflicts.total, listed(said, conflicts.files)


@healthy(test_no_conflicts_wait_to_be_merged)
def merged(world: World) -> None:
    pass


@fault(test_no_conflicts_wait_to_be_merged)
def one_waits(world: World) -> None:
    path = world.sessions.info(world.sessions.main)
    world.sessions.write(path.with_name(f"{path.name}.conflict-home-me-work"), path.read_bytes())
