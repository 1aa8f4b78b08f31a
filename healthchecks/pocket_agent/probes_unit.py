"""What systemd says of the server's unit."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, probe
from plugins.endpoints.systemd import Systemd
from plugins.endpoints.unit_states import unit_of, unit_troubles
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
    unit = unit_of(systemd, name, user="--user" in system.start_command)
    return UnitState(name, tuple(unit_troubles(unit)))
