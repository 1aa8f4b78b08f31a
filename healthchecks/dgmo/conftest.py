"""The probes of dgmo, by name; each stands in a file of its topic."""

from healthchecks.dgmo.probes_backups import (
    broken_archives,
    stale_locks,
    unbacked_stores,
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
from healthchecks.dgmo.probes_files import (
    executable_files,
    wrong_rights,
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
from healthchecks.dgmo.probes_loading import (
    session_loading,
)
from healthchecks.dgmo.probes_log import (
    log_hits,
)
from healthchecks.dgmo.probes_programs import (
    bad_programs,
    dgmo_server,
    node_memory,
)
from healthchecks.dgmo.probes_qdrant import (
    qdrant_exposure,
    qdrant_port,
    qdrant_state,
)
from healthchecks.dgmo.probes_qdrant_collection import (
    collection_ailments,
    index_lag,
    memories,
    query_times,
)
from healthchecks.dgmo.probes_qdrant_entries import (
    wrong_memory_entries,
)
from healthchecks.dgmo.probes_snapshots import (
    broken_snapshots,
    newest_snapshot,
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
    "broken_archives",
    "broken_configuration",
    "broken_indexes",
    "broken_sessions",
    "broken_snapshots",
    "collection_ailments",
    "conflicts",
    "dangling_indexes",
    "dgmo_server",
    "executable_files",
    "index_lag",
    "interrupted_writes",
    "lacking_sessions",
    "log_hits",
    "lost_commands",
    "memories",
    "misencoded_files",
    "missing_collection",
    "missing_configuration",
    "mute_servers",
    "newest_snapshot",
    "node_memory",
    "qdrant_exposure",
    "qdrant_port",
    "qdrant_state",
    "query_times",
    "session_loading",
    "short_indexes",
    "silent_remotes",
    "stale_locks",
    "strangers",
    "stuck_sub_sessions",
    "temporary_leftovers",
    "unbacked_stores",
    "unreachable_stores",
    "wrong_memory_entries",
    "wrong_rights",
    "wrong_vectors",
]
