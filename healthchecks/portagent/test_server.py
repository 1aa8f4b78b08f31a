"""The server is up, reads its users, keeps quiet in its log, and its version is known."""

from __future__ import annotations

from healthchecks.portagent.probes_server import Health, UsersRead, Versions
from healthchecks.portagent.world import World
from plugins import P0, P1, P3, check, fault, healthy, listed


@check(
    P0,
    guide="PT01",
    hint="""Ask it by hand, past any proxy: `curl -is -m 5 http://127.0.0.1:<port>/health` must say
    Content-Type: application/json and {"status":"ok",…}. Where nothing answers, see why it ended:
    `docker logs --tail 50 portagent` or `journalctl -n 50 -u portagent`, then start it again:
    `docker restart portagent`, `systemctl restart portagent`, or `portagent` where neither looks
    after it. A wrong time is the machine's
    (`timedatectl`) or a cache's in between.""",
)
def test_it_is_up(health: Health) -> None:
    """It is up.

    The web page answers every path with 200, so that only JSON with a status and a time of now is
    a sign of life. The second generation has another one, and is asked for that.
    """
    assert not health.trouble, listed("Portagent is not up", (health.trouble,))
    kept = f", and a cache kept the answer for {health.kept:g} s" if health.kept else ""
    assert not health.off, f"the time that it tells is {health.off:.0f} s off{kept}"


@check(
    P1,
    guide="PT09",
    hint="""500 with "database is locked" means that somebody else holds portagent.db:
    `fuser -v <data folder>/data/portagent.db` names who, and only one server may use a folder. Any
    other 500 is a damaged file: `sqlite3 -readonly <data folder>/data/portagent.db
    'PRAGMA integrity_check'`.""",
)
def test_it_can_read_its_users(users_read: UsersRead) -> None:
    """It can read its users.

    `/health` stays well while the database is locked or broken, and nobody can log in. The login of
    somebody who cannot exist is tried, which reads and writes nothing; nobody is registered.
    """
    assert users_read.status == 401, listed(
        "the login of nobody is not answered with 401",
        (f"HTTP {users_read.status}: {users_read.said}",),
    )


@check(
    P3,
    guide="PT26",
    hint="""Start it with LOG_LEVEL=info: in its unit's or its .env file, or with
    `docker run -e LOG_LEVEL=info …`; it is read at the start alone.""",
)
def test_its_log_is_at_its_production_level(log_level: str) -> None:
    """Its log is at its production level.

    With debug every message is logged: it fills its 80 MiB in hours, and what went wrong is gone.
    """
    assert log_level.lower() not in {"debug", "trace"}, f"LOG_LEVEL is {log_level}"


@check(
    P3,
    guide="PT28",
    hint="""Run an image by its version and not by latest: `docker image inspect
    deepracticexs/portagent` names what there is; a package tells by
    `npm ls -g @agentxjs/portagent`. `portagent --version` always says 0.0.1.""",
)
def test_its_version_is_known(versions: Versions) -> None:
    """Its version is known.

    Whoever reports a fault, or goes back to what worked, needs it; its own --version is a constant.
    """
    assert versions.known, listed("nothing tells its version", versions.looked_in)


@healthy(test_it_is_up)
@healthy(test_it_can_read_its_users)
@healthy(test_its_log_is_at_its_production_level)
@healthy(test_its_version_is_known)
def running(world: World) -> None:
    """A server that runs."""
    world.server.start()


@healthy(test_it_is_up)
@healthy(test_it_can_read_its_users)
def without_its_page(world: World) -> None:
    """Run from its sources, where nobody built the page."""
    (world.server.public / "index.html").unlink()
    world.server.start()


@healthy(test_it_is_up, generation=2)
def of_the_second_generation(world: World) -> None:
    """Its successor answers otherwise, and is up."""
    world.server.start()


@fault(test_it_is_up)
def stopped(world: World) -> None:
    """It was ended."""
    world.server.start()
    world.server.stop()


