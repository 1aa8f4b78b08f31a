"""What systemd says of the server's unit, and what the server printed last."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.portagent.system import Portagent
from plugins import Absent, CannotTell, probe
from plugins.endpoints.systemd import Systemd
from plugins.endpoints.unit_states import unit_of, unit_troubles
from plugins.eyes import reading
from plugins.hosts import Host

_LINES, _SECONDS = 5, 86_400.0
# One that was started again so often, the last time within so many seconds, may be in a loop.
_MANY, _LATELY = 3, 600.0


@dataclass(frozen=True)
class UnitState:
    """The unit's state in words of systemd.

    Args:
        name: of the unit.
        troubles: what is wrong with it; () for nothing.
        last_lines: what it printed last, where something is wrong.
    """

    name: str
    troubles: tuple[str, ...]
    last_lines: tuple[str, ...]


@probe
def unit_state(system: Portagent, commands: Host) -> UnitState:
    """The state of the server's unit, with its exit status and its last lines."""
    settings = system.settings
    if not settings.unit:
        raise Absent("no unit is configured for it")
    if not system.unit:
        raise Absent(f"the unit {settings.unit}", settings.unit_folders)
    systemd = Systemd(commands, systemctl=settings.systemctl)
    user = system.users_unit
    unit = unit_of(systemd, system.unit, user)
    troubles = list(unit_troubles(unit))
    lately = commands.call(reading.now) - unit.since < _LATELY
    if not troubles and unit.restarts >= _MANY and lately:
        troubles.append(f"it was started again {unit.restarts} times, the last time lately")
    if not troubles:
        return UnitState(system.unit, (), ())
    if unit.exit_status:
        troubles.append(f"exit status {unit.exit_status}")
    return UnitState(system.unit, tuple(troubles), _last_lines(systemd, system.unit, user))


def _last_lines(systemd: Systemd, name: str, user: bool) -> tuple[str, ...]:
    """What it printed last: a server that cannot start says why on its console alone."""
    try:
        told = systemd.journal(name, _SECONDS, user=user)
    except CannotTell:
        return ()
    lines = [line for line in told.decode("utf-8", "replace").splitlines() if line.strip()]
    return tuple(lines[-_LINES:])
