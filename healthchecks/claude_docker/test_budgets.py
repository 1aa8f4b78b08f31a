"""Backups, staging and logs stay within the room that they are given."""

from __future__ import annotations

import shutil

from healthchecks.claude_docker.probes_budgets import Budget
from healthchecks.claude_docker.world import World
from plugins import P2, check, fault, healthy, listed


@check(
    P2,
    guide="CD19",
    hint="""Clear away what is biggest: old backups with `pytest healthchecks/ --fix --fix-only
    claude_docker.old_backups_are_cleared_away`, logs with `gzip` of those that were rotated, copies
    of the staging folder once nobody misses them. What takes the room, `du -sh ~/.claude-backups/*
    ~/.docker-ai-config/global_state/* ~/.claude-docker-*` tells. If all of it is needed, raise
    backups_gib, staging_gib or logs_gib in the systems file.""",
)
def test_backups_staging_and_logs_keep_their_budgets(budgets: tuple[Budget, ...]) -> None:
    """Backups, the staging folder and the logs stay within their budgets.

    Each backup is a whole copy, as the kit's linking to the one before it never works, and a full
    disk stops the next synchronisation in its middle.
    """
    over = [budget for budget in budgets if budget.over]
    assert not over, listed("these take more than their budget", over)


@healthy(test_backups_staging_and_logs_keep_their_budgets)
def small(world: World) -> None:
    world.backups.full(days=1)


@fault(test_backups_staging_and_logs_keep_their_budgets, becomes="absent", layout="own")
def nothing_of_the_kit(world: World) -> None:
    shutil.rmtree(world.state_dir, ignore_errors=True)


@fault(test_backups_staging_and_logs_keep_their_budgets)
def many_backups(world: World) -> None:
    world.change(backups_gib=0.00001)


@fault(test_backups_staging_and_logs_keep_their_budgets)
def a_large_staging_folder(world: World) -> None:
    world.state_dir.mkdir(parents=True, exist_ok=True)
    (world.state_dir / "core").write_bytes(b"x" * 50_000)
    world.change(staging_gib=0.00004)


@fault(test_backups_staging_and_logs_keep_their_budgets)
def large_logs(world: World) -> None:
    (world.folder / ".claude-docker-events.jsonl.20250118").write_bytes(b"{}\n" * 9000)
    world.change(logs_gib=0.00001)
