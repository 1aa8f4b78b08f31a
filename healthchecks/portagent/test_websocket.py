"""A WebSocket opens, for those who should get in, and lasts."""

from __future__ import annotations

from healthchecks.portagent.probes_sockets import Access, Opening, QuietConnection
from healthchecks.portagent.world import World
from plugins import P0, P2, check, fault, healthy, listed


@check(
    P0,
    guide="PT11",
    hint="""Try it by hand, past any proxy: `curl --http1.1 -sN -m 5 -i -H 'Connection: Upgrade'
    -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
    -H 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==' http://127.0.0.1:<port>/ws` must begin with
    101. Where it does not, restart it: `docker restart portagent` or
    `systemctl restart portagent`.""",
)
def test_a_websocket_opens(opening: Opening) -> None:
    """A WebSocket opens.

    Everything but the login goes over it. One ping is sent and nothing else: every text frame would
    be kept in queue.db and be told to all who are connected.
    """
    assert opening.opened, listed("no WebSocket opens", opening.attempts)


@check(
    P0,
    guide="PT12",
    hint="""Let other machines not reach it: in Docker `docker run -p 127.0.0.1:5200:5200 …`, as a
    firewall such as ufw does not hold for ports that Docker publishes; else `ufw deny <port>`, as
    the command itself always listens at every address. Put a proxy before it that asks who they
    are, such as nginx with auth_basic or auth_request for location /ws. Where a firewall or VPN
    keeps others out, which is not seen here, say exposed_on_purpose = true in the systems file.""",
)
def test_strangers_cannot_open_a_websocket(access: Access) -> None:
    """Strangers cannot open a WebSocket.

    The server never looks at the token of a WebSocket, whatever the guide says, and its agents run
    without asking for permission: whoever reaches the port runs commands as the server's user.
    """
    guarded = access.on_purpose or not access.anybody
    assert guarded or not access.open_at, listed(
        "whoever reaches the port can run commands, without a token", access.open_at
    )


@check(
    P2,
    guide="PT12",
    hint="""Where other people or programs use this machine, run it in a container or a network name
    space that only the proxy in front of it reaches. Where nobody else does, say
    exposed_on_purpose = true in the systems file.""",
)
def test_users_of_this_machine_need_a_token(access: Access) -> None:
    """Users of this machine cannot open a WebSocket without a token either.

    Any account and any program of this machine, a page in a browser among them, can connect to the
    port and run commands as the server's user.
    """
    open_here = access.anybody and not access.open_at and not access.on_purpose
    assert not open_here, "everybody on this machine can run commands as its user, without a token"


@check(
    P2,
    guide="PT13",
    slow=True,
    hint="""Try it past any proxy; where it lasts there, let the proxy wait longer:
    `proxy_read_timeout 3600s;` for nginx, then `nginx -t && systemctl reload nginx`. Where it does
    not, look for "heartbeat timeout" in <data folder>/logs/portagent.log, and at what the machine
    lacks meanwhile: `uptime`, `free -m`.""",
)
def test_connections_last(quiet_connection: QuietConnection) -> None:
    """Quiet connections last.

    The server pings every 30 seconds and cuts who does not answer. Who answers, and is cut, loses
    what the agent says meanwhile.
    """
    lasted = quiet_connection.lasted
    assert lasted.value >= (lasted.limit or 0.0), (
        f"a connection that answers pings was cut after {lasted.value:g} s: "
        f"{quiet_connection.ending}"
    )


@healthy(test_a_websocket_opens)
@healthy(test_a_websocket_opens, generation=2)
@healthy(test_strangers_cannot_open_a_websocket)
@healthy(test_strangers_cannot_open_a_websocket, generation=2)
def on_loopback(world: World) -> None:
    """A server that only this machine reaches."""
    world.server.start()


@healthy(test_a_websocket_opens)
@healthy(test_strangers_cannot_open_a_websocket)
@healthy(test_users_of_this_machine_need_a_token)
def guarded(world: World) -> None:
    """What stands at the port asks for a token, and we have one."""
    world.server.start("guarded")
    world.server.offer(world.server.register()["token"])


@healthy(test_strangers_cannot_open_a_websocket)
@healthy(test_users_of_this_machine_need_a_token)
def meant(world: World) -> None:
    """It listens everywhere, as it always does, and somebody answers for that."""
    world.change(exposed_on_purpose=True)
    world.server.environment["WORLD_HOST"] = "0.0.0.0"  # noqa: S104 - shown on purpose
    world.server.start()


@fault(test_a_websocket_opens)
def without_sockets(world: World) -> None:
    """The connection is cut without an answer."""
    world.server.start("no_socket")


@fault(test_a_websocket_opens)
def with_the_page_instead(world: World) -> None:
    """The upgrade does not come through, and the page answers."""
    world.server.start("no_upgrade")


@fault(test_a_websocket_opens)
def with_a_token_that_is_refused(world: World) -> None:
    """What stands at the port asks for a token, and ours is none."""
    world.server.start("guarded")
    world.server.offer("not-a-token")


@fault(test_a_websocket_opens, becomes="cannot_tell")
def guarded_and_without_a_token(world: World) -> None:
    """What stands at the port asks for a token, and we have none."""
    world.server.start("guarded")


@fault(test_a_websocket_opens, becomes="blocked")
@fault(test_strangers_cannot_open_a_websocket, becomes="blocked")
@fault(test_users_of_this_machine_need_a_token, becomes="blocked")
@fault(test_connections_last, becomes="blocked")
def nothing_runs(world: World) -> None:
    """Nobody started it."""
    assert not world.server.pid


@fault(test_strangers_cannot_open_a_websocket)
@fault(test_strangers_cannot_open_a_websocket, generation=2)
def open_to_all(world: World) -> None:
    """The real server's own way: every address, and no token."""
    world.server.environment["WORLD_HOST"] = "0.0.0.0"  # noqa: S104 - shown on purpose
    world.server.start()


@fault(test_strangers_cannot_open_a_websocket, needs=("nginx",))
def open_by_its_proxy(world: World) -> None:
    """Only this machine reaches its port, and everybody the proxy in front, which asks nobody."""
    world.server.start()
    world.change(proxy_url=f"http://127.1:{world.outside.proxy()}")


@healthy(test_strangers_cannot_open_a_websocket, needs=("nginx",))
def asked_by_its_proxy(world: World) -> None:
    """The proxy in front asks for a name and a password where WebSockets open."""
    world.server.start()
    world.change(proxy_url=f"http://127.1:{world.outside.proxy(guards=True)}")


@fault(test_users_of_this_machine_need_a_token)
def open_to_this_machine(world: World) -> None:
    """Only this machine reaches it, and everybody there."""
    world.server.start()


@fault(test_strangers_cannot_open_a_websocket, becomes="blocked")
@fault(test_connections_last, becomes="blocked")
def shut(world: World) -> None:
    """No WebSocket opens at all: that is one finding."""
    world.server.start("no_socket")


@healthy(test_connections_last)
def lasting(world: World) -> None:
    """It pings, we answer, and the connection lasts."""
    world.change(idle_timeout=1.5)
    world.server.environment["WORLD_HEARTBEAT"] = "0.4"
    world.server.start()


@fault(test_connections_last)
def cut(world: World) -> None:
    """It is cut although pings are answered."""
    world.change(idle_timeout=3.0)
    world.server.environment["WORLD_HEARTBEAT"] = "0.4"
    world.server.start("cuts=0.8")
