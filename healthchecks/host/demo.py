"""The host of `--demo`: short of memory, its timer off, and a Docker engine that never answers."""

from __future__ import annotations

from healthchecks.host.world import World


def stage(world: World, *, broken: bool) -> None:
    """Leave the host well, or break it."""
    if broken:
        world.memory(total_mib=8000, available_mib=500, pressure=2.0)
        world.schedules.timer(active=False, ran_hours_ago=100)
        world.use_docker()
        world.change(docker_answer_s=1.5)
        world.docker.hang()
