"""Recovery procedures of Pocket Agent, for `--recover`.

The guide's own scripts kill every program with "claude" in its command line, delete, and copy over
what is there. Here what was there is archived first, only the server's own processes are ended, and
nothing is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.pocket_agent.outage import Outage, archived, leftovers_away
from healthchecks.pocket_agent.probes_logs import Leftover, WrongLink
from healthchecks.pocket_agent.probes_messages import BadLog
from healthchecks.pocket_agent.probes_metadata import BrokenMetadata
from healthchecks.pocket_agent.probes_process import Execution
from healthchecks.pocket_agent.rolling_back import restored
from healthchecks.pocket_agent.system import PocketAgent
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.endpoints.systemd import Systemd
from plugins.hosts import Host
from plugins.recovery import procedure
from plugins.steps import Step

RUNS = (
    "pocket_agent.the_server_process_runs",
    "pocket_agent.its_port_is_its_own",
    "pocket_agent.a_websocket_opens",
    "pocket_agent.the_server_says_it_is_healthy",
)
ON_DISK = (
    "pocket_agent.the_data_folder_is_there",
    "pocket_agent.project_metadata_can_be_read",
    "pocket_agent.no_project_metadata_is_lost",
    "pocket_agent.message_logs_can_be_read",
    "pocket_agent.the_current_log_link_is_right",
    "pocket_agent.no_empty_message_log_is_a_stray",
    "pocket_agent.no_interrupted_write_is_left",
)


@procedure(verify=RUNS)
def emergency_restart(
    system: PocketAgent,
    filesystem: Filesystem,
    processes: Processes,
    systemd: Systemd,
    commands: Host,
    lone_executions: tuple[Execution, ...],
) -> Iterator[Step]:
    """Archive the state, stop the server with grace and then with force, clear up, start it.

    Every client is cut off, and executions under way end: what they have not written yet is lost.
    SIGTERM with clients connected makes the server panic, so its last lines may be missing in its
    log. Data, configuration and keys stay as they are, and an archive of them is kept.
    """
    outage = Outage(system, processes, systemd, commands)
    yield from archived(system, filesystem, commands)
    yield from outage.stopped(lone_executions)
    yield from leftovers_away(system, filesystem)
    yield from outage.started()


@procedure(verify=ON_DISK, settle=0.0)
def data_recovery(
    system: PocketAgent,
    filesystem: Filesystem,
    commands: Host,
    broken_metadata: tuple[BrokenMetadata, ...],
    bad_logs: tuple[BadLog, ...],
    wrong_links: tuple[WrongLink, ...],
    empty_strays: tuple[Leftover, ...],
    leftovers: tuple[Leftover, ...],
) -> Iterator[Step]:
    """Archive the data, then mend what is broken on disk as far as something tells how.

    Lines of message logs that nobody can read are taken out; they stay in the archive and in the
    run's quarantine. The server goes on, and sees mended projects only after its next start:
    `--recover pocket_agent.emergency_restart`.
    """
    # The checks' own remedies; imported here, as whoever restarts a server needs none of them.
    from healthchecks.pocket_agent.test_leftovers import put_leftovers_away
    from healthchecks.pocket_agent.test_message_logs import (
        drop_bad_lines,
        put_empty_strays_away,
        renew_links,
    )
    from healthchecks.pocket_agent.test_metadata import restore_them

    yield from archived(system, filesystem, commands)
    yield from restore_them(broken_metadata)
    yield from drop_bad_lines(bad_logs)
    yield from renew_links(wrong_links)
    yield from put_empty_strays_away(empty_strays)
    yield from put_leftovers_away(leftovers)


@procedure(verify=(*RUNS, "pocket_agent.project_metadata_can_be_read"), deadline=900.0)
def rollback(
    system: PocketAgent,
    filesystem: Filesystem,
    processes: Processes,
    systemd: Systemd,
    commands: Host,
    lone_executions: tuple[Execution, ...],
) -> Iterator[Step]:
    """Put the server and its projects back to those of a backup, with an archive of today's first.

    Projects and messages that are newer than the backup are gone from the server; they stay in the
    archive and in the run's quarantine. Configuration and keys stay as they are. Every client is
    cut off, and executions under way end.
    """
    outage = Outage(system, processes, systemd, commands)
    replaced = tuple(restored(system, filesystem, commands))
    yield from archived(system, filesystem, commands, system.binary)
    yield from outage.stopped(lone_executions)
    yield from replaced
    yield from leftovers_away(system, filesystem, projects=False)
    yield from outage.started()
