"""The conversations of `--demo`: copied by a watch, and broken as a crash would leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import talk

# What the demo host's people accepted: shown as silenced, with who answers for it.
WAIVED = {
    "crash_protection.protection_comes_back_after_a_restart": "it is started by hand on this host",
}


def stage(world: World, *, broken: bool) -> None:
    """Let a watch run; broken, it died, and what it left is as a crash leaves it."""
    world.summaries()
    world.monitor.line(b"[10:00:00] 3 conversations copied")
    pid = world.monitor.watch()
    if not broken:
        return
    world.monitor.end(pid)
    world.monitor.starter()
    world.monitor.no_unit()
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    uncopied = "9e107d9d-372b-4c1e-a7f5-2f3b1d0c8a66"
    world.age(world.conversations.origin(uncopied, talk(uncopied, 8, hour_ago)), 1800)
    _break_files(world)
    world.monitor.line(b"[10:00:00] Backup integrity check failed for 54f1b9b6-a2a2-4a91-9836")


def _break_files(world: World) -> None:
    world.kit.chmod(0o755)
    world.exports.chmod(0o755)
    min(world.realtime.iterdir()).chmod(0o644)
    saved = max(world.saved.iterdir())
    saved.write_bytes(b'{"type":"us\n' + saved.read_bytes())
    # A stranger's name, as a watched host may have it: it must be shown, not obeyed.
    for name in ("0c9d3c3e.jsonl.tmp", "<img src=x onerror=alert(1)>\x1b[31m.tmp"):
        left = world.realtime / name
        left.write_bytes(b'{"type"')
        world.age(left, 7200)
