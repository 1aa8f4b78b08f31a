"""Whether registering asks for a code, and which one it is today."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from healthchecks.portagent.invitations import changes_after, code_at, zone_of
from healthchecks.portagent.seat import asks_for_a_code, demand_first
from healthchecks.portagent.system import Portagent
from plugins import CannotTell, printable, probe
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.eyes import machine, reading
from plugins.hosts import Host
from plugins.redaction import Secret


@dataclass(frozen=True)
class Invitations:
    """How registering is guarded.

    Args:
        required: whether it asks for a code.
        troubles: what is not as it is meant, one sentence each.
        zone: the name of the zone that the server reckons in.
        code: today's code, shown to nobody but who asks for it.
        left: for how many seconds it holds.
    """

    required: bool
    troubles: tuple[str, ...]
    zone: str
    code: Secret
    left: float


@probe
def invitations(
    system: Portagent, processes: Processes, sockets: Sockets, http: Http, commands: Host
) -> Invitations:
    """Whether registering asks for a code, as is set, and of which zone's day the code is."""
    return how_they_stand(system, processes, sockets, http, commands)


def how_they_stand(
    system: Portagent, processes: Processes, sockets: Sockets, http: Http, commands: Host
) -> Invitations:
    """How registering is guarded now.

    Raises:
        Absent, Blocked: the first generation does not answer.
        CannotTell: a code is asked for, and its zone is not known.
    """
    demand_first(system, processes, sockets, http)
    required = asks_for_a_code(system, http)
    name = zone_name(system, commands)
    zone = zone_of(name)
    troubles = list(_meant(system, required))
    if zone is None:
        if required and not troubles:
            raise CannotTell(f"the server's time zone {printable(name, 80)} is not known here")
        return Invitations(required, tuple(troubles), name, Secret(""), 0.0)
    now = commands.call(reading.now)
    code, left = code_at(now, zone), changes_after(now, zone)
    universal = code_at(now, datetime.UTC)
    if required and code != universal:
        hours = abs(universal - code) / 3600
        troubles.append(
            f"its day is that of {printable(name, 60)}: the guide's formula, which reckons in UTC, "
            f"gives another code, {hours:g} hours off; today's ends in {left / 3600:.1f} hours"
        )
    return Invitations(required, tuple(troubles), name, Secret(str(code)), left)


def _meant(system: Portagent, required: bool) -> list[str]:
    """What is set otherwise than it works."""
    found = system.variable("INVITE_CODE_REQUIRED")
    if found is None:
        return []
    value = printable(found.value.reveal(), 40)
    if value not in {"true", "false"}:
        open_to_all = "" if required else ": everybody can register"
        return [f"INVITE_CODE_REQUIRED is {value!r} ({found.source}), which means no{open_to_all}"]
    if (value == "true") != required:
        asks = "asks for a code" if required else "asks for none"
        return [f"INVITE_CODE_REQUIRED is {value} ({found.source}), and the running server {asks}"]
    return []


def zone_name(system: Portagent, commands: Host) -> str:
    """The name of the zone that the server reckons in; UTC where none is set."""
    named = system.variable("TZ")
    if named is not None:
        return named.value.reveal()
    if system.hidden:
        raise CannotTell(f"its time zone may be set in {', '.join(system.hidden)}")
    if system.container and not system.pid:
        return "UTC"  # as in every image that sets none
    root = f"/proc/{system.pid}/root" if system.container else ""
    return commands.call(machine.own_zone, root) or "UTC"
