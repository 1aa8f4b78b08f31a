"""The server's unit does not fail."""

from __future__ import annotations

from healthchecks.portagent.probes_unit import UnitState
from healthchecks.portagent.world import World
from plugins import P1, check, fault, healthy, listed

_REFUSED = "Error: LLM_PROVIDER_KEY is required\n\nSet it via environment variable:\n"


@check(
    P1,
    guide="PT03",
    hint="""See why: `journalctl -n 50 -u portagent`; what it says before it ends is on its console
    alone, not in its log file. When that is put right:
    `systemctl reset-failed portagent && systemctl start portagent`.""",
)
def test_its_unit_stays_up(unit_state: UnitState) -> None:
    """Its systemd unit stays up.

    A unit that fails again and again is given up by systemd, and nothing starts the server then.
    """
    told = f"{unit_state.name} does not stay up"
    shown = (f"it printed: {line}" for line in unit_state.last_lines)
    assert not unit_state.troubles, listed(told, (*unit_state.troubles, *shown))


@healthy(test_its_unit_stays_up)
def running(world: World) -> None:
    """A unit that runs, as systemctl shows it."""
    world.server.unit()


@healthy(test_its_unit_stays_up)
def started_again_long_ago(world: World) -> None:
    """A unit that fell over some times, and has been well since."""
    world.server.unit(NRestarts="4", StateChangeTimestamp="Thu 2026-01-08 12:00:00 UTC")


@fault(test_its_unit_stays_up)
def failed(world: World) -> None:
    """A unit whose program ended with an error."""
    shown = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}
    world.server.unit(_REFUSED, **shown, ExecMainStatus="1")


@fault(test_its_unit_stays_up)
def at_its_start_limit(world: World) -> None:
    """A unit that systemd has given up."""
    shown = {"ActiveState": "failed", "SubState": "failed", "Result": "start-limit-hit"}
    world.server.unit(_REFUSED, **shown, NRestarts="5", ExecMainStatus="1")


@fault(test_its_unit_stays_up)
def restarting(world: World) -> None:
    """A unit between its end and its next start."""
    shown = {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"}
    world.server.unit(_REFUSED, **shown, NRestarts="2", ExecMainStatus="1")


@fault(test_its_unit_stays_up)
def masked(world: World) -> None:
    """A unit that nobody can start."""
    world.server.unit(LoadState="masked", ActiveState="inactive", SubState="dead")


@fault(test_its_unit_stays_up, becomes="absent")
def without_a_unit(world: World) -> None:
    """A server that systemd does not look after."""
    world.server.start()
