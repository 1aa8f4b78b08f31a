"""The probes of Pocket Agent, by name; each stands in a file of its topic."""

from healthchecks.pocket_agent.probes_certificates import (
    certificate_file,
    certificate_lifetime,
    certificate_names,
    key_pair,
    served_certificate,
)
from healthchecks.pocket_agent.probes_cli import cli
from healthchecks.pocket_agent.probes_configuration import configuration_file
from healthchecks.pocket_agent.probes_disk import (
    data_folder,
    foreign_data_folders,
    foreign_keys,
    open_certificates,
    open_data_folders,
    open_keys,
)
from healthchecks.pocket_agent.probes_exposure import debug_listeners, exposure
from healthchecks.pocket_agent.probes_issues import log_hits
from healthchecks.pocket_agent.probes_logs import (
    ancient_logs,
    doubled_logs,
    empty_strays,
    full_strays,
    leftovers,
    plain_logs,
    wrong_links,
)
from healthchecks.pocket_agent.probes_messages import bad_logs, untouchable_logs
from healthchecks.pocket_agent.probes_metadata import (
    broken_metadata,
    implausible_metadata,
    lost_metadata,
    projects,
)
from healthchecks.pocket_agent.probes_metrics import metrics
from healthchecks.pocket_agent.probes_process import (
    growth,
    load,
    lone_executions,
    port_use,
    server_process,
    zombies,
)
from healthchecks.pocket_agent.probes_proxy import proxies
from healthchecks.pocket_agent.probes_served import projects_served, stuck_projects
from healthchecks.pocket_agent.probes_server_log import last_start, log_errors, refused_paths
from healthchecks.pocket_agent.probes_sessions import connections, idle_connection
from healthchecks.pocket_agent.probes_unit import unit_state
from healthchecks.pocket_agent.probes_wire import conversation, health, round_trips

__all__ = [
    "ancient_logs",
    "bad_logs",
    "broken_metadata",
    "certificate_file",
    "certificate_lifetime",
    "certificate_names",
    "cli",
    "configuration_file",
    "connections",
    "conversation",
    "data_folder",
    "debug_listeners",
    "doubled_logs",
    "empty_strays",
    "exposure",
    "foreign_data_folders",
    "foreign_keys",
    "full_strays",
    "growth",
    "health",
    "idle_connection",
    "implausible_metadata",
    "key_pair",
    "last_start",
    "leftovers",
    "load",
    "log_errors",
    "log_hits",
    "lone_executions",
    "lost_metadata",
    "metrics",
    "open_certificates",
    "open_data_folders",
    "open_keys",
    "plain_logs",
    "port_use",
    "projects",
    "projects_served",
    "proxies",
    "refused_paths",
    "round_trips",
    "served_certificate",
    "server_process",
    "stuck_projects",
    "unit_state",
    "untouchable_logs",
    "wrong_links",
    "zombies",
]
