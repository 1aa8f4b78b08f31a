"""What the systems file expects to find is there."""

from __future__ import annotations

from healthchecks.suite.world import World
from plugins import P0, check, fault, healthy, listed


@check(
    P0,
    guide="SU05",
    hint="Install or start the system, correct its places in the systems file, or say "
    '`enabled = "auto"` there if it may be gone.',
)
def test_every_expected_system_is_here(missing_systems: tuple[str, ...]) -> None:
    """Every system that the systems file expects is here.

    With `enabled = true` a system that cannot be found is no "absent" but an outage.
    """
    assert not missing_systems, listed("expected and not found", missing_systems)


@healthy(test_every_expected_system_is_here)
def it_is_here(world: World) -> None:
    world.expect(here=True)


@fault(test_every_expected_system_is_here)
def it_is_gone(world: World) -> None:
    world.expect(here=False)
