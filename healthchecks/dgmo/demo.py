"""The DGMO of `--demo`: its store as a crash leaves it, and a Qdrant whose collection is wrong."""

from __future__ import annotations

from healthchecks.dgmo.world import World

# What the demo host's people accepted: shown as silenced, with who answers for it.
WAIVED = {
    "dgmo.no_conflicts_wait_to_be_merged": "they are merged by hand at the end of the month",
}


def stage(world: World, *, broken: bool) -> None:
    """Start its Qdrant over real sessions; broken, both are as nobody looked after them."""
    sessions = world.sessions
    parent = sessions.session("Plan the move")
    sessions.sub_session(parent)
    world.files.backup(hours=2)
    if not broken:
        world.memory.stand_in(points=40)
        world.memory.age_snapshot(world.memory.snapshot(), 2)
        return
    lost = sessions.session("Write the report")
    sessions.sub_session(parent, indexed=False)
    world.memory.stand_in(points=40, vectors={"size": 384, "distance": "Cosine"})
    _break_sessions(world, parent, lost)
    world.log_line(b"ERROR Failed to read session: SyntaxError: Unexpected end of JSON input")
    world.files.lock("999999")


def _break_sessions(world: World, parent: str, lost: str) -> None:
    sessions = world.sessions
    path = sessions.info(lost)
    path.write_bytes(path.read_bytes()[:40])
    leftover = path.with_name(f"{parent}.json1751700000000.tmp")
    world.age(sessions.write(leftover, b'{"id'), hours=5)
    sessions.sub_session(parent, status="running", hours=30)
    sessions.info(parent).chmod(0o755)
    conflict = sessions.info(parent).with_name(f"{parent}.json.conflict-laptop")
    sessions.write(conflict, {"id": parent})
    # A stranger's name, as a watched host may have it: it must be shown, not obeyed.
    sessions.write(sessions.folder / "info" / "<img src=x onerror=alert(1)>\x1b[31m.json", b"")
