"""The probes of claude_docker, by name; each stands in a file of its topic."""

from healthchecks.claude_docker.drill import restore_drill
from healthchecks.claude_docker.probes_archives import (
    broken_archives,
    old_backups,
    open_backups,
    open_copies,
)
from healthchecks.claude_docker.probes_backups import (
    backup_pointer,
    dated_backup,
    latest_link,
    newest_backup,
)
from healthchecks.claude_docker.probes_budgets import budgets, large_logs, off_site_copies
from healthchecks.claude_docker.probes_cli import cli_version
from healthchecks.claude_docker.probes_configuration import (
    broken_configuration,
    corrupted_copies,
    servers_without_arguments,
    staged,
)
from healthchecks.claude_docker.probes_containers import (
    ancient_sessions,
    failing_sessions,
    missing_image,
    pressed_sessions,
    stale_sessions,
    staying_sessions,
    unlimited_sessions,
    unmounted_sessions,
)
from healthchecks.claude_docker.probes_launcher import (
    path_rewriting,
    staying_runs,
    unlimited_runs,
)
from healthchecks.claude_docker.probes_leftovers import (
    debug_orders,
    staging_leftovers,
)
from healthchecks.claude_docker.probes_login import (
    access,
    days_login,
    login_lifetime,
    oauth_login,
    unread_logins,
)
from healthchecks.claude_docker.probes_logs import broken_logs, log_hits, silent_logs
from healthchecks.claude_docker.probes_paths import (
    paths_of_the_container,
    paths_of_the_host,
    unread_servers,
)
from healthchecks.claude_docker.probes_private import (
    foreign_secrets,
    open_secrets,
)
from healthchecks.claude_docker.probes_queries import log_answers
from healthchecks.claude_docker.probes_servers import lost_commands, mute_servers
from healthchecks.claude_docker.probes_sync import (
    drift,
    lost_lock,
)

__all__ = [
    "access",
    "ancient_sessions",
    "backup_pointer",
    "broken_archives",
    "broken_configuration",
    "broken_logs",
    "budgets",
    "cli_version",
    "corrupted_copies",
    "dated_backup",
    "days_login",
    "debug_orders",
    "drift",
    "failing_sessions",
    "foreign_secrets",
    "large_logs",
    "latest_link",
    "log_answers",
    "log_hits",
    "login_lifetime",
    "lost_commands",
    "lost_lock",
    "missing_image",
    "mute_servers",
    "newest_backup",
    "oauth_login",
    "off_site_copies",
    "old_backups",
    "open_backups",
    "open_copies",
    "open_secrets",
    "path_rewriting",
    "paths_of_the_container",
    "paths_of_the_host",
    "pressed_sessions",
    "restore_drill",
    "servers_without_arguments",
    "silent_logs",
    "staged",
    "staging_leftovers",
    "stale_sessions",
    "staying_runs",
    "staying_sessions",
    "unlimited_runs",
    "unlimited_sessions",
    "unmounted_sessions",
    "unread_logins",
    "unread_servers",
]
