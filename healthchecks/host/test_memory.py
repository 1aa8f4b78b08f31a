"""Memory: what is left of it, and who was killed for it."""

from __future__ import annotations

from plugins import P1, P2, check, fault, healthy, listed

from .probes_memory import Kills, Memory
from .world import World

RAISE = (
    "Run `ps -eo pid,rss,etime,args --sort=-rss | head` to see who holds it, end or restart what "
    "should not; raise the limit where the bound is a control group (`systemctl show <unit> -p "
    "MemoryMax`, `docker inspect <container>`)."
)


@check(P2, guide="H03", hint=RAISE)
def test_memory_is_available(memory: Memory) -> None:
    """Memory is available, on the machine and within the limit of our control group.

    With less than a tenth left, the next build or conversation makes the kernel kill something.
    """
    bound = "that our control group may use" if memory.limited else "of this machine"
    assert memory.available.value >= (memory.available.limit or 0), (
        f"{memory.available.value:g} % is available of the {memory.total_mib} MiB {bound}; "
        f"{memory.available.limit or 0:g} % should be"
    )


@healthy(test_memory_is_available)
def plenty(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000)


@healthy(test_memory_is_available)
def a_wide_control_group(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000)
    world.control_group(limit_mib=1000, used_mib=950, cache_mib=500)


@healthy(test_memory_is_available)
def a_control_group_full_of_files_in_use(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000)
    world.control_group(limit_mib=1000, used_mib=999, cache_mib=900, version=1)


@healthy(test_memory_is_available)
def no_limit_and_no_pressure_file(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000, pressure=None)
    world.control_group(limit_mib=None, used_mib=950, cache_mib=0)


@fault(test_memory_is_available)
def hardly_any(world: World) -> None:
    world.memory(total_mib=8000, available_mib=400)


@fault(test_memory_is_available)
def a_narrow_control_group(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000)
    world.control_group(limit_mib=1000, used_mib=950, cache_mib=20)


@fault(test_memory_is_available)
def a_narrow_control_group_of_the_first_version(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000)
    world.control_group(limit_mib=1000, used_mib=950, cache_mib=20, version=1)


@fault(test_memory_is_available)
def a_narrow_group_seen_from_inside_a_container(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000)
    world.control_group(limit_mib=1000, used_mib=950, cache_mib=20, version=1, inside=True)


@check(P2, guide="H03", hint=RAISE)
def test_nothing_waits_for_memory(memory: Memory) -> None:
    """Programs do not spend their time waiting for memory.

    When everything stands still for lack of memory, the machine swaps, and answers come too late.
    """
    waiting = memory.pressure
    assert waiting is None or waiting.value < (waiting.limit or 100), (
        f"over the last minute everything waited for memory {waiting.value:g} % of the time; "
        f"{waiting.limit or 100:g} % is the limit"
    )


@healthy(test_nothing_waits_for_memory)
def hardly_waiting(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000, pressure=0.4)


@fault(test_nothing_waits_for_memory)
def thrashing(world: World) -> None:
    world.memory(total_mib=8000, available_mib=4000, pressure=35.0)


@check(
    P1,
    guide="H04",
    hint="Run `dmesg --ctime | grep -i 'killed process'` (as root) to see who was killed and who "
    "asked for the memory; restart what was killed, then give the machine more memory or the"
    " program a limit.",
)
def test_nothing_was_killed_for_lack_of_memory(kills: Kills) -> None:
    """Nothing was killed for lack of memory lately.

    The kernel kills without warning, in the middle of a write; what it killed once it kills again.
    """
    assert not kills.recent, listed(
        f"{kills.recent} killed in {kills.days:g} days ({kills.since_boot.value:g} since boot)",
        kills.latest,
    )


@healthy(test_nothing_was_killed_for_lack_of_memory)
def nobody_killed(world: World) -> None:
    world.kernel(kills=0, up_days=30)


@healthy(test_nothing_was_killed_for_lack_of_memory)
def killed_long_ago(world: World) -> None:
    world.kernel(kills=1, up_days=30, killed_days_ago=(20,))


@fault(test_nothing_was_killed_for_lack_of_memory)
def killed_yesterday(world: World) -> None:
    world.kernel(kills=2, up_days=30, killed_days_ago=(20, 1))


@fault(test_nothing_was_killed_for_lack_of_memory)
def killed_nobody_knows_when(world: World) -> None:
    world.kernel(kills=1, up_days=30)
