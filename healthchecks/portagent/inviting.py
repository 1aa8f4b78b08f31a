"""Today's invitation code, for who asks for it by name."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.portagent.invitations import code_at, zone_of
from healthchecks.portagent.probes_invitations import how_they_stand
from healthchecks.portagent.system import Portagent
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.eyes import reading
from plugins.hosts import Host
from plugins.inquiries import Note, inquiry
from plugins.outcomes import Absent

_SOON = 1800.0  # seconds before midnight in which a code may be old before it is used


@inquiry(deadline=30.0)
def invite_code(
    system: Portagent, processes: Processes, sockets: Sockets, http: Http, commands: Host
) -> Iterator[str]:
    """Tell today's invitation code of Portagent, reckoned in the server's own time zone.

    It lets whoever knows it register until the server's next midnight, and is shown nowhere else.
    """
    stands = how_they_stand(system, processes, sockets, http, commands)
    if not stands.required:
        raise Absent("the server asks for no invitation code: everybody can register")
    yield stands.code.reveal()
    hours, minutes = divmod(int(stands.left / 60), 60)
    yield Note(f"it holds for {hours} h {minutes} min more, until midnight of {stands.zone}")
    zone = zone_of(stands.zone)
    if stands.left < _SOON and zone is not None:
        after = code_at(commands.call(reading.now) + stands.left + 1, zone)
        yield Note(f"the code after that is {after}")