@fault(test_it_is_up)
def never_started(world: World) -> None:
    """Without a key of the provider it does not start."""
    del world.server.environment["LLM_PROVIDER_KEY"]
    assert world.server.start_refused() == 1


@fault(test_it_is_up)
def hanging(world: World) -> None:
    """It takes connections and answers nothing."""
    world.change(connect_deadline=0.5)
    world.server.start("hung")


@fault(test_it_is_up)
def suspended(world: World) -> None:
    """Somebody pressed the wrong key, or a debugger holds it."""
    world.change(connect_deadline=0.5)
    world.server.start()
    world.server.suspend()


@healthy(test_it_is_up)
def slow(world: World) -> None:
    """It takes its time, and less than is allowed."""
    world.server.start("slow=0.5")


@fault(test_it_is_up)
def crashing(world: World) -> None:
    """Every answer is a 500."""
    world.server.start("broken")


@fault(test_it_is_up)
def saying_that_it_is_not_well(world: World) -> None:
    """JSON with another status."""
    world.server.start("sick")


@fault(test_it_is_up)
def with_its_page_alone(world: World) -> None:
    """The page answers /health, with 200."""
    world.server.start("page_for_health")


@fault(test_it_is_up)
def with_a_wrong_clock(world: World) -> None:
    """It tells a time an hour ahead."""
    world.server.start("clock=3600")


@fault(test_it_is_up)
def behind_a_cache(world: World) -> None:
    """What answers has kept an answer of an hour ago."""
    world.server.start("cached")


@fault(test_it_is_up, generation=2)
def of_the_second_generation_without_its_page(world: World) -> None:
    """Its sockets answer, its page does not."""
    world.server.start("no_page")


@fault(test_it_is_up, becomes="blocked")
@fault(test_it_can_read_its_users, becomes="blocked")
def with_another_program_at_its_port(world: World) -> None:
    """Another program was quicker: that is one finding, not two."""
    world.server.another_program()


@fault(test_it_is_up, becomes="blocked")
def with_another_program_that_is_well(world: World) -> None:
    """A stranger's /health is no sign of life of the server."""
    world.server.another_program(well=True)


@fault(test_it_can_read_its_users, becomes="blocked")
@fault(test_its_log_is_at_its_production_level, becomes="blocked")
@fault(test_its_version_is_known, becomes="blocked")
def nothing_runs(world: World) -> None:
    """Nobody started it."""
    assert not world.server.pid


@fault(test_it_can_read_its_users, becomes="absent", generation=2)
def with_other_users(world: World) -> None:
    """Its successor has no such login."""
    world.server.start()


@fault(test_it_can_read_its_users)
def locked(world: World) -> None:
    """Another process holds the users' database."""
    world.server.start()
    world.databases.hold("portagent", "BEGIN EXCLUSIVE")


@fault(test_it_can_read_its_users)
def damaged(world: World) -> None:
    """The users' database was overwritten after the start."""
    world.server.start()
    world.databases.break_header("portagent")


@healthy(test_its_log_is_at_its_production_level)
def told_by_a_file(world: World) -> None:
    """The variable goes before the file."""
    (world.server.app / ".env").write_text("LOG_LEVEL=debug\n")
    world.server.environment["LOG_LEVEL"] = "warn"
    world.server.start()


@fault(test_its_log_is_at_its_production_level)
def debugged(world: World) -> None:
    """Somebody looked for a fault, and left it so."""
    world.server.environment["LOG_LEVEL"] = "debug"
    world.server.start()


@fault(test_its_log_is_at_its_production_level)
def debugged_by_a_file(world: World) -> None:
    """Its .env file says so."""
    (world.server.app / ".env").write_text("LOG_LEVEL=debug\n")
    world.server.start()


@fault(test_its_version_is_known)
def without_its_package(world: World) -> None:
    """Nothing describes what runs."""
    (world.server.package / "package.json").unlink()
    world.server.start()
