"""Names: this machine's own and those of configured endpoints."""

from __future__ import annotations

from plugins import P2, check, fault, healthy, listed

from .probes_names import Name
from .world import World


@check(
    P2,
    guide="H05",
    hint="Run `getent ahosts localhost`, and see that /etc/hosts has the lines `127.0.0.1 "
    "localhost` and `::1 localhost`.",
)
def test_localhost_is_this_machine(stray_localhost: tuple[Name, ...]) -> None:
    """The name localhost leads to this machine and nowhere else.

    Otherwise what is meant to stay on this machine, keys included, is sent to another one.
    """
    assert not stray_localhost, listed("names that do not lead to loopback", stray_localhost)


@healthy(test_localhost_is_this_machine)
def localhost_as_usual(world: World) -> None:
    world.change(localhost_names=["localhost"])


@fault(test_localhost_is_this_machine)
def localhost_elsewhere(world: World) -> None:
    world.change(localhost_names=["localhost", "192.0.2.10"])


@check(
    P2,
    guide="H05",
    hint="Run `getent ahosts <name>`; when no name at all resolves look at /etc/resolv.conf, when"
    " only this one does not, correct it in the system's configuration or add it to "
    "/etc/hosts.",
)
def test_configured_names_resolve(lost_names: tuple[Name, ...]) -> None:
    """The host name of every configured endpoint resolves.

    A name that leads nowhere fails late and slowly, and looks like a server that is down.
    """
    assert not lost_names, listed("names that do not resolve", lost_names)


@healthy(test_configured_names_resolve)
def names_that_resolve(world: World) -> None:
    world.change(watch_names=["localhost", "127.0.0.1"])


@fault(test_configured_names_resolve)
def a_name_that_cannot_exist(world: World) -> None:
    world.change(watch_names=["localhost", "nowhere.invalid"])


@fault(test_configured_names_resolve)
def rubbish_for_a_name(world: World) -> None:
    world.change(watch_names=["$(reboot).." + "a" * 70])
