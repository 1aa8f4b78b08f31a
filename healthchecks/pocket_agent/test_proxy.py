"""A proxy in front passes WebSockets on, waits for them, and leaks no connection slots."""

from __future__ import annotations

import os

from healthchecks.pocket_agent.probes_proxy import Proxies
from healthchecks.pocket_agent.world import World
from plugins import P2, check, fault, healthy, listed

WELL = """
server {
    listen 127.0.0.1:80;
    location /ws {
        proxy_pass http://127.0.0.1:$PORT;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
        proxy_set_header X-Real-IP "";
        proxy_set_header X-Forwarded-For "";
        proxy_read_timeout 1h;
    }
    location = /health { proxy_pass http://127.0.0.1:$PORT; }
}
"""
OF_THE_GUIDE = """
upstream agent { server localhost:$PORT; }
server {
    location /ws {
        proxy_pass https://agent;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
        proxy_set_header X-Real-IP $remote_addr;
        proxy_read_timeout 7d;
    }
}
"""


@check(
    P2,
    guide="PA28",
    hint="""In each place that is listed set `proxy_http_version 1.1;`,
    `proxy_set_header Upgrade $http_upgrade;` and `proxy_set_header Connection "upgrade";`, then
    `nginx -t && nginx -s reload`.""",
)
def test_the_proxy_in_front_upgrades(proxies: Proxies) -> None:
    """The proxy in front passes WebSocket upgrades on.

    Without these lines nginx speaks HTTP/1.0 to the server and drops the upgrade: every client
    behind the proxy is refused while the server itself is well.
    """
    faults = [fault for place in proxies.sockets for fault in place.drops()]
    assert not faults, listed("nginx drops the WebSocket upgrade", faults)


@check(
    P2,
    guide="PA28",
    hint="""In each place that is listed set `proxy_read_timeout 1h;`, then
    `nginx -t && nginx -s reload`.""",
)
def test_the_proxy_in_front_waits(proxies: Proxies) -> None:
    """The proxy in front waits for quiet connections.

    The server is silent for up to five minutes between its pings; a proxy that waits for less,
    and nginx waits one minute unless told otherwise, cuts clients that only listen.
    """
    limit = proxies.patience
    short = [fault for place in proxies.sockets for fault in place.hurries(limit)]
    assert not short, listed(f"nginx waits less than {limit:g} s for the server", short)


@check(
    P2,
    guide="PA28",
    hint="""In each place that is listed set `proxy_set_header X-Real-IP "";` and
    `proxy_set_header X-Forwarded-For "";` (both empty: a client may send them itself) in place of
    what sets them now, be it in an included file such as proxy_params. Then
    `nginx -t && nginx -s reload`, and restart the server to free the slots that are lost.""",
)
def test_the_proxy_in_front_leaks_no_slots(proxies: Proxies) -> None:
    """The proxy in front does not tell the server addresses that it cannot count.

    The server counts a connection under the address in X-Real-IP or X-Forwarded-For, and takes it
    off under the proxy's: each client gets ten connections until the next restart, then only 429.
    """
    faults = [
        f"{place.where}: {name} is passed on"
        for place in proxies.sockets
        for name in place.address_headers
    ]
    assert not faults, listed("nginx sets headers that make the server lose slots", faults)


@healthy(test_the_proxy_in_front_upgrades)
@healthy(test_the_proxy_in_front_waits)
@healthy(test_the_proxy_in_front_leaks_no_slots)
def set_up_well(world: World) -> None:
    """A site that upgrades, waits an hour and passes no addresses on."""
    world.nginx_conf(WELL)


@healthy(test_the_proxy_in_front_upgrades)
@healthy(test_the_proxy_in_front_waits)
def as_the_guide_says(world: World) -> None:
    """The guide's own snippet, over an upstream group."""
    world.nginx_conf(OF_THE_GUIDE)


@healthy(test_the_proxy_in_front_waits)
def just_long_enough(world: World) -> None:
    """A site that waits for as long as is asked for."""
    world.nginx_conf(WELL.replace("1h", "300s"))


@fault(test_the_proxy_in_front_waits)
def a_second_too_short(world: World) -> None:
    """A site that waits a little less."""
    world.nginx_conf(WELL.replace("1h", "299s"))


@fault(test_the_proxy_in_front_leaks_no_slots)
def with_the_guides_address_header(world: World) -> None:
    """The guide's own snippet sets X-Real-IP."""
    world.nginx_conf(OF_THE_GUIDE)


@fault(test_the_proxy_in_front_upgrades)
@fault(test_the_proxy_in_front_waits)
def bare(world: World) -> None:
    """Only a proxy_pass: what people write first."""
    world.nginx_conf("server { location / { proxy_pass http://localhost:$PORT; } }")


@fault(test_the_proxy_in_front_upgrades)
def set_outside_and_lost(world: World) -> None:
    """A header line of its own makes a location forget those around it."""
    world.nginx_conf(
        "server { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
        ' proxy_set_header Connection "upgrade"; location /ws {'
        " proxy_set_header Host $host; proxy_pass http://[::1]:$PORT; } }"
    )


@fault(test_the_proxy_in_front_waits, becomes="cannot_tell")
def a_pipe(world: World) -> None:
    """A FIFO where the configuration should be: it is not waited for, and it is not "no proxy"."""
    os.mkfifo(world.folder / "nginx.conf")


@fault(test_the_proxy_in_front_waits)
def a_link_to_where_the_code_is(world: World) -> None:
    """A site is often linked from another tree; nginx reads it all the same."""
    bare(world)
    (world.folder / "code").mkdir()
    (world.folder / "etc").mkdir()
    (world.folder / "nginx.conf").rename(world.folder / "code/site.conf")
    (world.folder / "etc/nginx.conf").symlink_to("../code/site.conf")
    world.change(proxy_configs=[str(world.folder / "etc/nginx.conf")])


@fault(test_the_proxy_in_front_waits, becomes="cannot_tell")
def a_dead_link(world: World) -> None:
    """nginx refuses to start with a site that is a link to nothing."""
    (world.folder / "sites").mkdir()
    (world.folder / "sites/agent").symlink_to("../gone")
    world.nginx_conf("events {} http { include sites/*; }")


@fault(test_the_proxy_in_front_leaks_no_slots)
def in_a_shared_file(world: World) -> None:
    """The site is linked into place, and the distribution's own proxy_params has the headers."""
    for folder in ("sites-available", "sites-enabled"):
        (world.folder / folder).mkdir()
    params = "proxy_set_header Host $http_host;\nproxy_set_header X-Real-IP $remote_addr;\n"
    (world.folder / "proxy_params").write_text(params, "utf-8")
    place = f"proxy_pass http://[::1]:{world.port}; include proxy_params;"
    site = f"server {{ location /ws {{ {place} }} }}"
    (world.folder / "sites-available/agent").write_text(site, "utf-8")
    (world.folder / "sites-enabled/agent").symlink_to("../sites-available/agent")
    world.nginx_conf("events {} http { include sites-enabled/*; }")
