"""The probes of crash_protection, by name; each stands in a file of its topic."""

from healthchecks.crash_protection.probes_copies import broken_metadata, unreadable_copies
from healthchecks.crash_protection.probes_copies_current import protection
from healthchecks.crash_protection.probes_copies_recovery import shipped_recovery
from healthchecks.crash_protection.probes_folders import (
    budget,
    cut_copies,
    foreign_copies,
    missing_folders,
    old_summaries,
    open_copies,
)
from healthchecks.crash_protection.probes_log import log_hits, monitor_logs
from healthchecks.crash_protection.probes_monitor import monitor_end, monitor_state, monitors
from healthchecks.crash_protection.probes_restart import comeback
from healthchecks.crash_protection.probes_volume import conversation_volume, helper_image
from healthchecks.crash_protection.probes_waiting import unrecovered

__all__ = [
    "broken_metadata",
    "budget",
    "comeback",
    "conversation_volume",
    "cut_copies",
    "foreign_copies",
    "helper_image",
    "log_hits",
    "missing_folders",
    "monitor_end",
    "monitor_logs",
    "monitor_state",
    "monitors",
    "old_summaries",
    "open_copies",
    "protection",
    "shipped_recovery",
    "unreadable_copies",
    "unrecovered",
]
