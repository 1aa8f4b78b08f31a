"""What the server lists of its projects, against what lies on its disk."""

from __future__ import annotations

import os.path
import time
from dataclasses import dataclass

from healthchecks.pocket_agent.probes_wire import WHOLE, converse, listing_of, said_by
from healthchecks.pocket_agent.records import moment
from healthchecks.pocket_agent.seat import find_seat
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, NoPermission, probe
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.endpoints.websocket import WebSockets
from plugins.eyes import metadata
from plugins.hosts import Host


@dataclass(frozen=True)
class ProjectsServed:
    """How many projects the server lists, how many lie on disk, and which it does not list."""

    listed: int
    on_disk: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class StuckProject:
    """A project that executes for longer than it may, with the seconds since its last use."""

    project: str
    path: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.project} in {self.path}: last active {self.seconds / 60:.0f} minutes ago"


@dataclass(frozen=True)
class _OnDisk:
    """One project's metadata, and the name of its folder."""

    folder: str
    id: str
    path: str
    last_active: str


def _projects(system: PocketAgent, host: Host) -> tuple[_OnDisk, ...]:
    """Each project on disk whose metadata the server can load."""
    top = os.path.join(system.data_dir, "projects")
    limit = system.settings.metadata_kib << 10
    fields = ["id", "path", "last_active"]
    try:
        rows = host.call(metadata.survey, top, "metadata.json", fields, limit)
    except FileNotFoundError:
        raise Absent("the folder of projects", (top,)) from None
    except PermissionError:
        raise NoPermission(f"we may not look into {top}") from None
    if rows["denied"]:
        raise NoPermission(f"we may not read the metadata of {len(rows['denied'])} projects")
    return tuple(
        _OnDisk(str(row[0]), str(row[1]), str(row[2]), str(row[3] or "")) for row in rows["good"]
    )


@probe(deadline=WHOLE, every=30.0)
def projects_served(
    system: PocketAgent,
    commands: Host,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> ProjectsServed:
    """The projects on disk that can be loaded, and those that the server lists."""
    find_seat(system, processes, sockets, http).demand_answers()
    listing = listing_of(said_by(converse(system, http, websocket)))
    there = _projects(system, commands)
    missing = tuple(
        os.path.join(system.data_dir, "projects", one.folder)
        for one in there
        if one.id not in listing.states
    )
    return ProjectsServed(listing.total, len(there), missing)


@probe(deadline=WHOLE, every=30.0)
def stuck_projects(
    system: PocketAgent,
    commands: Host,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
) -> tuple[StuckProject, ...]:
    """The projects that the server calls executing although their time is over."""
    find_seat(system, processes, sockets, http).demand_answers()
    states = listing_of(said_by(converse(system, http, websocket))).states
    # The list's own times are local wall time marked as UTC: the metadata tells the true ones.
    there = (one for one in _projects(system, commands) if states.get(one.id) == "EXECUTING")
    seen = (StuckProject(one.id, one.path, _age(one.last_active)) for one in there)
    return tuple(one for one in seen if one.seconds > system.execution_timeout)


def _age(text: str) -> float:
    """Seconds since a time; 0 for what is no time."""
    then = moment(text)
    return 0.0 if then is None else time.time() - then
