"""The server is not open to the world: it has no login."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_exposure import Exposure
from healthchecks.pocket_agent.world import World
from plugins import P1, check, fault, healthy, listed


@check(
    P1,
    guide="PA29",
    hint="""Let only known machines reach the port: `ufw allow from <address> to any port <port>`
    before `ufw deny <port>`, or a VPN. Its `host` setting does not help: it always listens on all
    interfaces. Where a firewall or VPN guards it already, say exposed_on_purpose = true in the
    systems file.""",
)
def test_the_server_is_not_open_to_the_world(exposure: Exposure) -> None:
    """The server cannot be reached by strangers.

    It has no login: whoever reaches its port has the CLI run commands as the server's user.
    """
    meant = exposure.on_purpose
    assert meant or not exposure.open_at, listed(
        "the server, which has no login, listens beyond this machine", exposure.open_at
    )


@check(
    P1,
    guide="PA29",
    hint="""Turn TLS on: tls_enabled, tls_cert_file and tls_key_file in its configuration, then
    `systemctl restart pocket-agent-server`; or put a proxy with TLS before it.""",
)
def test_what_leaves_the_machine_is_encrypted(exposure: Exposure) -> None:
    """What leaves this machine is encrypted.

    Without TLS every prompt, answer and file in them can be read, and changed, on the way.
    """
    plain = exposure.open_at if exposure.encrypted is False else ()
    assert not plain, listed("the server listens beyond this machine without TLS", plain)


@check(
    P1,
    guide="PA29",
    hint="""Start the server without its profiling and debugging switches (PA_ENABLE_PPROF,
    PA_TRACE_ENABLED): remove them from the unit's environment, then
    `systemctl daemon-reload && systemctl restart pocket-agent-server`.""",
)
def test_no_debugging_port_is_open(debug_listeners: tuple[str, ...]) -> None:
    """The server opens no port for debugging.

    pprof shows its memory, with prompts and paths, to whoever asks, and can stop it for as long as
    one likes.
    """
    assert not debug_listeners, listed("the server also listens for debugging", debug_listeners)


@healthy(test_the_server_is_not_open_to_the_world)
@healthy(test_what_leaves_the_machine_is_encrypted)
@healthy(test_no_debugging_port_is_open)
def on_loopback(world: World) -> None:
    """A server that only this machine reaches."""
    world.start()


@healthy(test_the_server_is_not_open_to_the_world)
@healthy(test_what_leaves_the_machine_is_encrypted)
def behind_a_firewall(world: World) -> None:
    """It listens everywhere, as it always does, and somebody answers for that."""
    world.change(exposed_on_purpose=True)
    world.start(loopback=False)


@healthy(test_no_debugging_port_is_open)
def with_another_programs_port(world: World) -> None:
    """Another program has the port that pprof would have."""
    world.change(debug_port=world.port, port=world.settings()["debug_port"])
    world.configure(port=world.settings()["port"])
    world.listen_instead()
    world.start()


@fault(test_the_server_is_not_open_to_the_world)
def open_to_all(world: World) -> None:
    """The real server's own way: all interfaces."""
    world.start(loopback=False)


@fault(test_what_leaves_the_machine_is_encrypted)
def open_and_plain(world: World) -> None:
    """All interfaces, and no TLS, which is its default."""
    world.plain()
    world.start(loopback=False)


@fault(test_no_debugging_port_is_open)
def profiled(world: World) -> None:
    """pprof was left on."""
    world.start(debug=world.settings()["debug_port"])


@fault(test_no_debugging_port_is_open, becomes="blocked")
def on_its_old_port(world: World) -> None:
    """Configured anew and not restarted: what it listens on is no debugging port."""
    world.change(port=0)
    world.start()
    world.configure(port=world.settings()["debug_port"])
