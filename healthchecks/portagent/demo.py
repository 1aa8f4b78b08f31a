"""The Portagent of `--demo`: a real server, and what stands around it as nobody planned it."""

from __future__ import annotations

from healthchecks.portagent.world import World

# What the demo host's people accepted: shown as silenced, with who answers for it.
WAIVED = {
    "portagent.users_of_this_machine_need_a_token": "nobody else is on the demo host",
}


def stage(world: World, *, broken: bool) -> None:
    """Start the server, and a provider on loopback; broken, the server is told what it must not."""
    # Nobody waits two minutes for `--demo --deep` to see that a quiet connection lasts.
    world.change(idle_timeout=3.0)
    if not broken:
        world.outside.provider(seal="")
        world.change(exposed_on_purpose=True)
        world.server.start()
        return
    world.outside.provider("limiting", seal="")
    world.databases.messages("first", count=200, days=60, size=2_000)
    del world.server.environment["JWT_SECRET"]
    world.server.environment["INVITE_CODE_REQUIRED"] = "TRUE"
    world.server.environment["LOG_LEVEL"] = "debug"
    world.server.start()
    world.databases.break_page("agentx", "kv_storage")
    world.data_dir.chmod(0o777)
    world.log.record(
        "ERR", "queue/EventQueue", "Failed to persist entry", "id: 1", "error: 'disk I/O error'"
    )
    # A stranger's words, as a watched host may have them: they must be shown, not obeyed.
    hostile = "name: '<img src=x onerror=alert(1)>\x1b[31m', error: 'database is locked'"
    world.log.record("ERR", "runtime/CommandHandler", "Failed to run image", hostile)
    for generation in range(1, 9):
        old = world.data_dir / "logs" / f"portagent.log.{generation}"
        old.write_bytes(b"x" * 1000)
