"""A server's unit: whether systemd has it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from plugins.endpoints.systemd import Systemd, Unit
from plugins.outcomes import Absent, CannotTell, NotThere, ToolMissing


def unit_of(systemd: Systemd, name: str, user: bool = False) -> Unit:
    """Return a unit whose file is there.

    Raises:
        Absent: systemd does not run here, or has not read that file.
        NoPermission, TimedOut: it does not tell.
    """
    try:
        return systemd.unit(name, user=user)
    except (ToolMissing, NotThere) as met:
        raise Absent(str(met)) from None
    except CannotTell as met:
        # No permission and no answer are for a person to see; a host without systemd is not.
        if type(met) is not CannotTell:
            raise
        raise Absent(str(met)) from None


def unit_troubles(unit: Unit) -> Iterator[str]:
    """Yield what is wrong with a unit."""
    if unit.active_state == "failed":
        yield f"it failed: {unit.result}"
    if unit.result == "start-limit-hit":
        yield "it was started too often in a short time; systemd has given up"
    if unit.sub_state == "auto-restart":
        yield f"it ended and is about to be restarted, {unit.restarts} times so far"
    if unit.load_state in {"error", "bad-setting", "masked"}:
        yield f"its file cannot be used: {unit.load_state}"
