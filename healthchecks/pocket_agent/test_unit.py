"""The server's unit is not failing."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_unit import UnitState
from healthchecks.pocket_agent.world import World
from plugins import P1, check, fault, healthy, listed


@check(
    P1,
    guide="PA31",
    hint="""See why: `journalctl -u pocket-agent-server -n 50`. When that is put right:
    `systemctl reset-failed pocket-agent-server && systemctl start pocket-agent-server`.""",
)
def test_its_unit_is_not_failing(unit_state: UnitState) -> None:
    """The server's systemd unit is not failing.

    systemd gives up after three starts within a minute, and nothing starts the server then.
    """
    told = f"{unit_state.name} is failing"
    assert not unit_state.troubles, listed(told, unit_state.troubles)


@healthy(test_its_unit_is_not_failing)
def running(world: World) -> None:
    """A unit that runs, as systemctl shows it."""
    world.unit()


@fault(test_its_unit_is_not_failing)
def failed(world: World) -> None:
    """A unit whose program ended with an error."""
    world.unit(ActiveState="failed", SubState="failed", Result="exit-code")


@fault(test_its_unit_is_not_failing)
def at_its_start_limit(world: World) -> None:
    """A unit that systemd has given up."""
    world.unit(ActiveState="failed", SubState="failed", Result="start-limit-hit", NRestarts="3")


@fault(test_its_unit_is_not_failing)
def restarting(world: World) -> None:
    """A unit between its end and its next start."""
    world.unit(ActiveState="activating", SubState="auto-restart", NRestarts="2")


@fault(test_its_unit_is_not_failing, becomes="absent")
def without_a_unit(world: World) -> None:
    """A server that systemd does not look after."""
    world.start()
