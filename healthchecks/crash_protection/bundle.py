"""What is gathered of the crash protection: its monitors' logs and state; no conversation."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.crash_protection.monitor_state import STATE
from healthchecks.crash_protection.probes_log import LOGS
from healthchecks.crash_protection.system import CrashProtection
from plugins.bundle.collecting import File, collect, numbered


@collect()
def monitors(system: CrashProtection) -> Iterator[File]:
    """The ends of the monitors' logs, and the state file."""
    yield from numbered("log", (f"{system.folder}/{name}" for name in LOGS))
    yield File("state.json", f"{system.folder}/{STATE}")
