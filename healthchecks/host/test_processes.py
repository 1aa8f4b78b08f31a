"""Processes of the watched systems: what they leave behind and what they use up."""

from __future__ import annotations

from plugins import P2, check, fault, healthy, listed

from .probes_processes import Holding, Zombie
from .world import World


@check(
    P2,
    guide="H09",
    hint="Restart the parent that is named: `systemctl restart <unit>`, or end it with `kill "
    "<parent>` and start it again. A zombie itself cannot be killed, for it is dead already.",
    refs=("https://man7.org/linux/man-pages/man2/wait.2.html",),
)
def test_no_zombies_gather(uncollected: tuple[Zombie, ...]) -> None:
    """No zombies gather under the processes of watched systems.

    Each holds a process number; a parent that never collects its children ends by starting none.
    """
    assert not uncollected, listed("processes that ended and were never collected", uncollected)


@healthy(test_no_zombies_gather)
def children_collected(world: World) -> None:
    world.parent(zombies=0)


@fault(test_no_zombies_gather)
def children_left_dead(world: World) -> None:
    world.parent(zombies=3)


@check(
    P2,
    guide="H10",
    hint="Run `ls -l /proc/<pid>/fd` to see what it holds open; raise its limit at once "
    "with `prlimit --pid <pid> --nofile=65536:65536` (as root), and for good with "
    "`LimitNOFILE=65536` in its unit; restart it where the number only grows.",
)
def test_watched_processes_have_descriptors_to_spare(holdings: tuple[Holding, ...]) -> None:
    """Processes of watched systems have file descriptors to spare.

    At its limit a server takes no connection and opens no file, and often says so nowhere.
    """
    short = [one for one in holdings if one.used.value >= (one.used.limit or 100)]
    assert not short, listed("nearly out of file descriptors", short)


@healthy(test_watched_processes_have_descriptors_to_spare)
def a_few_open(world: World) -> None:
    world.parent(soft_limit=256)


@fault(test_watched_processes_have_descriptors_to_spare)
def nearly_all_open(world: World) -> None:
    world.parent(soft_limit=64, open_files=58)
