"""The probes of portagent, by name; each stands in a file of its topic."""

from healthchecks.portagent.probes_container import container_state, endless_log, lone_container
from healthchecks.portagent.probes_container_network import names_lost_inside, unattached
from healthchecks.portagent.probes_data import log_files, misheld_data
from healthchecks.portagent.probes_database_backups import database_backups
from healthchecks.portagent.probes_databases import (
    accounts,
    blocked_databases,
    broken_databases,
    write_log,
)
from healthchecks.portagent.probes_invitations import invitations
from healthchecks.portagent.probes_log import log_hits
from healthchecks.portagent.probes_old_messages import old_messages
from healthchecks.portagent.probes_page import page, page_in_browser, preflight
from healthchecks.portagent.probes_provider import provider_key, provider_pace, provider_reach
from healthchecks.portagent.probes_proxy import proxies, through_the_proxy
from healthchecks.portagent.probes_resources import load, memory_growth, unlimited
from healthchecks.portagent.probes_secrets import (
    inspected_secrets,
    open_variable_files,
    printed_keys,
    server_key,
    spoken_secrets,
)
from healthchecks.portagent.probes_server import (
    health,
    ignored_port,
    log_level,
    port_use,
    users_read,
    versions,
)
from healthchecks.portagent.probes_sockets import access, opening, quiet_connection
from healthchecks.portagent.probes_tokens import signing_secret, token_trial
from healthchecks.portagent.probes_unit import unit_state

__all__ = [
    "access",
    "accounts",
    "blocked_databases",
    "broken_databases",
    "container_state",
    "database_backups",
    "endless_log",
    "health",
    "ignored_port",
    "inspected_secrets",
    "invitations",
    "load",
    "log_files",
    "log_hits",
    "log_level",
    "lone_container",
    "memory_growth",
    "misheld_data",
    "names_lost_inside",
    "old_messages",
    "open_variable_files",
    "opening",
    "page",
    "page_in_browser",
    "port_use",
    "preflight",
    "printed_keys",
    "provider_key",
    "provider_pace",
    "provider_reach",
    "proxies",
    "quiet_connection",
    "server_key",
    "signing_secret",
    "spoken_secrets",
    "through_the_proxy",
    "token_trial",
    "unattached",
    "unit_state",
    "unlimited",
    "users_read",
    "versions",
    "write_log",
]
