"""The server's port is its own."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_process import PortUse
from healthchecks.pocket_agent.world import World
from plugins import P0, check, fault, healthy, listed


@check(
    P0,
    guide="PA02",
    hint="""See who has it: `ss -ltnp | grep <port>`. End that program or give the server another
    port (`port` in its configuration), then `systemctl restart pocket-agent-server`. Where nothing
    listens although it runs, its log says why: `journalctl -n 50 -u pocket-agent-server`; where it
    was configured anew, it takes the new port at its next start.""",
)
def test_its_port_is_its_own(port_use: PortUse) -> None:
    """The server's port is its own.

    While another program has it, the server ends at each start, and its clients talk to a stranger.
    """
    told = f"another program listens on port {port_use.port}"
    assert not port_use.strangers, listed(told, port_use.strangers)
    instead = ", ".join(map(str, port_use.elsewhere))
    but = f"; the server listens on {instead}, and was configured anew since" if instead else ""
    assert port_use.own, f"nothing listens on port {port_use.port}{but}"


@healthy(test_its_port_is_its_own)
@healthy(test_its_port_is_its_own, layout="guide")
def listening(world: World) -> None:
    """The server listens."""
    world.start()


@healthy(test_its_port_is_its_own)
def under_another_name(world: World) -> None:
    """A renamed executable: its health page tells that it is the server."""
    world.start()
    world.change(program="an-older-name")


@fault(test_its_port_is_its_own)
def taken(world: World) -> None:
    """Another program was quicker."""
    world.listen_instead()


@fault(test_its_port_is_its_own)
def elsewhere(world: World) -> None:
    """The configuration names another port since, and the server was not restarted."""
    world.change(port=0)
    world.start()
    world.configure(port=world.settings()["debug_port"])


@fault(test_its_port_is_its_own, becomes="blocked")
def stopped(world: World) -> None:
    """Nothing listens because nothing runs: that is one finding, not two."""
    world.start()
    world.stop()
