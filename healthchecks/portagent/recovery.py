"""Recovery procedures of Portagent, for `--recover`.

The guide's `.recover` and `cp` run over a database that the server has open, which breaks what they
are to mend. Here neither is done while a process holds it open, what was there is kept with its
journal and its log, and what is put in its place is looked through first.
"""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.portagent.inviting import invite_code
from healthchecks.portagent.recovering_databases import recovered, restored
from healthchecks.portagent.system import Portagent
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.endpoints.sqlite import Sqlite
from plugins.hosts import Host
from plugins.inquiries import Note
from plugins.recovery import procedure
from plugins.steps import Step

WHOLE = ("portagent.its_databases_are_whole",)


@procedure(verify=WHOLE, settle=0.0, deadline=600.0)
def recover_database(
    system: Portagent,
    sqlite: Sqlite,
    processes: Processes,
    *,
    database: str,
    losing: str = "no",
) -> Iterator[Step | Note]:
    """Recover what is in a broken database into a new one, and put that in its place.

    Nothing that can still be read is lost unless losing=yes is given; what cannot be read is lost,
    and may be in a backup. The server must be stopped. The old file is kept in the run's
    quarantine, with its journal and log.

    Args:
        database: portagent, agentx or queue.
        losing: yes, where rows that are known and cannot be recovered may be given up.
    """
    yield from recovered(system, sqlite, processes, database, losing)


@procedure(verify=WHOLE, settle=0.0, deadline=600.0)
def restore_database(
    system: Portagent,
    sqlite: Sqlite,
    processes: Processes,
    filesystem: Filesystem,
    commands: Host,
    *,
    database: str,
) -> Iterator[Step | Note]:
    """Put the newest backup that is whole in the place of a database.

    Accounts and messages that are newer than the backup are gone from the server. The server must
    be stopped. The file that was there is kept in the run's quarantine, with its journal and log.

    Args:
        database: portagent, agentx or queue.
    """
    yield from restored(system, sqlite, processes, filesystem, commands, database)


__all__ = ["invite_code", "recover_database", "restore_database"]
