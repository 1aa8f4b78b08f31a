"""The checks themselves: where they keep their state, and how long they warn ahead."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.hosts import Host
from plugins.systems import Uses


@dataclass(frozen=True)
class Settings:
    """The keys of the table [suite]; what each one means stands in systems.toml."""

    home: str
    on: str
    enabled: str
    state: str
    docs: str
    attempts: int
    attempts_hours: float
    waiver_warn_days: int
    history_days: int
    flapping_changes: int
    flapping_runs: int


@dataclass(frozen=True)
class Suite:
    """The suite, which is there whenever it runs."""

    settings: Settings
    uses: Uses


def find(settings: Settings, host: Host) -> Suite:
    """Return the suite; `host` is where it runs."""
    del host
    return Suite(settings, Uses())
