"""Session containers: they end with their session, and hold what a session needs."""

from __future__ import annotations

from collections.abc import Iterator

from plugins import P1, P2, P3, UNSAFE, check, fault, healthy, listed, remedy
from plugins.steps import RemoveContainer

from .probes_containers import Lack, Session
from .world import World

DOCKER = ("root", "dockerd", "docker", "busybox")


@remedy(UNSAFE)
def remove_what_ended(stale_sessions: tuple[Session, ...]) -> Iterator[RemoveContainer]:
    """Run `docker rm <container>` for each that is listed; it cannot be undone.

    What was written inside the container, and not below a mount, goes with it: keep that first with
    `docker cp <container>:<path> .` or `docker commit <container>`; `docker diff <container>` lists
    it. Mounted folders and volumes stay. Nothing that runs is touched.
    """
    for one in stale_sessions:
        yield RemoveContainer(one.url, one.id, one.state, one.finished)


@check(P1, guide="CD01", remedy=remove_what_ended)
def test_session_containers_do_not_outlive_their_session(
    stale_sessions: tuple[Session, ...],
) -> None:
    """Session containers do not outlive their session.

    A container that ended stays, with its disk space and what was said in it, until somebody
    removes it; some launchers keep them on purpose, and nobody ever comes back to them.
    """
    assert not stale_sessions, listed("containers of sessions that are over", stale_sessions)


@healthy(test_session_containers_do_not_outlive_their_session, needs=DOCKER)
def only_what_must_never_be_touched(world: World) -> None:
    world.containers.use(ended_session_hours=0.0)
    world.containers.session("claude-session-1763600000")
    world.containers.ended("my-claude-session-notes")
    world.containers.ended("claude-sessions")
    world.containers.ended("glm-session-1763600000")


@healthy(test_session_containers_do_not_outlive_their_session, needs=DOCKER)
def just_ended(world: World) -> None:
    world.containers.use()
    world.containers.ended("claude-session-1763600000")


@healthy(test_session_containers_do_not_outlive_their_session, needs=DOCKER)
def paused_and_restarting(world: World) -> None:
    world.containers.use(ended_session_hours=0.0)
    world.containers.paused("claude-session-1")
    world.containers.restarting("claude-session-2")


@fault(test_session_containers_do_not_outlive_their_session, needs=DOCKER)
def ended_this_morning(world: World) -> None:
    world.containers.use()
    world.containers.ended("claude-session-1763600000", hours_ago=3.0)
    world.containers.ended("claude-session-1763700000")


@fault(test_session_containers_do_not_outlive_their_session, needs=DOCKER)
def ended_and_never_begun(world: World) -> None:
    world.containers.use(ended_session_hours=0.0, container_prefixes=["glm-session"])
    world.containers.ended("glm-session-1763600000")
    world.containers.never_begun("glm-session-me-1763600001-0badcafe")
    world.containers.session("claude-session-1")


@fault(test_session_containers_do_not_outlive_their_session, becomes="blocked")
def an_engine_that_is_down(world: World) -> None:
    world.change(docker_url=f"unix://{world.folder}/no-docker.sock")


@fault(test_session_containers_do_not_outlive_their_session, becomes="absent", layout="own")
def no_docker_here(world: World) -> None:
    world.change(docker_url=f"unix://{world.folder}/no-docker.sock")


@check(
    P1,
    guide="CD01",
    hint="Look at what it does with `docker top <container>` and `docker logs --tail 50 "
    "<container>`. When nobody sits at it any more, run `docker stop <container>`: a session that "
    "runs is never ended for you.",
)
def test_no_session_runs_longer_than_any_session(ancient_sessions: tuple[Session, ...]) -> None:
    """No session runs longer than any session should.

    Its terminal is gone, and the container went on: it holds memory, and its login.
    """
    assert not ancient_sessions, listed("sessions that run for too long", ancient_sessions)


@healthy(test_no_session_runs_longer_than_any_session, needs=DOCKER)
def begun_just_now(world: World) -> None:
    world.containers.use()
    world.containers.ended("claude-session-1763600000", hours_ago=24.0 * 30)
    world.containers.session()


@fault(test_no_session_runs_longer_than_any_session, needs=DOCKER)
def forgotten(world: World) -> None:
    world.containers.use(running_session_days=0.0)
    world.containers.session()


@check(
    P3,
    guide="CD03",
    hint="Add `--rm` to the `docker run` of the launcher; of a container that is there already it "
    "cannot be changed, so run `docker rm <container>` once its session is over.",
)
def test_running_sessions_remove_themselves(staying_sessions: tuple[Lack, ...]) -> None:
    """Running session containers remove themselves when they end.

    What does not is left for somebody to remove, and nobody does.
    """
    assert not staying_sessions, listed("will stay behind when they end", staying_sessions)


@healthy(test_running_sessions_remove_themselves, needs=DOCKER)
def with_rm(world: World) -> None:
    world.containers.use()
    world.containers.session()


@fault(test_running_sessions_remove_themselves, needs=DOCKER)
def without_rm(world: World) -> None:
    world.containers.use()
    world.containers.session(leave=("--rm",))


@fault(test_running_sessions_remove_themselves, needs=DOCKER, becomes="absent")
def nothing_runs(world: World) -> None:
    world.containers.use()
    world.containers.ended("claude-session-1763600000")


@check(
    P2,
    guide="CD31",
    hint="Look at `docker inspect --format '{{json .Mounts}}' <container>`, and give the launcher's"
    " `docker run` both mounts: `-v <project>:/workspace` and "
    "`-v <state_dir>:/root/.claude-config`.",
)
def test_the_workspace_is_mounted(unmounted_sessions: tuple[Lack, ...]) -> None:
    """The workspace and Claude's folder are mounted into running sessions.

    Without them Claude works on files that vanish with the container, logged in as nobody.
    """
    assert not unmounted_sessions, listed("sessions without their mounts", unmounted_sessions)


@healthy(test_the_workspace_is_mounted, needs=DOCKER)
def both_mounted(world: World) -> None:
    world.containers.use()
    world.containers.session()
    world.containers.session("claude-session-2", leave=("/workspace",), add=world.containers.below)


@fault(test_the_workspace_is_mounted, needs=DOCKER)
def no_workspace(world: World) -> None:
    world.containers.use()
    world.containers.session(leave=("/workspace",), add=("-v", f"{world.tmp}:/workspaces"))


@fault(test_the_workspace_is_mounted, needs=DOCKER)
def no_config_folder(world: World) -> None:
    world.containers.use()
    world.containers.session(leave=("/root/.claude-config",))
