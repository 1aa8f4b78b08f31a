"""The server's port is its own, and the one that was asked for."""

from __future__ import annotations

from healthchecks.portagent.probes_server import PortUse
from healthchecks.portagent.world import World
from healthchecks.portagent.world_containers import NEEDS
from plugins import P0, P1, check, fault, healthy, listed
from plugins.worlds.running import free_port


@check(
    P0,
    guide="PT02",
    hint="""See who has it: `ss -ltnp 'sport = :<port>'`. End that program, or give Portagent
    another port with `portagent --port <port>` or `docker run -p <port>:5200 …`. Where nothing
    listens although it runs, its console says why: `journalctl -n 50 -u portagent` or
    `docker logs --tail 50 portagent`.""",
)
def test_its_port_is_its_own(port_use: PortUse) -> None:
    """Its port is its own.

    While another program has it, the server ends at each start, and browsers talk to a stranger.
    """
    told = f"another program listens on port {port_use.port}"
    assert not port_use.strangers, listed(told, port_use.strangers)
    instead = ", ".join(map(str, port_use.elsewhere))
    but = f"; it listens on {instead}" if instead else ""
    assert port_use.own, f"nothing listens on port {port_use.port}{but}"


@check(
    P1,
    guide="PT02",
    hint="""Say it with the option, the only one that counts: `portagent --port <port>`; in its unit
    ExecStart=… --port <port>, then `systemctl daemon-reload && systemctl restart portagent`. In
    Docker publish it: `docker run -p <port>:5200 …`. Take PORT away, or let it say the same.""",
)
def test_the_port_that_is_set_is_heeded(ignored_port: str) -> None:
    """The port that is set is the one that it listens on.

    The command overwrites the variable PORT with the default of its option, 5200. Whoever believes
    the variable, a proxy or a firewall too, looks at a port where nothing is.
    """
    assert not ignored_port, f"PORT is ignored: {ignored_port}"


@healthy(test_its_port_is_its_own)
@healthy(test_the_port_that_is_set_is_heeded)
def listening(world: World) -> None:
    """The server listens."""
    world.server.start()


@healthy(test_its_port_is_its_own, generation=2)
@healthy(test_the_port_that_is_set_is_heeded, generation=2)
def of_the_second_generation(world: World) -> None:
    """Its successor heeds the variable, for its page."""
    world.server.start()


@healthy(test_its_port_is_its_own)
def under_another_name(world: World) -> None:
    """A program of another name: what it answers tells that it is the server."""
    world.server.start()
    world.change(programs=["an-older-name"])


@healthy(test_the_port_that_is_set_is_heeded)
def set_and_the_same(world: World) -> None:
    """The variable says what the option says."""
    world.server.environment["PORT"] = str(world.server.port)
    world.server.start()


@fault(test_its_port_is_its_own)
def taken(world: World) -> None:
    """Another program was quicker, and the server ended."""
    world.server.another_program()
    assert world.server.start_refused() == 1


@fault(test_its_port_is_its_own)
def taken_by_one_that_says_that_it_is_well(world: World) -> None:
    """Another program has a /health of the same form, as many do."""
    world.server.another_program(well=True)


@fault(test_its_port_is_its_own)
def elsewhere(world: World) -> None:
    """The systems file names another port than the one that it was started with."""
    world.server.start()
    world.change(port=free_port())


@fault(test_its_port_is_its_own)
def deaf(world: World) -> None:
    """It runs, and listens nowhere."""
    world.server.start("deaf")


@fault(test_its_port_is_its_own, needs=NEEDS, becomes="cannot_tell")
def in_a_container_that_only_others_reach(world: World) -> None:
    """Its port is not published: a proxy in another container is the way to it."""
    world.containers.run("--network", "none", leave=("--network",))


@fault(test_its_port_is_its_own, becomes="blocked")
def stopped(world: World) -> None:
    """Nothing listens because nothing runs: that is one finding, not two."""
    world.server.start()
    world.server.stop()


@fault(test_the_port_that_is_set_is_heeded)
def set_in_vain(world: World) -> None:
    """The variable names another port than the one that it listens on."""
    world.server.environment["PORT"] = str(free_port())
    world.server.start()


@fault(test_the_port_that_is_set_is_heeded)
def set_in_vain_by_a_file(world: World) -> None:
    """Its .env file names another port."""
    (world.server.app / ".env").write_text(f"PORT={free_port()}\n")
    world.server.start()


@fault(test_the_port_that_is_set_is_heeded, becomes="blocked")
def nothing_tells(world: World) -> None:
    """Nothing runs, and nothing tells how it is started."""
    assert not world.server.pid
