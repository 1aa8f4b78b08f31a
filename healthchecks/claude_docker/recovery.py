"""Recovery procedures of Claude Code in Docker, for `--recover`.

The kit's own recovery picks a backup by its time of change, takes an empty folder for one, deletes
what is there, and takes --dry-run for the real thing. The guide's archives land in ~/<date>/.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from healthchecks.claude_docker.backing_up import taken
from healthchecks.claude_docker.elsewhere import from_elsewhere
from healthchecks.claude_docker.probes_backups import NewestBackup
from healthchecks.claude_docker.probes_containers import engine, of_sessions
from healthchecks.claude_docker.restoring import Restoring
from healthchecks.claude_docker.shelf import FORM
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, Blocked, CannotTell, NotThere
from plugins.endpoints.engines import ALIVE
from plugins.endpoints.filesystem import Filesystem
from plugins.eyes import dated
from plugins.hosts import Host
from plugins.recovery import procedure
from plugins.run import Run
from plugins.steps import PutAway, Step
from plugins.steps import Run as Command

BACKED_UP = (
    "claude_docker.the_newest_backup_can_be_restored",
    "claude_docker.the_newest_backup_is_fresh",
    "claude_docker.latest_leads_to_the_newest_backup",
)
RESTORED = (
    "claude_docker.the_claude_configuration_is_whole",
    "claude_docker.claude_can_log_in",
    "claude_docker.only_the_owner_can_read_credentials",
)


@procedure(verify=BACKED_UP, settle=0.0)
def back_up(newest_backup: NewestBackup) -> Iterator[Step]:
    """Take a backup now, and lead `latest` to it.

    Nothing is lost; the disk gets as much fuller as Claude's folder is large.
    """
    if newest_backup.taking.hindrance:
        raise CannotTell(f"no backup should be taken now: {newest_backup.taking.hindrance}")
    yield from taken(newest_backup.taking)


@procedure(verify=RESTORED, settle=0.0, deadline=900.0)
def disaster_recovery(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run, *, backup: str = ""
) -> Iterator[Step]:
    """Stop the sessions, archive what is there, and restore the newest backup that validates.

    What was set and said since that backup is gone from Claude's folder; it stays in the archive
    and in the run's quarantine. Sessions that run are cut off. Today's login is kept where there is
    one. A backup that cannot be restored is passed over, and one that was made before a
    synchronisation is taken only where no full one can be: the plan names which it is.

    Args:
        backup: the date of the backup to restore, as its folder is named; the newest that validates
            where it is empty.
    """
    restoring = Restoring(system, filesystem, commands, run)
    source = restoring.best(backup)
    stamp = commands.call(dated.stamped, FORM)
    yield from _stopped(system, commands)
    yield from restoring.archived(stamp, system.config_dir, system.config_file)
    yield from restoring.replaced(source, stamp)


@procedure(verify=RESTORED, settle=0.0, deadline=900.0)
def reinstall(
    system: ClaudeDocker,
    filesystem: Filesystem,
    commands: Host,
    run: Run,
    *,
    backup: str = "",
    source: str = "",
) -> Iterator[Step]:
    """Archive everything, put Claude's folder, configuration and staging aside, and restore them.

    What was set and said since the backup is gone from Claude's folder, and the staging folder is
    made anew by the next synchronisation; all of it stays in the archives and in the run's
    quarantine. Sessions that run are cut off. Today's login is kept where there is one, and so is
    everything of the kit beside the staging folder, logs and other logins among it.

    Args:
        backup: the date of the backup to restore, as its folder is named; the newest that validates
            where it is empty.
        source: "disk" or "cloud" for the copy on the other disk or in the cloud; where it is empty
            it is the folder of backups, and those only where nothing in it can be restored.
    """
    restoring = Restoring(system, filesystem, commands, run)
    stamp = commands.call(dated.stamped, FORM)
    fetched: tuple[Step, ...] = ()
    if source:
        found, fetched = from_elsewhere(restoring, source, backup)
    else:
        try:
            found = restoring.best(backup)
        except NotThere as why:
            found, fetched = from_elsewhere(restoring, "", backup, str(why))
    yield from _stopped(system, commands)
    kit = _kit(system)
    yield from restoring.archived(stamp, system.config_dir, system.config_file, kit)
    yield from fetched
    yield from restoring.replaced(found, stamp)
    yield PutAway(system.state_dir)


def _kit(system: ClaudeDocker) -> str:
    """Give the folder that the kit keeps the staging folder and others like it in."""
    above, name = os.path.split(os.path.dirname(system.state_dir))
    return above if name == "global_state" else system.state_dir


def _stopped(system: ClaudeDocker, commands: Host) -> Iterator[Command]:
    """Stop the sessions that run; without an engine there are none."""
    with contextlib.suppress(Absent, Blocked):
        docker = engine(system, commands)
        words = ("docker", "--host", docker.base_url)
        for one in of_sessions(docker, system):
            if one.state in ALIVE:
                again = () if one.auto_remove else (*words, "start", one.id)
                yield Command((*words, "stop", "--time", "10", one.id), undo=again, deadline=60.0)
