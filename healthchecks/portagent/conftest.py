"""The probes of portagent, by name; each stands in a file of its topic."""

from healthchecks.portagent.probes_container import container_state, endless_log, lone_container
from healthchecks.portagent.probes_container_network import names_lost_inside, unattached
from healthchecks.portagent.probes_data import log_files, misheld_data
from healthchecks.portagent.probes_databases import (
    accounts,
    blocked_databases,
    broken_databases,
    write_log,
)
from healthchecks.portagent.probes_provider import provider_key, provider_pace, provider_reach
from healthchecks.portagent.probes_proxy import proxies, through_the_proxy

__all__ = [
    "accounts",
    "blocked_databases",
    "broken_databases",
    "container_state",
    "endless_log",
    "log_files",
    "lone_container",
    "misheld_data",
    "names_lost_inside",
    "provider_key",
    "provider_pace",
    "provider_reach",
    "proxies",
    "through_the_proxy",
    "unattached",
    "write_log",
]
