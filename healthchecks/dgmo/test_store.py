"""The session store is there, and there is one."""

from __future__ import annotations

import shutil

from healthchecks.dgmo.world import World
from plugins import P0, P1, check, fault, healthy, listed


@check(
    P0,
    guide="DG01",
    hint="Look with `ls -la ~/.local/share/dgmo/project ~/.local/share/opencode/project` whether"
    " the store lies elsewhere (XDG_DATA_HOME): then name its folder in `stores` of [dgmo] in your"
    " systems file. Where it is gone, restore it from a backup; where it may not be looked into,"
    " `sudo chown -R` it to the user who runs DGMO.",
)
def test_the_session_store_is_found_and_readable(unreachable_stores: tuple[str, ...]) -> None:
    """The session store is found and can be looked into.

    Four places are possible, by the age of the program. Without its store DGMO starts with an empty
    list of sessions, and says nothing of those that were there.
    """
    assert not unreachable_stores, listed(
        "the session store cannot be looked at", unreachable_stores
    )


@healthy(test_the_session_store_is_found_and_readable)
def where_the_newest_program_has_it(world: World) -> None:
    pass


@healthy(test_the_session_store_is_found_and_readable, layout="project")
def a_project_of_its_own(world: World) -> None:
    pass


@healthy(test_the_session_store_is_found_and_readable, layout="opencode")
def below_opencode(world: World) -> None:
    pass


@healthy(test_the_session_store_is_found_and_readable, layout="workspace")
def as_the_guide_has_it(world: World) -> None:
    pass


@fault(test_the_session_store_is_found_and_readable)
def gone(world: World) -> None:
    shutil.rmtree(world.data_home)


@fault(test_the_session_store_is_found_and_readable)
def a_loop_of_links(world: World) -> None:
    place = world.data_home / "opencode" / "project"
    place.parent.mkdir(parents=True)
    place.symlink_to(place)


@check(
    P1,
    guide="DG02",
    hint="Stop DGMO and copy what is newer into the store that the program reads:"
    " `cp -an FROM/storage/session/. TO/storage/session/` (`diff -rq` shows what differs), then"
    " rename the other store. `unset OPENCODE_DATA_PATH`: nothing reads it. A folder called `*` is"
    " renamed with the quotes: `cd ~/.local/share/opencode/User/workspaceStorage && mv -n './*'"
    " ./from-a-pattern`.",
)
def test_one_store_is_in_use(astray_stores: tuple[str, ...]) -> None:
    """Nothing writes sessions where the program does not read them.

    The program's data moved twice within days, and its own scripts still look at older places: what
    is written there is not shown again.
    """
    assert not astray_stores, listed("sessions go astray", astray_stores)


@healthy(test_one_store_is_in_use)
def an_old_store_stayed_behind(world: World) -> None:
    world.sessions.another("opencode", hours=200)


@healthy(test_one_store_is_in_use, layout="project")
def two_projects(world: World) -> None:
    world.sessions.another("project", hours=0.1, name="home-me-other")


@fault(test_one_store_is_in_use)
def an_older_program_still_writes(world: World) -> None:
    world.sessions.another("opencode", hours=0.1)


@fault(test_one_store_is_in_use, layout="opencode")
def a_script_of_the_guide_writes(world: World) -> None:
    world.sessions.another("workspace", hours=0.1)


@fault(test_one_store_is_in_use, layout="workspace")
def a_folder_called_like_a_pattern(world: World) -> None:
    (world.data_home / "opencode" / "User" / "workspaceStorage" / "*" / "dgmo").mkdir(parents=True)


@healthy(test_one_store_is_in_use)
def told_of_the_store_that_it_reads(world: World) -> None:
    world.sessions.program(OPENCODE_DATA_PATH=str(world.data_home / "dgmo"))


@fault(test_one_store_is_in_use)
def told_of_another_place(world: World) -> None:
    world.sessions.program(OPENCODE_DATA_PATH=str(world.folder / "moved"))


@fault(test_one_store_is_in_use, becomes="blocked")
def none_at_all(world: World) -> None:
    shutil.rmtree(world.data_home)
