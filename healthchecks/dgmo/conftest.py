"""The probes of dgmo, by name; each stands in a file of its topic."""

from healthchecks.dgmo.probes_backups import stale_locks
from healthchecks.dgmo.probes_configuration import (
    broken_configuration,
    lost_commands,
    missing_configuration,
    mute_servers,
    silent_remotes,
)
from healthchecks.dgmo.probes_leftovers import temporary_leftovers
from healthchecks.dgmo.probes_log import log_hits
from healthchecks.dgmo.probes_programs import bad_programs, dgmo_server, node_memory

__all__ = [
    "bad_programs",
    "broken_configuration",
    "dgmo_server",
    "log_hits",
    "lost_commands",
    "missing_configuration",
    "mute_servers",
    "node_memory",
    "silent_remotes",
    "stale_locks",
    "temporary_leftovers",
]
