"""Recovery procedures of Portagent, for `--recover`.

The guide's `.recover` and `cp` run over a database that the server has open, which breaks what they
are to mend. Here neither is done while a process holds it open, what was there is kept with its
journal and its log, and what is put in its place is looked through first.
"""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.portagent.inviting import invite_code
from healthchecks.portagent.probes_tokens import SigningSecret
from healthchecks.portagent.recovering_databases import recovered, restored
from healthchecks.portagent.recreating import change, recreated, secret_fixed
from healthchecks.portagent.system import Portagent
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.endpoints.sqlite import Sqlite
from plugins.hosts import Host
from plugins.inquiries import Note
from plugins.recovery import Within, procedure
from plugins.steps import Step

WHOLE = ("portagent.its_databases_are_whole",)
RUNS = ("portagent.its_container_stays_up", "portagent.it_is_up")
LASTS = ("portagent.logins_survive_a_restart",)


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


@procedure(verify=RUNS, settle=30.0)
def recreate_container(
    system: Portagent,
    commands: Host,
    *,
    memory: str = "",
    cpus: str = "",
    log_size: str = "",
    log_count: str = "",
) -> Iterator[Step | Note]:
    """Make its container anew, with the same image, variables, mounts, ports, limits and networks.

    Everybody is cut off while it starts. What was written inside of the container, beside its
    mounts and volumes, stays in the former one, which is kept: stopped, and under another name.
    Without a fixed JWT_SECRET everybody has to log in again.

    Args:
        memory: its limit of memory, such as 2g; as it is where this is empty.
        cpus: its limit of processors, such as 2.
        log_size: how large one file of its output may be, such as 10m.
        log_count: how many such files are kept, such as 3.
    """
    yield from recreated(system, commands, change(memory, cpus, log_size, log_count))


@procedure(verify=LASTS, settle=30.0)
def fix_secret(
    system: Portagent, commands: Host, signing_secret: SigningSecret, *, new: str = "no"
) -> Iterator[Step | Note | Within]:
    """Give it a JWT_SECRET that stays, by its container or by its file of variables.

    Every token that was given until now is refused: everybody has to log in once more. The secret
    is made up while it is written, and shown to nobody. A container is made anew as by
    recreate_container, and a unit is started again.

    Args:
        new: yes, to replace a secret that is fixed already.
    """
    yield from secret_fixed(system, commands, signing_secret, new)


__all__ = [
    "fix_secret",
    "invite_code",
    "recover_database",
    "recreate_container",
    "restore_database",
]
