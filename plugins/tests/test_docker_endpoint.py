"""Docker: a real engine is read, and an engine that is not there is told from one that hangs."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugins.endpoints.docker import Docker
from plugins.hosts import Host
from plugins.outcomes import (
    CannotTell,
    NoPermission,
    NotThere,
    Refused,
    TimedOut,
    ToolMissing,
    WrongKind,
)
from plugins.proofs import lacking
from plugins.tests.runs import open_the_way
from plugins.worlds.dockerd import DockerWorld
from plugins.worlds.wiring import answer, drip, hang, serving


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dockerd of the tests' own, on a scratch socket."""
    missing = lacking(("root", "dockerd", "docker"))
    if missing:
        pytest.skip(f"needs {missing}, which this machine has not got")
    world = DockerWorld(tmp_path_factory.mktemp("docker"))
    try:
        world.start()
        yield world.url
    except ToolMissing as why:
        pytest.skip(f"needs {why}")
    finally:
        world.close()


@pytest.fixture(scope="module")
def image(engine: str) -> Iterator[str]:
    import docker

    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("needs busybox, to make an image of it without a registry")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(busybox, "bin/busybox")
    with contextlib.closing(docker.DockerClient(engine)) as client:
        name = f"healthchecks-test-{os.getpid()}"
        client.api.import_image_from_data(packed.getvalue(), repository=name, tag="1")
        yield f"{name}:1"
        client.images.remove(f"{name}:1", force=True)


@pytest.fixture
def container(engine: str, image: str) -> Iterator[str]:
    import docker

    with contextlib.closing(docker.DockerClient(engine)) as client:
        name = f"healthchecks-test-{os.getpid()}"
        made = client.containers.create(
            image,
            ["/bin/busybox", "sh", "-c", "exit 3"],
            name=name,
            labels={"who": "test"},
            mem_limit="64m",
            network_mode="none",
            nano_cpus=500_000_000,
            volumes={name: {"bind": "/data", "mode": "rw"}},
        )
        try:
            made.start()
            made.wait(timeout=20)
            yield name
        finally:
            made.remove(force=True, v=True)
            client.volumes.get(name).remove(force=True)


def test_a_container_is_told_whole(engine: str, container: str, image: str) -> None:
    look = Docker(Host(), engine)
    found = next(one for one in look.containers() if one.name == container)
    ended = ("exited", 3)
    assert (found.state, found.exit_code, found.oom_killed, found.restarts) == (*ended, False, 0)
    assert (found.image, found.memory_limit, found.nano_cpus) == (image, 64 << 20, 500_000_000)
    assert ("who", "test") in found.labels
    assert found.networks == ("none",)
    assert [(one.kind, one.name, one.target, one.writable) for one in found.mounts] == [
        ("volume", container, "/data", True)
    ]
    # Of one that ends at once, the engine may note the end a moment before the start.
    assert found.started[:2] == found.finished[:2] == "20"
    assert container not in {one.name for one in Docker(Host(), engine).containers(all=False)}


def test_images_volumes_version_and_disk_use_are_told(
    engine: str, container: str, image: str
) -> None:
    look = Docker(Host(), engine)
    assert any(image in one.tags and one.size > 0 for one in look.images())
    assert container in {one.name for one in look.volumes()}
    assert look.version()[0].isdigit()
    usage = look.usage()
    assert usage.images.size >= usage.images.reclaimable >= 0
    assert usage.build_cache.size >= usage.build_cache.reclaimable >= 0


def failure(url: str, kind: type[CannotTell], words: str, deadline: float = 5.0) -> float:
    look = Docker(Host(), url)
    began = time.monotonic()
    for ask in (look.containers, look.images):
        with pytest.raises(kind, match=words):
            ask(deadline=deadline)
    return time.monotonic() - began


def test_a_missing_socket_is_told(tmp_path: Path) -> None:
    failure(f"unix://{tmp_path}/none.sock", NotThere, "not there")


def test_a_file_or_a_dead_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failure(f"unix://{tmp_path}/file", Refused, "nobody listens")
    with serving(hang, str(tmp_path / "dead")):
        pass
    failure(f"unix://{tmp_path}/dead", Refused, "nobody listens")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_socket_that_we_may_not_use_names_the_group(tmp_path: Path) -> None:
    with serving(hang, str(tmp_path / "a.sock")):
        (tmp_path / "a.sock").chmod(0o600)
        effective = os.geteuid()
        open_the_way(tmp_path)
        os.seteuid(65534)
        try:
            failure(f"unix://{tmp_path}/a.sock", NoPermission, "group docker")
        finally:
            os.seteuid(effective)


@pytest.mark.parametrize(
    "behave",
    [hang, drip(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n")],
    ids=["hangs", "drips"],
)
def test_an_engine_that_hangs_costs_its_limit_once(
    tmp_path: Path, behave: Callable[..., None]
) -> None:
    with serving(behave, str(tmp_path / "a.sock")):
        took = failure(f"unix://{tmp_path}/a.sock", TimedOut, "our limit of 0.4 s", 0.4)
    assert took < 0.8


def test_rubbish_on_the_socket_is_told(tmp_path: Path) -> None:
    with serving(answer(b"rubbish\r\n\r\n"), str(tmp_path / "a.sock")):
        failure(f"unix://{tmp_path}/a.sock", WrongKind, "not a sensible answer")


def test_docker_host_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(NotThere, match=r"none\.sock"):
        Docker(Host()).ping()


@pytest.mark.parametrize("url", ["", "unix:///var/run/docker.sock"])
def test_a_far_engine_needs_its_url(url: str) -> None:
    with pytest.raises(CannotTell, match=r"without its tcp:// or ssh:// URL"):
        Docker(Host("ssh://me@box"), url).ping()
