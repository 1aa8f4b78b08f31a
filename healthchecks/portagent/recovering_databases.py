"""One database: which one is meant, whether it may be touched, and what brings it back."""

from __future__ import annotations

import time
from collections.abc import Iterator

from healthchecks.portagent.probes_database_backups import copies_of, in_use
from healthchecks.portagent.probes_databases import TABLES, faults_of
from healthchecks.portagent.system import Portagent
from plugins import NotThere, Refused, printable
from plugins.arguments import Misgiven
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.endpoints.sqlite import Sqlite, Standing
from plugins.hosts import Host
from plugins.inquiries import Note
from plugins.steps import Step
from plugins.steps.databases import RecoverDatabase, RestoreDatabase


def recovered(
    system: Portagent, sqlite: Sqlite, processes: Processes, database: str, losing: str
) -> Iterator[Step | Note]:
    """Yield the step that recovers what is in a database; a note where it is whole.

    Raises:
        Misgiven: an argument is none of those that can be used.
        Refused: a process holds the database open.
        NotThere: the file is gone.
    """
    path = named(system, database)
    if losing not in {"yes", "no"}:
        raise Misgiven(f"losing={printable(losing, 40)}: it is yes or no")
    standing = _left_alone(path, sqlite, processes)
    if standing is None:
        raise NotThere(f"{printable(path)} is not there: a backup of it may be restored")
    if not faults_of(system, sqlite, database, path, standing, deep=True):
        yield Note(f"{path} is whole: there is nothing to recover")
        return
    yield RecoverDatabase(path, TABLES[database], losing=losing == "yes")


def restored(
    system: Portagent,
    sqlite: Sqlite,
    processes: Processes,
    filesystem: Filesystem,
    commands: Host,
    database: str,
) -> Iterator[Step | Note]:
    """Yield the step that puts the newest whole backup in the place of a database.

    Raises:
        Misgiven: there is no such database.
        Refused: a process holds the database open.
        NotThere: no backup of it is whole.
    """
    path = named(system, database)
    _left_alone(path, sqlite, processes)
    folders = system.settings.paths(system.settings.backups)
    live = in_use(system, filesystem)
    copies = [
        copy
        for copy in copies_of(folders, filesystem, sqlite, commands, (database,), live)
        if copy.name == database
    ]
    for copy in copies:
        if copy.fault:
            yield Note(f"passed over: {copy}: {copy.fault}")
    best = next((copy for copy in copies if not copy.fault), None)
    if best is None:
        looked = ", ".join(printable(folder) for folder in folders) or "no folder"
        raise NotThere(f"no backup of {database}.db is whole (looked in {looked})")
    hours = (time.time() - best.written) / 3600
    yield Note(f"the newest whole backup is {hours:.1f} hours old: {best}")
    yield RestoreDatabase(path, TABLES[database], best.path, best.member)


def named(system: Portagent, database: str) -> str:
    """Return the path of a database; `Misgiven` where there is none of that name."""
    if database not in TABLES:
        known = ", ".join(TABLES)
        raise Misgiven(f"database={printable(database, 40)}: it is one of {known}")
    return system.database(database)


def _left_alone(path: str, sqlite: Sqlite, processes: Processes) -> Standing | None:
    """Return what stands there, None for nothing; refused while a process has it open."""
    try:
        standing = sqlite.standing(path)
    except NotThere:
        return None
    for pid, writes in processes.holders(path):
        if writes:
            one = processes.one(pid)
            name = printable(one.name) if one else "a program"
            raise Refused(f"process {pid} ({name}) holds {printable(path)} open: stop it first")
    if sqlite.writers(path):
        raise Refused(f"somebody writes to {printable(path)}: stop the server first")
    return standing
