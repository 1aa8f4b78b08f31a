"""The Claude Code of `--demo`: its kit as a bad week leaves it. Nothing is started."""

from __future__ import annotations

import shutil

from healthchecks.claude_docker.world import World

# What the demo host's people accepted: shown as silenced, with who answers for it.
WAIVED = {
    "claude_docker.every_docker_run_of_the_launcher_passes_rm": "sessions are looked into when "
    "they ended",
}


def stage(world: World, *, broken: bool) -> None:
    """Break the kit, or leave it well; without Docker then, which not every machine has."""
    world.logs.event("claude_start")
    world.logs.metric(900.0)
    if not broken:
        shutil.rmtree(world.state_dir.parents[1])
        shutil.rmtree(world.sync.tools)
        return
    _break_login(world)
    _break_backups(world)
    world.sync.launch(rm="")
    world.sync.locked(seconds_ago=7200.0)
    for number in range(3):
        world.logs.event("config_reconciled", "error", ago=600.0 + number)
    world.logs.raw(b'{"timestamp": "2026-01-05T10:00:00Z", "lev\n')
    world.logs.text("[ERROR] Failed to acquire sync lock after 3 attempts")


def _break_login(world: World) -> None:
    login = world.login
    login.oauth |= {"expiresAt": 1_700_000_000_000}
    del login.oauth["refreshToken"]
    login.configuration["mcp"] = {"servers": {"notes": {"command": "npx", "args": ["-y", "notes"]}}}
    login.write()
    login.credentials.chmod(0o644)
    login.settings_file.write_bytes(b'{"permissions": {"al')
    login.safety_copy().with_name(".claude.json.corrupted.1795168847816").write_bytes(b"{")


def _break_backups(world: World) -> None:
    old = world.backups.full(days=45, link=False)
    cut = old.with_name(f"{old.name}.tar.gz")
    cut.write_bytes(cut.read_bytes()[:-200])
    world.backups.pre_sync(days=40)
    world.backups.latest.unlink()
    world.backups.latest.symlink_to(world.backup_root / "20250118-143000")
    # A stranger's name, as a watched host may have it: it must be shown, not obeyed.
    world.backups.hostile(world.backup_root / "20250118-150000.tar.gz", "<b>\x1b[31m/../../x")
