"""The probes of Pocket Agent, by name; each stands in a file of its topic."""

from healthchecks.pocket_agent.probes_disk import (
    data_folder,
    foreign_data_folders,
    foreign_keys,
    open_certificates,
    open_data_folders,
    open_keys,
)
from healthchecks.pocket_agent.probes_logs import (
    ancient_logs,
    leftovers,
    plain_logs,
    stray_logs,
    wrong_links,
)
from healthchecks.pocket_agent.probes_messages import bad_logs
from healthchecks.pocket_agent.probes_metadata import (
    broken_metadata,
    implausible_metadata,
    projects,
)
from healthchecks.pocket_agent.probes_proxy import proxies

__all__ = [
    "ancient_logs",
    "bad_logs",
    "broken_metadata",
    "data_folder",
    "foreign_data_folders",
    "foreign_keys",
    "implausible_metadata",
    "leftovers",
    "open_certificates",
    "open_data_folders",
    "open_keys",
    "plain_logs",
    "projects",
    "proxies",
    "stray_logs",
    "wrong_links",
]
