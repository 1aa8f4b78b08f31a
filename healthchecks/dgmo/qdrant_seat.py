"""What Qdrant runs as on this machine, container or unit, and the command that restarts it."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.dgmo.memory import Place
from healthchecks.dgmo.system import Dgmo
from plugins import CannotTell, printable
from plugins.endpoints.containers import untagged
from plugins.endpoints.docker import Container, Docker
from plugins.endpoints.engines import ailments
from plugins.endpoints.systemd import Systemd
from plugins.eyes import reading
from plugins.hosts import Host

_IMAGE = "qdrant/qdrant"
_INNER = 6333


@dataclass(frozen=True)
class Seat:
    """What Qdrant runs as.

    Args:
        restart: the command that starts it anew, () where none is known for sure.
        said: what is seen of it, in words.
        open_at: addresses beyond loopback at which the engine publishes its port.
    """

    restart: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    open_at: tuple[str, ...] = ()


def seat_of(system: Dgmo, place: Place, commands: Host) -> Seat:
    """Look for Qdrant's container, then for its unit; what cannot be asked is passed over."""
    if not place.address.loopback:
        return Seat()
    docker = Docker(commands, system.settings.docker_url)
    found = _containers(system, place, docker)
    if len(found) > 1:
        names = ", ".join(printable(one.name, 60) for one in found)
        return Seat(said=(f"more than one container may be Qdrant's: {names}",))
    if found:
        return _contained(found[0], docker, commands)
    return _unit(system, commands)


def _containers(system: Dgmo, place: Place, docker: Docker) -> tuple[Container, ...]:
    """Give the containers that fit best: by the name that is set, by port, by image."""
    try:
        every = docker.containers()
    except CannotTell:
        return ()
    name = system.settings.qdrant_container
    if name:
        return tuple(one for one in every if one.name == name)
    port = place.address.port
    by_port = tuple(one for one in every if any(p.outer == port for p in one.settings.ports))
    return by_port or tuple(one for one in every if _is_qdrants(one.image) and _hidden(one))


def _hidden(one: Container) -> bool:
    """Tell whether it publishes its port nowhere: one that does so elsewhere is another Qdrant."""
    return not any(p.outer for p in one.settings.ports if p.inner.startswith(f"{_INNER}/"))


def _is_qdrants(image: str) -> bool:
    """Tell whether it is Qdrant's own image, of whatever registry and tag."""
    return f"/{untagged(image)}".endswith(f"/{_IMAGE}")


def _contained(one: Container, docker: Docker, commands: Host) -> Seat:
    now = commands.call(reading.now)
    shown = f"container {printable(one.name, 60)} ({printable(one.image, 100)}): {one.state}"
    ended = f", exit status {one.exit_code}" if one.state == "exited" else ""
    try:
        ills = tuple(f"container {printable(one.name, 60)}: {ill}" for ill in ailments(one, now))
    except CannotTell:
        ills = ()
    published = (p for p in one.settings.ports if p.outer and p.inner.startswith(f"{_INNER}/"))
    beyond = (p for p in published if not _loopback(p.address))
    return Seat(
        restart=("docker", "--host", docker.base_url, "restart", one.name),
        said=(shown + ended, *ills),
        open_at=tuple(f"{p.address or 'every address'}, port {p.outer}" for p in beyond),
    )


def _loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _unit(system: Dgmo, commands: Host) -> Seat:
    settings = system.settings
    if not settings.qdrant_unit:
        return Seat()
    try:
        unit = Systemd(commands, systemctl=settings.systemctl).unit(settings.qdrant_unit)
    except CannotTell:
        return Seat()
    if unit.load_state != "loaded":
        return Seat()
    return Seat(
        restart=(settings.systemctl, "restart", unit.name),
        said=(f"unit {printable(unit.name, 60)}: {unit.active_state} ({unit.sub_state})",),
    )
