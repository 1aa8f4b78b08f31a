"""What the server says on the wire: it opens, is healthy, answers quickly and keeps connections."""

from __future__ import annotations

from healthchecks.pocket_agent.dialogue import Health
from healthchecks.pocket_agent.probes_sessions import IdleConnection
from healthchecks.pocket_agent.probes_wire import Conversation, RoundTrips
from healthchecks.pocket_agent.world import World
from healthchecks.pocket_agent.world_clients import connected
from plugins import P0, P2, check, fault, healthy, listed


@check(
    P0,
    guide="PA03",
    hint="""Try it by hand, past any proxy: `curl --http1.1 -ki -m 10 -H 'Connection: Upgrade'
    -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
    -H 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==' https://127.0.0.1:<port>/ws` (http:// without
    TLS) must begin with 101. Where nothing answers at all, restart it:
    `systemctl restart pocket-agent-server`.""",
)
def test_a_websocket_opens(conversation: Conversation) -> None:
    """A WebSocket opens.

    It is all that clients do with the server. A refusal with 429 is a limit and no outage: that is
    what `connections_are_left` looks at.
    """
    assert conversation.opened or conversation.limited, listed(
        "no WebSocket opens", conversation.attempts
    )


@check(
    P0,
    guide="PA04",
    hint="""Each part that is named says what it lacks: free disk space or memory, or install the
    Claude CLI on the server's PATH. Where no answer comes at all, restart the server:
    `systemctl restart pocket-agent-server`.""",
)
def test_the_server_says_it_is_healthy(health: Health) -> None:
    """The server says that it is healthy, and so does each of its parts.

    Only this answer speaks of disk, memory and the CLI as the server sees them; the word in
    `/health` is a constant. Parts that merely run short are `the_server_warns_of_nothing`'s.
    """
    assert not health.silence, f"the server does not say how it is: {health.silence}"
    assert health.well, listed(f"the server says that it is {health.status}", health.complaints)


@check(
    P2,
    guide="PA04",
    hint="""See what takes it: `top -o %CPU` or `top -o %MEM` for cpu and memory, `df -h` and
    `du -xh --max-depth=1 / | sort -h | tail` for disk. Clients that ask for its health are told
    "unhealthy" for as long as it lasts.""",
)
def test_the_server_warns_of_nothing(health: Health) -> None:
    """The server warns of no shortage.

    Its parts work, and one of them runs short: CPU (three samples of a second in a row), memory
    or disk over 90 %.
    """
    assert not health.warnings, listed("the server warns", health.warnings)


@check(
    P2,
    guide="PA13",
    hint="""See whether the machine is busy (`top`) or the disk slow (`vmstat 1 5`, column wa): the
    server writes before it answers. latency_ms in the systems file is the budget.""",
)
def test_answers_are_quick(round_trips: RoundTrips) -> None:
    """Answers to small messages are quick.

    A connection is served one message after the other: each slow answer keeps all that follow it.
    """
    slowest, limit = round_trips.slowest.value, round_trips.slowest.limit or 0.0
    assert slowest <= limit, (
        f"an answer takes {slowest:.0f} ms (95th percentile); {limit:g} ms is the limit"
    )


@check(
    P2,
    guide="PA12",
    slow=True,
    hint="""See what cuts it: a proxy's read timeout, a firewall's idle limit, or the server's own
    five minutes, which only a message renews (a ping does not): let clients send a message, such
    as `{"type":"project_list"}`, every four minutes.""",
)
def test_connections_last(idle_connection: IdleConnection) -> None:
    """A quiet connection lasts as long as it is configured to.

    A client that only listens to a long execution says nothing for minutes; cut off, it misses the
    end of it.
    """
    lasted, limit = idle_connection.lasted.value, idle_connection.lasted.limit or 0.0
    assert lasted >= limit, (
        f"a quiet connection was cut after {lasted:.0f} s of {limit:.0f} s: "
        f"{idle_connection.ending}"
    )


@healthy(test_a_websocket_opens)
@healthy(test_the_server_says_it_is_healthy)
@healthy(test_the_server_warns_of_nothing)
@healthy(test_answers_are_quick)
@healthy(test_a_websocket_opens, layout="guide")
@healthy(test_the_server_says_it_is_healthy, layout="guide")
@healthy(test_answers_are_quick, layout="guide")
def well(world: World) -> None:
    """A server that is well, in either dialect."""
    world.start()


@healthy(test_a_websocket_opens)
@healthy(test_the_server_says_it_is_healthy)
def well_without_tls(world: World) -> None:
    """The same without TLS, and nobody said so."""
    world.plain()
    world.change(tls="auto")
    world.start()


@healthy(test_a_websocket_opens)
def at_a_limit(world: World) -> None:
    """429 is a limit, not an outage."""
    world.start(per_minute=1)
    connected(world, 1)


@healthy(test_connections_last)
def lasting(world: World) -> None:
    """Quiet for as long as it may be."""
    world.change(idle_timeout=1)
    world.start()


@fault(test_a_websocket_opens)
def behind_something(world: World) -> None:
    """Something in front answers the upgrade with a page."""
    world.start(strip_upgrade=True)


@fault(test_a_websocket_opens)
def hanging(world: World) -> None:
    """It accepts connections and never says a word."""
    world.change(connect_deadline=0.5)
    world.start(hang="tcp")


@fault(test_a_websocket_opens)
def dripping(world: World) -> None:
    """It answers byte by byte."""
    world.change(connect_deadline=0.5)
    world.start(drip=0.1)


@fault(test_the_server_says_it_is_healthy)
def with_a_full_disk(world: World) -> None:
    """One of its parts is not well."""
    world.start(unhealthy=["disk=critical", "memory=warning"])


@healthy(test_the_server_says_it_is_healthy)
@fault(test_the_server_warns_of_nothing)
def on_a_busy_machine(world: World) -> None:
    """The server calls itself unhealthy over a warning; it works."""
    world.start(unhealthy=["cpu=warning"])


@fault(test_the_server_says_it_is_healthy, layout="guide")
def degraded(world: World) -> None:
    """The same in the guide's dialect."""
    world.start(unhealthy=["claude_cli"])


@fault(test_the_server_says_it_is_healthy)
def silent(world: World) -> None:
    """It opens WebSockets and answers none of their messages."""
    world.change(health_deadline=0.5)
    world.start(silent=True)


@fault(test_the_server_says_it_is_healthy)
def flooding(world: World) -> None:
    """It answers with a gigabyte."""
    world.start(flood=True)


@fault(test_the_server_says_it_is_healthy, becomes="blocked")
def without_a_websocket(world: World) -> None:
    """What no connection can tell is blocked by the connection's own check."""
    world.start(strip_upgrade=True)


@fault(test_a_websocket_opens, becomes="blocked")
@fault(test_answers_are_quick, becomes="blocked")
def stopped(world: World) -> None:
    """A server that does not run is one finding, and this is not it."""
    world.start()
    world.stop()


@fault(test_a_websocket_opens, becomes="blocked")
def another_program(world: World) -> None:
    """Another program has the port: that is the port's own check."""
    world.listen_instead()


@fault(test_answers_are_quick)
def slow(world: World) -> None:
    """Each answer takes its time."""
    world.change(latency_ms=50)
    world.start(slow=0.1)


@fault(test_connections_last)
def cut(world: World) -> None:
    """The server cuts quiet connections before their time."""
    world.change(idle_timeout=2)
    world.start(idle=0.3)
