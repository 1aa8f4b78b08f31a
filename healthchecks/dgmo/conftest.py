"""The probes of dgmo, by name; each stands in a file of its topic."""

from healthchecks.dgmo.probes_backups import (
    stale_locks,
)
from healthchecks.dgmo.probes_collection import (
    missing_collection,
    wrong_vectors,
)
from healthchecks.dgmo.probes_configuration import (
    broken_configuration,
    lost_commands,
    missing_configuration,
    mute_servers,
    silent_remotes,
)
from healthchecks.dgmo.probes_indexes import (
    broken_indexes,
    dangling_indexes,
    short_indexes,
    strangers,
)
from healthchecks.dgmo.probes_leftovers import (
    temporary_leftovers,
)
from healthchecks.dgmo.probes_log import (
    log_hits,
)
from healthchecks.dgmo.probes_programs import (
    bad_programs,
    dgmo_server,
    node_memory,
)
from healthchecks.dgmo.probes_store import (
    astray_stores,
    broken_sessions,
    conflicts,
    interrupted_writes,
    lacking_sessions,
    misencoded_files,
    stuck_sub_sessions,
    unreachable_stores,
)

__all__ = [
    "astray_stores",
    "bad_programs",
    "broken_configuration",
    "broken_indexes",
    "broken_sessions",
    "conflicts",
    "dangling_indexes",
    "dgmo_server",
    "interrupted_writes",
    "lacking_sessions",
    "log_hits",
    "lost_commands",
    "misencoded_files",
    "missing_collection",
    "missing_configuration",
    "mute_servers",
    "node_memory",
    "short_indexes",
    "silent_remotes",
    "stale_locks",
    "strangers",
    "stuck_sub_sessions",
    "temporary_leftovers",
    "unreachable_stores",
    "wrong_vectors",
]
