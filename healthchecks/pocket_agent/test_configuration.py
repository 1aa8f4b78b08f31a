"""The server's configuration is one that it can read, and does what it says."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_configuration import ConfigurationFile
from healthchecks.pocket_agent.world import World
from plugins import P1, P2, check, fault, healthy, listed


@check(
    P1,
    guide="PA30",
    hint="""Correct the file; `python3 -m json.tool <config>` tells where it breaks. A YAML file of
    the guide has to be written anew as flat JSON: port, tls_enabled, tls_cert_file, tls_key_file,
    data_dir, log_level, websocket.*, execution.*. Without any file the server writes one.""",
)
def test_its_configuration_can_be_read(configuration_file: ConfigurationFile) -> None:
    """The server can read its configuration.

    One that it cannot read ends it at the next start, and until then nobody notices.
    """
    seen = configuration_file
    assert not seen.refused, listed(f"the server cannot start with {seen.path}", seen.refused)


@check(
    P2,
    guide="PA30",
    hint="""Write each key by the name that is given beside it, or leave it out, then restart the
    server when no execution runs: `systemctl restart pocket-agent-server`. What a host key should
    keep out, only a firewall keeps out.""",
)
def test_nothing_is_configured_in_vain(configuration_file: ConfigurationFile) -> None:
    """The server heeds all that it is configured with.

    It passes over keys and variables that it does not know without a word: what somebody set is not
    in force.
    """
    seen = configuration_file
    assert not seen.in_vain, listed(f"set in vain, in {seen.path}", seen.in_vain)


@healthy(test_its_configuration_can_be_read)
@healthy(test_nothing_is_configured_in_vain)
def with_everything(world: World) -> None:
    """Every kind of value that the server takes."""
    world.configure(
        log_level="debug",
        websocket={"ping_interval": "5m", "pong_timeout": 30_000_000_000, "read_timeout": "1h0m0s"},
    )


@healthy(test_its_configuration_can_be_read, layout="guide")
@healthy(test_nothing_is_configured_in_vain, layout="guide")
def with_yaml(world: World) -> None:
    """YAML, and a server that runs with it."""
    world.start()


@healthy(test_its_configuration_can_be_read, layout="guide")
def with_every_setting_commented_out(world: World) -> None:
    """A packaged YAML file that nobody has filled in."""
    world.start()
    world.configure(text=b"# server:\n#   port: 8443\n---\n")


@healthy(test_its_configuration_can_be_read, layout="guide")
def with_a_variable_to_put_in(world: World) -> None:
    """YAML whose port is told by the environment."""
    world.start()
    world.configure(server={"host": "127.0.0.1", "port": "${PA_PORT}"})


@fault(test_its_configuration_can_be_read, layout="guide")
def with_nothing_in_the_guides(world: World) -> None:
    """A full disk leaves an empty file of the guide's, too."""
    world.start()
    world.configure(text=b"")


@fault(test_its_configuration_can_be_read, layout="guide")
def with_rubbish_for_the_guides(world: World) -> None:
    """A page of a web server, saved in its place."""
    world.start()
    world.configure(text=b"<html>\n<title>404</title>\n")


@fault(test_its_configuration_can_be_read, layout="guide")
def with_wrong_values_the_guides_way(world: World) -> None:
    """YAML with a level that there is none of."""
    world.start()
    world.configure(logging={"level": "loud", "file": "./server.log"})


@fault(test_its_configuration_can_be_read)
def with_yaml_for_json(world: World) -> None:
    """The packages' own config.yaml, which the real server refuses."""
    world.configure(text=b"server:\n  port: 8443\n  tls:\n    enabled: true\n")
    world.start_refused()


@fault(test_its_configuration_can_be_read, becomes="blocked", layout="guide")
def with_yaml_and_stopped(world: World) -> None:
    """YAML, and nothing runs that could tell whether it is read."""


@fault(test_its_configuration_can_be_read)
def with_wrong_values(world: World) -> None:
    """Values that the server refuses."""
    world.configure(port=70000, log_level="loud", websocket={"max_message_size": 10})


@fault(test_its_configuration_can_be_read)
def with_port_zero(world: World) -> None:
    """The least number that is no port."""
    world.configure(port=0)
    world.start_refused()


@fault(test_its_configuration_can_be_read)
def with_a_comma_too_many(world: World) -> None:
    """JSON that is none."""
    world.configure(text=b'{"port": 8443,}')


@fault(test_its_configuration_can_be_read)
def with_nothing_in_it(world: World) -> None:
    """A full disk leaves an empty file, and the server that runs has read it long ago."""
    world.start()
    world.configure(text=b"")


@fault(test_its_configuration_can_be_read)
def with_a_byte_order_mark(world: World) -> None:
    """An editor put one before JSON that is well."""
    world.config.write_bytes(b"\xef\xbb\xbf" + world.config.read_bytes())


@fault(test_nothing_is_configured_in_vain)
def with_keys_that_change_nothing(world: World) -> None:
    """It reads them, and listens at every address all the same."""
    world.configure(host="127.0.0.1", execution={"max_projects": 500})


@fault(test_nothing_is_configured_in_vain)
def with_misspelt_keys(world: World) -> None:
    """A misspelt key, and one of the guide's."""
    world.configure(tls_enable=True, limits={"max_connections": 200})
