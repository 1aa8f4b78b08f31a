"""A proxy in front lets people through, passes WebSockets on, and waits for them."""

from __future__ import annotations

import os

from healthchecks.portagent.probes_proxy import Proxies, Through
from healthchecks.portagent.world import World
from plugins import P0, P2, check, fault, healthy, listed

BARE = "server { location / { proxy_pass http://localhost:$PORT; } }"


@check(
    P0,
    guide=("PT11", "PT24"),
    hint="""Look at the proxy's own error log (`tail /var/log/nginx/error.log`). Where the upgrade
    is answered with another status than 101, set `proxy_http_version 1.1;`,
    `proxy_set_header Upgrade $http_upgrade;` and `proxy_set_header Connection "upgrade";` in the
    place that passes on, then `nginx -t && nginx -s reload`.""",
)
def test_the_proxy_in_front_lets_people_through(through_the_proxy: Through) -> None:
    """The proxy in front lets people through.

    Whoever comes by `proxy_url` must get the server's own answers and a WebSocket. The server
    itself is well when this fails, so that no look at its port shows it.
    """
    seen = through_the_proxy
    assert not seen.troubles, listed(f"not everything comes through {seen.url}", seen.troubles)


@check(
    P2,
    guide=("PT24", "PT11"),
    hint="""In each place that is listed set `proxy_http_version 1.1;`,
    `proxy_set_header Upgrade $http_upgrade;` and `proxy_set_header Connection "upgrade";`, then
    `nginx -t && nginx -s reload`.""",
)
def test_the_proxy_in_front_upgrades(proxies: Proxies) -> None:
    """The proxy in front passes WebSocket upgrades on.

    Without these lines nginx drops the upgrade: the page loads, people log in, and no agent ever
    answers, as everything that agents say comes over a WebSocket.
    """
    faults = [fault for place in proxies.sockets for fault in place.drops()]
    assert not faults, listed("nginx drops the WebSocket upgrade", faults)


@check(
    P2,
    guide=("PT24", "PT13"),
    hint="""In each place that is listed set `proxy_read_timeout 3600s;`, then
    `nginx -t && nginx -s reload`.""",
)
def test_the_proxy_in_front_waits(proxies: Proxies) -> None:
    """The proxy in front waits for quiet connections.

    nginx waits one minute unless told otherwise. The server pings every 30 seconds, so that one
    ping that is late, or a busy moment of the server, cuts everybody off.
    """
    limit = proxies.patience
    short = [fault for place in proxies.sockets for fault in place.hurries(limit)]
    assert not short, listed(f"nginx waits less than {limit:g} s for the server", short)


@healthy(test_the_proxy_in_front_lets_people_through, needs=("nginx",))
@healthy(test_the_proxy_in_front_upgrades, needs=("nginx",))
@healthy(test_the_proxy_in_front_waits, needs=("nginx",))
def set_up_well(world: World) -> None:
    """A real nginx with the guide's lines."""
    world.server.start()
    world.outside.proxy()


@healthy(test_the_proxy_in_front_lets_people_through, needs=("nginx",))
@healthy(test_the_proxy_in_front_upgrades, needs=("nginx",))
def with_the_page_of_its_own(world: World) -> None:
    """nginx serves the page, and passes on the interface and WebSockets alone."""
    world.server.start()
    world.outside.proxy(pages=True)


@healthy(test_the_proxy_in_front_upgrades)
@healthy(test_the_proxy_in_front_waits)
def one_place_for_each(world: World) -> None:
    """Pages need no upgrade and no patience where WebSockets have a place of their own."""
    world.outside.nginx_conf(
        "server { location / { proxy_pass http://127.0.0.1:$PORT; } location /ws {"
        " proxy_pass http://127.0.0.1:$PORT; proxy_http_version 1.1; proxy_read_timeout 1h;"
        ' proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } }'
    )


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",))
@fault(test_the_proxy_in_front_upgrades, needs=("nginx",))
def without_the_headers(world: World) -> None:
    """A real nginx that drops the upgrade: the page comes instead of 101."""
    world.server.start()
    world.outside.proxy(upgrades=False)


@fault(test_the_proxy_in_front_waits, needs=("nginx",))
def impatient(world: World) -> None:
    """A real nginx that waits five seconds."""
    world.server.start()
    world.outside.proxy(read_timeout="5s")


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",))
def in_front_of_nothing(world: World) -> None:
    """nginx passes another port on: 502."""
    world.server.start()
    world.outside.proxy(port=9)


@fault(test_the_proxy_in_front_lets_people_through)
def gone(world: World) -> None:
    """Nobody listens at the proxy's address."""
    world.server.start()
    world.change(proxy_url="http://127.0.0.1:9")


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",))
def from_a_cache(world: World) -> None:
    """nginx kept an answer of long ago."""
    world.server.start()
    world.outside.proxy(keeps=True)


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",))
def another_page(world: World) -> None:
    """The welcome page of the distribution."""
    world.server.start()
    world.outside.proxy(passes=False)


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",), becomes="blocked")
def in_front_of_a_server_that_is_down(world: World) -> None:
    """The server is the cause, not the proxy."""
    world.outside.proxy()


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",), becomes="blocked")
def in_front_of_a_server_without_sockets(world: World) -> None:
    """The server itself opens no WebSocket."""
    world.server.start("no_socket")
    world.outside.proxy()


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",), becomes="cannot_tell")
def with_a_login_of_its_own(world: World) -> None:
    """nginx asks for a name and a password first."""
    world.server.start()
    world.outside.proxy(asks=True)


@fault(test_the_proxy_in_front_lets_people_through, needs=("nginx",), becomes="cannot_tell")
def with_a_login_for_sockets(world: World) -> None:
    """nginx asks for a name and a password at /ws, as is advised."""
    world.server.start()
    world.outside.proxy(guards=True)


@fault(test_the_proxy_in_front_lets_people_through, becomes="absent")
def directly(world: World) -> None:
    """No proxy is known."""
    world.server.start()


@fault(test_the_proxy_in_front_upgrades)
@fault(test_the_proxy_in_front_waits)
def bare(world: World) -> None:
    """Only a proxy_pass: what people write first."""
    world.outside.nginx_conf(BARE)


@fault(test_the_proxy_in_front_upgrades, becomes="cannot_tell")
def without_a_place_for_sockets(world: World) -> None:
    """One place passes the interface on, and none WebSockets: another proxy may."""
    world.outside.nginx_conf("server { location /api/ { proxy_pass http://localhost:$PORT; } }")


@fault(test_the_proxy_in_front_upgrades, becomes="absent")
@fault(test_the_proxy_in_front_waits, becomes="absent")
def of_somebody_else(world: World) -> None:
    """nginx stands in front of another port."""
    world.outside.nginx_conf("server { location / { proxy_pass http://localhost:9; } }")


@fault(test_the_proxy_in_front_upgrades, becomes="cannot_tell")
@fault(test_the_proxy_in_front_waits, becomes="cannot_tell")
def a_pipe(world: World) -> None:
    """A FIFO where the configuration should be: it is not waited for, and it is not "no proxy"."""
    os.mkfifo(world.folder / "nginx.conf")
    world.change(proxy_configs=[str(world.folder / "nginx.conf")])


@fault(test_the_proxy_in_front_lets_people_through, becomes="absent", generation=2)
def of_the_second_generation(world: World) -> None:
    """It has no page at this port."""
    world.change(proxy_url="http://127.0.0.1:9")
    world.server.start()
