"""Session containers have limits, and keep within them."""

from __future__ import annotations

from plugins import P1, P2, check, fault, healthy, listed

from .probes_containers import Lack, Pressure
from .world import World

DOCKER = ("root", "dockerd", "docker", "busybox")


@check(
    P2,
    guide="CD25",
    hint="Run `docker update --memory 2g --memory-swap 2g --cpus 2 <container>`, and give the "
    "launcher's `docker run` the same: `--memory 2g --memory-swap 2g --cpus 2`.",
)
def test_running_sessions_are_limited(unlimited_sessions: tuple[Lack, ...]) -> None:
    """Running sessions have limits of memory and processors.

    One session that runs away takes the whole machine with it, and every other session.
    """
    assert not unlimited_sessions, listed("sessions without limits", unlimited_sessions)


@healthy(test_running_sessions_are_limited, needs=DOCKER)
def limited(world: World) -> None:
    world.containers.use()
    world.containers.session()
    world.containers.session(
        "claude-session-2",
        leave=("--cpus",),
        add=("--cpu-quota", "200000", "--cpu-period", "100000"),
    )
    world.containers.engine.run("my-claude-session-notes")


@fault(test_running_sessions_are_limited, needs=DOCKER)
def no_memory_limit(world: World) -> None:
    world.containers.use()
    world.containers.session(leave=("--memory",))


@fault(test_running_sessions_are_limited, needs=DOCKER)
def no_limit_of_processors(world: World) -> None:
    world.containers.use()
    world.containers.session(leave=("--cpus",))


@check(
    P1,
    guide="CD26",
    hint="Look at what needs it: `docker top <container>` and `docker stats --no-stream "
    "<container>`; end what is not needed, or give it more: `docker update --memory 4g "
    "--memory-swap 4g <container>`.",
)
def test_sessions_have_memory_left(pressed_sessions: tuple[Pressure, ...]) -> None:
    """Running sessions have memory left below their limit.

    At the limit the kernel kills something in it, in the middle of whatever it does.
    """
    tight = [
        seen.memory
        for seen in pressed_sessions
        if seen.memory and seen.memory.value > (seen.memory.limit or 0)
    ]
    shown = [f"{seen.name}: {seen}" for seen in tight]
    assert not tight, listed("sessions that have used up their memory", shown)


@healthy(test_sessions_have_memory_left, needs=DOCKER)
def memory_to_spare(world: World) -> None:
    world.containers.use()
    world.containers.session()


@fault(test_sessions_have_memory_left, needs=DOCKER)
def nearly_full(world: World) -> None:
    world.containers.use()
    world.containers.nearly_full()


@check(
    P2,
    guide="CD26",
    hint="See what keeps it busy: `docker top <container>`; end what is not needed, or give it "
    "more: `docker update --cpus 4 <container>`.",
)
def test_sessions_get_their_processors(pressed_sessions: tuple[Pressure, ...]) -> None:
    """Running sessions get the processors that they want.

    One that is held back most of the time answers late, and its health checks time out.
    """
    slow = [
        seen.throttled
        for seen in pressed_sessions
        if seen.throttled and seen.throttled.value > (seen.throttled.limit or 0)
    ]
    shown = [f"{seen.name}: {seen} of the periods in which it wants one" for seen in slow]
    assert not slow, listed("sessions that are held back at their limit of processors", shown)


@healthy(test_sessions_get_their_processors, needs=DOCKER)
def idle(world: World) -> None:
    world.containers.use()
    world.containers.session()


@fault(test_sessions_get_their_processors, needs=DOCKER)
def held_back(world: World) -> None:
    world.containers.use(session_busy_seconds=1.0)
    world.containers.busy("0.05")


@check(
    P1,
    guide="CD26",
    hint="See why: `docker inspect --format '{{json .State}}' <container>` and `docker logs --tail "
    "50 <container>`. What was killed for its memory gets more of it in the launcher "
    "(`--memory 4g`); what starts again and again is stopped by `docker update --restart=no "
    "<container>`.",
)
def test_no_session_fails(failing_sessions: tuple[Lack, ...]) -> None:
    """No session was killed for its memory, starts again and again, or is unhealthy.

    From outside it looks as if it ran; what was being done in it is lost.
    """
    assert not failing_sessions, listed("sessions that fail", failing_sessions)


@healthy(test_no_session_fails, needs=DOCKER)
def well(world: World) -> None:
    world.containers.use()
    world.containers.session()
    world.containers.paused("claude-session-2")
    world.containers.ended("claude-session-3")


@fault(test_no_session_fails, needs=DOCKER)
def killed_for_its_memory(world: World) -> None:
    world.containers.use()
    world.containers.killed()


@fault(test_no_session_fails, needs=DOCKER)
def again_and_again(world: World) -> None:
    world.containers.use()
    world.containers.restarting("claude-session-2")


@fault(test_no_session_fails, needs=DOCKER)
def unhealthy(world: World) -> None:
    world.containers.use()
    world.containers.sick()
