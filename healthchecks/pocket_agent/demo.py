"""The Pocket Agent of `--demo`: running, and broken in every way that a demo can show at once."""

from __future__ import annotations

import os

from healthchecks.pocket_agent import world_files
from healthchecks.pocket_agent.world import World

# What the demo host's people accepted: shown as silenced, with who answers for it.
WAIVED = {
    "pocket_agent.no_project_folder_is_an_orphan": "kept until the team has looked through it",
}


def stage(world: World, *, broken: bool) -> None:
    """Start the server; broken, the world has faults of its files, its certificate and its log."""
    if broken:
        world.project("1b4e28ba-2fa1-41d2-883f-0016d3cca427", metadata=b'{"id": "1b4e28ba')
    # Nobody waits five minutes for `--demo --deep` to see that a quiet connection lasts.
    world.change(idle_timeout=3)
    world.start()
    if broken:
        _break_files(world)
        _break_logs(world)
        world.certificate(days=-3)
        world.key.chmod(0o644)


def _break_files(world: World) -> None:
    whole = world.metadata(0).read_bytes()
    world.metadata(0).with_suffix(".json.backup").write_bytes(whole)
    world.metadata(0).write_bytes(whole[: len(whole) // 2])
    leftover = world.metadata(2).with_name(".tmp-812650")
    leftover.write_bytes(b"{")
    world.age(leftover, 1)
    projects = world.data / "projects"
    (projects / "5f0c6a7e-7a3e-4b6e-9f39-4d2b1a0c9e11").mkdir()
    # A stranger's folder name, as a watched host may have it: it must be shown, not obeyed.
    (projects / "<img src=x onerror=alert(1)>\x1b[31m").mkdir()
    # Nobody can tell what a proxy does whose configuration cannot be read.
    os.mkfifo(world.folder / "nginx.conf")


def _break_logs(world: World) -> None:
    bad = b'{"timestamp": "2026-01-05T10:00:00Z", "mess\n'
    lines = world_files.conversation() + bad
    world.age(world.message_log(1, lines, "messages_2026-01-05_10-00-00.jsonl"), 3)
    world.age(world.message_log(1, None, "messages_2025-11-20_10-00-00.jsonl"), 45)
    world.log_line(
        {
            "time": world.now(),
            "level": "ERROR",
            "source": "router.go:57",
            "msg": "Handler error",
            "type": "project_join",
            "error": "PROJECT_NOT_FOUND: project not found",
        }
    )
