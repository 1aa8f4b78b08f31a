"""What costs is imported where it is used, and what looks at nothing imports no report."""

from __future__ import annotations

import pytest

from plugins.tests.test_house_rules import LISTED, printed

HEAVY = (
    "aiohttp apprise asyncio cryptography docker h11 hyperscan jq jwt qdrant_edge requests sqlite3"
    " websocket zstandard"
)
# What makes reports, keeps or sends them; their plugins are small and import these when asked.
REPORTING = (
    *("plugins.outputs", "plugins.report.html", "plugins.report.page", "plugins.incident."),
    *(
        "plugins.history",
        "plugins.bundle.",
        "plugins.serve.server",
        "plugins.alerts.sen",
        "prometheus_client",
    ),
)
EXPLAIN = ("--explain", "host.disks_have_room", "--tap=-", "-v")


def loaded(told: str) -> set[str]:
    """Return the modules that Python says it imported."""
    lines = told.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_what_costs_is_not_loaded_at_the_start() -> None:
    modules = loaded(printed(*LISTED)[1])
    assert "plugins.catalog" in modules
    assert not modules & set(HEAVY.split()), "load it where it is used: most runs need none of it"


@pytest.mark.parametrize("use", [LISTED, ("--co", "-q", "--system", "host"), EXPLAIN])
def test_what_looks_at_nothing_imports_nothing_of_the_reports(use: tuple[str, ...]) -> None:
    out, told = printed(*use)
    assert "disks_have_room" in out
    assert not [name for name in loaded(told) if name.startswith(REPORTING)]
