"""The short look at an engine's containers, which spares a start the engine's SDK."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.portagent.search_containers import containers_of
from plugins.eyes import engine
from plugins.hosts import Host
from plugins.tests.test_portagent_found import settings_of

STRANGER = {"Names": ["/my-portagent-notes"], "Image": "busybox:1"}


@contextlib.contextmanager
def answering(path: Path, *rows: object, status: str = "200 OK") -> Iterator[list[str]]:
    """Answer every request at a socket alike; yield what was asked."""
    asked: list[str] = []
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = listener.accept()
                with wire:
                    asked.append(wire.recv(4096).decode().partition(" HTTP")[0])
                    body = json.dumps(rows).encode()
                    wire.sendall(f"HTTP/1.0 {status}\r\n\r\n".encode() + body)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_names_and_images_are_told(tmp_path: Path) -> None:
    lost = {"Names": ["/a"], "Image": f"sha256:{'0a' * 32}"}
    with answering(tmp_path / "socket", STRANGER, lost):
        told = engine.containers(str(tmp_path / "socket"), 2.0)
    assert told == [["my-portagent-notes", "busybox:1"], ["a", ""]]


def test_what_is_not_told_so_simply_is_left_to_the_sdk(tmp_path: Path) -> None:
    assert engine.containers(str(tmp_path / "nowhere"), 2.0) is None
    with answering(tmp_path / "one", {"Names": 7}):
        assert engine.containers(str(tmp_path / "one"), 2.0) is None
    with answering(tmp_path / "two", status="403 Forbidden"):
        assert engine.containers(str(tmp_path / "two"), 2.0) is None


def test_an_engine_that_hangs_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        with pytest.raises(TimeoutError):
            engine.containers(str(tmp_path / "socket"), 0.1)


@pytest.mark.parametrize(
    ("row", "needed", "asks"),
    [
        (STRANGER, False, False),
        (STRANGER, True, True),
        ({"Names": ["/portagent"], "Image": "busybox"}, False, True),
        ({"Names": ["/x"], "Image": "r.example:5000/deepracticexs/portagent:2"}, False, True),
        ({"Names": ["/x"], "Image": "sha256:" + "f" * 64}, False, True),
    ],
)
def test_the_sdk_is_loaded_only_where_a_container_may_be_it(
    tmp_path: Path, row: dict[str, object], needed: bool, asks: bool
) -> None:
    path = tmp_path / "socket"
    settings = dataclasses.replace(settings_of({}), docker_url=f"unix://{path}")
    with answering(path, row) as asked:
        containers_of(settings, Host(), needed=needed)
    assert ("GET /version" in asked) == asks
