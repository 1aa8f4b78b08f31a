"""Load: whether CPUs and disks keep up."""

from __future__ import annotations

from plugins import P2, check, fault, healthy, listed

from .probes_memory import Busy
from .world import World


@check(
    P2,
    guide="H11",
    hint="Run `top -b -n 1 -o %CPU | head -n 15` for the CPUs and `ps -eo state,pid,args | grep "
    "'^D'` for those that wait for a disk; end what runs wild.",
)
def test_cpus_and_disks_keep_up(busy: Busy) -> None:
    """CPUs and disks keep up with what is asked of them.

    On a machine that is behind, health checks, heartbeats and logins time out though nothing is
    broken.
    """
    assert not busy.too_busy, listed("too much to do over the last minute", busy.too_busy)


@healthy(test_cpus_and_disks_keep_up)
def little_to_do(world: World) -> None:
    world.load(cpu=10.0, io=2.0)


@healthy(test_cpus_and_disks_keep_up)
def a_kernel_without_pressure_files(world: World) -> None:
    world.load(cpu=None, io=None)


@fault(test_cpus_and_disks_keep_up)
def a_longer_queue_than_asked_for(world: World) -> None:
    world.load(cpu=None, io=None)
    world.change(load_per_cpu=0.0)


@fault(test_cpus_and_disks_keep_up)
def starved_of_cpu(world: World) -> None:
    world.load(cpu=95.0, io=0.0)


@fault(test_cpus_and_disks_keep_up)
def waiting_just_as_long_as_the_limit(world: World) -> None:
    world.load(cpu=80.0, io=0.0)


@fault(test_cpus_and_disks_keep_up)
def waiting_for_disks(world: World) -> None:
    world.load(cpu=0.0, io=70.0)
