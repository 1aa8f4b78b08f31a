"""Sessions are whole, know each other, and come to an end."""

from __future__ import annotations

from healthchecks.dgmo.probes_loading import Loading
from healthchecks.dgmo.store_looks import StoreFiles
from healthchecks.dgmo.world import World
from plugins import P1, P2, check, fault, healthy, listed


@check(
    P1,
    guide="DG05",
    hint="Stop DGMO, and take the file from a backup. Without one, add what it lacks by hand: `id`"
    " is the file's name without .json, `title` and `version` are texts, `time` is"
    ' {"created": MS, "updated": MS} (`stat -c %Y000 FILE` tells a time); check with `jq . FILE`.',
)
def test_sessions_have_what_the_program_needs(lacking_sessions: StoreFiles) -> None:
    """Every session has its id, a title, a version and its times.

    The program reads `time.created` of each without asking: one session without it is enough for
    `undefined is not an object`, and for no list at all.
    """
    said = lacking_sessions.sentence("sessions that lack what the program needs")
    assert not lacking_sessions.total, listed(said, lacking_sessions.files)


@healthy(test_sessions_have_what_the_program_needs)
def all_complete(world: World) -> None:
    pass


@healthy(test_sessions_have_what_the_program_needs)
def times_with_fractions(world: World) -> None:
    path = world.sessions.info(world.sessions.main)
    world.sessions.change(path, time={"created": 1795160713098.5, "updated": 1795160713098})


@fault(test_sessions_have_what_the_program_needs)
def no_time(world: World) -> None:
    world.sessions.change(world.sessions.info(world.sessions.main), time=None)


@fault(test_sessions_have_what_the_program_needs, layout="project")
def no_title(world: World) -> None:
    world.sessions.change(world.sessions.info(world.sessions.main), title=None)


@fault(test_sessions_have_what_the_program_needs)
def no_version(world: World) -> None:
    world.sessions.change(world.sessions.info(world.sessions.main), version=None)


@fault(test_sessions_have_what_the_program_needs)
def no_id(world: World) -> None:
    world.sessions.change(world.sessions.info(world.sessions.main), id=None)


@fault(test_sessions_have_what_the_program_needs, layout="opencode")
def the_id_of_another(world: World) -> None:
    path = world.sessions.info(world.sessions.main)
    world.sessions.change(path, id=world.sessions.children[0])


@fault(test_sessions_have_what_the_program_needs)
def a_message_with_the_id_of_another(world: World) -> None:
    world.sessions.change(world.sessions.message(world.sessions.main, "msg_1"), id="msg_2")


@check(
    P2,
    guide="DG09",
    hint="Look in a backup for the file that is not there, and put it back. Where the session was"
    " removed on purpose, move what names it out of the store; where parentSessionId or parentID is"
    " wrong, correct it with DGMO stopped, and let the indexes be rebuilt.",
)
def test_parents_and_children_know_each_other(strangers: StoreFiles) -> None:
    """Sessions, the records of sub-sessions and the indexes name each other.

    A child that its parent does not know is not shown, and messages without their session are what
    a deleted session file leaves: both are lost to the eye without an error.
    """
    said = strangers.sentence("files that name what does not know them")
    assert not strangers.total, listed(said, strangers.files)


@healthy(test_parents_and_children_know_each_other)
def all_known(world: World) -> None:
    pass


@healthy(test_parents_and_children_know_each_other, layout="workspace")
def all_known_in_the_guides_layout(world: World) -> None:
    pass


@fault(test_parents_and_children_know_each_other)
def an_index_without_its_session(world: World) -> None:
    world.sessions.write(world.sessions.index(world.sessions.identifier()), [])


@fault(test_parents_and_children_know_each_other, layout="workspace")
def an_index_called_undefined(world: World) -> None:
    world.sessions.write(world.sessions.index("undefined"), [])


@fault(test_parents_and_children_know_each_other, layout="project")
def a_child_without_its_record(world: World) -> None:
    world.sessions.session("Child session - lost", parent=world.sessions.main)


