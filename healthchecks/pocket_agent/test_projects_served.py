"""The server serves every project that lies on its disk, and none hangs."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_served import ProjectsServed, StuckProject
from healthchecks.pocket_agent.world import World
from plugins import P1, check, fault, healthy, listed


@check(
    P1,
    guide="PA05",
    hint="""The log says why each was not loaded: `grep 'Failed to load project' <log>`. What was
    added or repaired since the start is loaded at the next one, when no execution runs:
    `systemctl restart pocket-agent-server`.""",
)
def test_it_serves_every_project_on_disk(projects_served: ProjectsServed) -> None:
    """The server serves every project on its disk.

    One that it did not load is gone for its users, and nothing but a line in the log says so.
    """
    seen = projects_served
    told = f"the server lists {seen.listed} projects, and {seen.on_disk} lie on its disk"
    assert seen.listed >= seen.on_disk, listed(told, seen.missing)


@check(
    P1,
    guide="PA24",
    hint="""Send `{"type":"agent_kill","project_id":"<id>"}` from a client that joined the project;
    where that does not help, restart the server, which ends all executions:
    `systemctl restart pocket-agent-server`.""",
)
def test_no_project_hangs_in_execution(stuck_projects: tuple[StuckProject, ...]) -> None:
    """No project hangs in an execution that is long over.

    It takes one of ten slots, and the project can be neither used nor deleted.
    """
    assert not stuck_projects, listed("projects that execute without an end", stuck_projects)


@healthy(test_it_serves_every_project_on_disk)
@healthy(test_it_serves_every_project_on_disk, layout="guide")
@healthy(test_no_project_hangs_in_execution)
@healthy(test_no_project_hangs_in_execution, layout="guide")
def all_loaded(world: World) -> None:
    """All that lies on disk is listed."""
    world.start()


@healthy(test_it_serves_every_project_on_disk)
def with_one_that_cannot_load(world: World) -> None:
    """Broken metadata is another check's; what can be loaded is listed."""
    world.project(metadata=b"{")
    world.start()


@healthy(test_no_project_hangs_in_execution)
def executing(world: World) -> None:
    """An execution that was begun just now."""
    folder = world.project(metadata={"last_active": world.now()})
    world.start(state=f"{folder.name}=EXECUTING")


@fault(test_it_serves_every_project_on_disk)
def one_not_loaded(world: World) -> None:
    """A project was restored while the server ran."""
    world.start()
    world.project()


@fault(test_it_serves_every_project_on_disk, layout="guide")
def one_not_loaded_the_guides_way(world: World) -> None:
    """The same with the guide's answer, which has no total."""
    one_not_loaded(world)


@fault(test_no_project_hangs_in_execution)
def executing_for_an_hour(world: World) -> None:
    """An execution that began an hour ago."""
    folder = world.project(metadata={"last_active": world.now(3600)})
    world.start(state=f"{folder.name}=EXECUTING")
