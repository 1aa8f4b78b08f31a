"""The containers of a host among which Portagent's may be."""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugins.endpoints.containers import Container, untagged
from plugins.endpoints.docker import Docker
from plugins.eyes import engine, reading
from plugins.hosts import Host
from plugins.outcomes import CannotTell, TimedOut

if TYPE_CHECKING:
    from healthchecks.portagent.system import Settings

INSIDE = "/home/node/.agentx"
# What a recreation keeps of a former container has such a name.
FORMER = re.compile(r"-before-\d{8}-\d{6}$")
_SOON = 3.0  # seconds for an engine that may hang


@dataclass(frozen=True)
class Containers:
    """Every container of the host's engine, or why they were not seen ("" without an engine)."""

    rows: tuple[Container, ...] = ()
    trouble: str = ""

    def of(self, identifier: str) -> Container | None:
        """Return the container of an id; None where it is not seen."""
        return next((one for one in self.rows if one.id == identifier), None)

    def named(self, settings: Settings) -> Container | None:
        """Return the container that the systems file means, a running one first."""
        if settings.container:
            return next((one for one in self.rows if one.name == settings.container), None)
        rows = [one for one in self.rows if not FORMER.search(one.name)]
        found = [one for one in rows if one.name in settings.container_names]
        images = settings.container_images
        found += [one for one in rows if untagged(one.image) in images]
        found += [one for one in rows if untagged(one.image).rpartition("/")[2] in images]
        asked = settings.path(settings.data_dir)
        fits = [one for one in found if not asked or asked in _places(one)]
        return min(fits, key=lambda one: one.state != "running", default=None)


def containers_of(settings: Settings, host: Host, *, needed: bool) -> Containers:
    """Return the containers of the host; quick, and nothing is loaded where none can be it.

    Args:
        settings: say which it may be.
        host: whose engine is asked.
        needed: a process of it is in a container, whatever that is called.
    """
    docker = Docker(host, settings.docker_url)
    url = docker.base_url
    if not host.is_local and not settings.docker_url:
        return Containers()
    path = url.removeprefix("unix://")
    if path != url and host.call(reading.at, [path], 0)[path]["kind"] == "missing":
        return Containers()
    try:
        if path != url and not needed and not _any(settings, host, path):
            return Containers()
        docker.ping(deadline=_SOON)
        return Containers(docker.containers(deadline=_SOON))
    except CannotTell as why:
        return Containers(trouble=str(why))


def _any(settings: Settings, host: Host, path: str) -> bool:
    """Tell whether any container may be it; the engine's SDK costs every run a start."""
    try:
        rows = host.call(engine.containers, path, _SOON)
    except TimeoutError:
        raise TimedOut(f"the Docker engine at {path}", _SOON) from None
    return rows is None or any(_may_be(settings, *row) for row in rows)


def _may_be(settings: Settings, name: str, image: str) -> bool:
    if settings.container:
        return name == settings.container
    bare = untagged(image)
    images = settings.container_images
    known = not image or bare in images or bare.rpartition("/")[2] in images
    return known or name in settings.container_names


def data_inside(one: Container) -> str:
    """Return the data folder as a container sees it."""
    said = one.settings.variable("AGENTX_DIR")
    return said.reveal() if said else INSIDE


def outside(path: str, one: Container | None) -> str:
    """Return where a path inside of a container lies on the machine; "" for nowhere."""
    mounts = one.mounts if one is not None else ()
    for mount in sorted(mounts, key=lambda each: -len(each.target)):
        if mount.source and f"{path}/".startswith(f"{mount.target.rstrip('/')}/"):
            return os.path.normpath(f"{mount.source}/{path[len(mount.target) :]}")
    return ""


def _places(one: Container) -> set[str]:
    """Return where its data may lie on the machine, whatever its folder is inside."""
    return {outside(data_inside(one), one)} | {mount.source for mount in one.mounts}
