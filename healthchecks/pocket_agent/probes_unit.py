"""What systemd says of the server's unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, CannotTell, NotThere, ToolMissing, probe
from plugins.endpoints.systemd import Systemd, Unit
from plugins.hosts import Host


@dataclass(frozen=True)
class UnitState:
    """The unit's state in words of systemd, and what is wrong with it; empty when nothing is."""

    name: str
    troubles: tuple[str, ...]


@probe
def unit_state(system: PocketAgent, systemd: Systemd, commands: Host) -> UnitState:
    """The state of the server's unit."""
    name, tool = system.unit, system.settings.systemctl
    if not system.settings.unit:
        raise Absent("no unit is configured for it")
    if not name:
        raise Absent(f"the unit {system.settings.unit}", system.settings.unit_folders)
    if tool != "systemctl":
        systemd = Systemd(commands, systemctl=tool)
    try:
        unit = systemd.unit(name, user="--user" in system.start_command)
    except (ToolMissing, NotThere) as met:
        raise Absent(str(met)) from None
    except CannotTell as met:
        # No permission and no answer are for a person to see; a host without systemd is not.
        if type(met) is not CannotTell:
            raise
        raise Absent(str(met)) from None
    return UnitState(name, tuple(_troubles(unit)))


def _troubles(unit: Unit) -> Iterator[str]:
    """What is wrong with a unit."""
    if unit.active_state == "failed":
        yield f"it failed: {unit.result}"
    if unit.result == "start-limit-hit":
        yield "it was started too often in a short time; systemd has given up"
    if unit.sub_state == "auto-restart":
        yield f"it ended and is about to be restarted, {unit.restarts} times so far"
    if unit.load_state in {"error", "bad-setting", "masked"}:
        yield f"its file cannot be used: {unit.load_state}"