@fault(test_parents_and_children_know_each_other, layout="opencode")
def a_record_of_another_parent(world: World) -> None:
    other = world.sessions.session("Another")
    record = world.sessions.record(world.sessions.children[0])
    world.sessions.change(record, parentSessionId=other)


@fault(test_parents_and_children_know_each_other)
def a_parent_that_leads_elsewhere(world: World) -> None:
    record = world.sessions.record(world.sessions.children[0])
    world.sessions.change(record, parentSessionId="../../x")


@fault(test_parents_and_children_know_each_other)
def a_session_that_was_deleted(world: World) -> None:
    world.sessions.info(world.sessions.session("Gone")).unlink()


@check(
    P2,
    guide="DG10",
    hint="Look whether the agent still works (`ps -ef | grep dgmo`). If not, stop DGMO and set"
    ' "status" in the record that is listed to "failed", with a "summary" that begins with'
    ' "Failed: "; the session itself stays as it is.',
)
def test_no_sub_session_is_stuck(stuck_sub_sessions: StoreFiles) -> None:
    """Every sub-session that runs or waits began not long ago.

    One that was cut off stays `running` for ever: its parent waits for an answer, and nobody is
    told that the task was not done.
    """
    said = stuck_sub_sessions.sentence("sub-sessions that are stuck")
    assert not stuck_sub_sessions.total, listed(said, stuck_sub_sessions.files)


@healthy(test_no_sub_session_is_stuck)
def one_runs(world: World) -> None:
    world.sessions.sub_session(world.sessions.main, status="running", hours=0.5)


@fault(test_no_sub_session_is_stuck)
def running_since_yesterday(world: World) -> None:
    world.sessions.sub_session(world.sessions.main, status="running", hours=24)


@fault(test_no_sub_session_is_stuck, layout="workspace")
def pending_since_yesterday(world: World) -> None:
    world.sessions.sub_session(world.sessions.main, status="pending", hours=24)


@check(
    P2,
    guide="DG17",
    hint="Look at what is large: `du -ah ~/.local/share/dgmo/project | sort -h | tail`. With DGMO"
    " stopped, archive old sessions (`tar -czf sessions.tar.gz message/ses_… info/ses_….json`, read"
    " it back with `tar -tzf`) and move them out of the store; a file of many MiB mostly holds a"
    " tool's output or an image that is not needed any more.",
)
def test_sessions_load_quickly(session_loading: Loading) -> None:
    """The newest sessions load in time, and no file of theirs is huge.

    The program reads every message of a session before it shows the first.
    """
    slow = session_loading.evidence
    assert not slow, listed(f"sessions load slowly ({session_loading.taken})", slow)


@healthy(test_sessions_load_quickly)
def small_ones(world: World) -> None:
    pass


@healthy(test_sessions_load_quickly, layout="workspace")
def small_ones_in_the_guides_layout(world: World) -> None:
    pass


@fault(test_sessions_load_quickly)
def a_huge_message(world: World) -> None:
    world.sessions.message(world.sessions.main, "msg_2", "x" * (6 << 20))


@fault(test_sessions_load_quickly, layout="opencode")
def slower_than_allowed(world: World) -> None:
    world.change(load_seconds=1e-9)


@fault(test_sessions_load_quickly, layout="workspace")
def slower_than_allowed_in_the_guides_layout(world: World) -> None:
    world.change(load_seconds=1e-9)


@fault(test_sessions_have_what_the_program_needs, becomes="blocked")
@fault(test_parents_and_children_know_each_other, becomes="blocked")
@fault(test_sessions_load_quickly, becomes="blocked")
def a_session_that_was_not_read(world: World) -> None:
    """It is a link, which is not followed."""
    world.sessions.elsewhere(world.sessions.info(world.sessions.main))


@fault(test_no_sub_session_is_stuck, becomes="blocked")
def a_record_that_was_not_read(world: World) -> None:
    world.sessions.elsewhere(world.sessions.record(world.sessions.children[0]))
