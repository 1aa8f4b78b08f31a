"""What a Docker engine tells when it is asked by its SDK, in typed rows and within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.endpoints import containers as rows
from plugins.endpoints import inside
from plugins.endpoints.containers import Container
from plugins.endpoints.inside import Inside

if TYPE_CHECKING:
    from docker import APIClient


def containers(api: APIClient, everything: bool) -> tuple[Container, ...]:
    """Return the containers, the stopped ones too with `everything`."""
    import docker

    found = []
    for row in api.containers(all=everything):
        try:
            found.append(rows.container(row, api.inspect_container(row["Id"])))
        except docker.errors.NotFound:
            continue  # gone between the list and the look
    return tuple(found)


def standing(api: APIClient, container: str, path: str) -> Inside | None:
    """Return what stands at a path in a container, None for nothing."""
    import docker

    try:
        content, told = api.get_archive(container, path)
    except docker.errors.NotFound:
        return None
    content.close()  # the engine has begun to send it
    return inside.standing(path, told)


def printed(api: APIClient, container: str, last: int, since: float, limit: int) -> bytes:
    """Return at most `limit` bytes of what a container printed; see `Docker.printed`."""
    told = bytearray()
    chunks = api.logs(container, stream=True, follow=False, tail=last or "all", since=since or None)
    for chunk in chunks:
        told += chunk
        if len(told) >= limit:
            break
    chunks.close()
    return bytes(told[:limit])


def ran(api: APIClient, container: str, argv: tuple[str, ...], limit: int) -> tuple[int, bytes]:
    """Run a program in a container; return its status and the first `limit` bytes it said."""
    made = api.exec_create(container, list(argv))["Id"]
    told = bytearray()
    for chunk in api.exec_start(made, stream=True):
        told += chunk[: limit - len(told)]
    return api.exec_inspect(made).get("ExitCode") or 0, bytes(told)
