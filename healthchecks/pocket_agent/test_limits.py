"""Connections are left for those who come next."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_sessions import Connections
from healthchecks.pocket_agent.world import World
from healthchecks.pocket_agent.world_clients import connected, until_cut
from plugins import P2, check, fault, healthy, listed

LEAKED = "few are open: slots were lost, as happens behind a proxy that sets X-Real-IP"


@check(
    P2,
    guide="PA11",
    hint="""See who is connected: `ss -tn state established '( sport = :<port> )'`. The limits are
    fixed: 100 in all, 10 from one address, 60 new ones a minute. Lost slots come back only with a
    restart, when no execution runs: `systemctl restart pocket-agent-server`.""",
)
def test_connections_are_left(connections: Connections) -> None:
    """Connections are left.

    At the limit the next client is refused with 429; everything else looks well.
    """
    seen = connections
    why = [seen.refusal, *seen.crowded, *([LEAKED] if seen.leaked else [])]
    assert not seen.refusal, listed("a new connection is refused", why)
    assert not seen.crowded, listed("an address is near its limit of connections", seen.crowded)
    count, limit = seen.total.value, seen.total.limit or 0.0
    assert count < limit, (
        f"{count:.0f} connections are open, and from {limit:.0f} on they run short"
    )


@healthy(test_connections_are_left)
@healthy(test_connections_are_left, layout="guide")
def a_few_clients(world: World) -> None:
    """Some clients are connected."""
    world.start()
    connected(world, 3)


@fault(test_connections_are_left)
def one_address_full(world: World) -> None:
    """Ten from one address: the eleventh is refused."""
    world.start()
    connected(world, 10)


@fault(test_connections_are_left)
def one_address_nearly_full(world: World) -> None:
    """Eight from one address."""
    world.start()
    connected(world, 8)


@fault(test_connections_are_left)
def many_in_all(world: World) -> None:
    """Most of all connections are taken."""
    world.change(connections_limit=5, connections_per_address=20)
    world.start()
    connected(world, 4)


@fault(test_connections_are_left)
def too_many_new_ones(world: World) -> None:
    """A client that connects anew for each message has used the minute up."""
    world.start(per_minute=2)
    connected(world, 2)


@fault(test_connections_are_left)
def slots_lost(world: World) -> None:
    """Idle clients were cut, and the server never counted them off."""
    world.start(idle=0.2, per_address=2)
    until_cut(connected(world, 2))
