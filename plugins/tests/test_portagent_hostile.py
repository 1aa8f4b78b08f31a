"""What answers at Portagent's port may be anything: each probe ends in a fact or says why not."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.portagent import conftest as probes
from healthchecks.portagent.seat import Page, page
from healthchecks.portagent.system import Portagent
from healthchecks.portagent.world import World
from plugins.endpoints.http import Http
from plugins.endpoints.names import endpoint
from plugins.hosts import Host
from plugins.outcomes import Blocked, NoFact
from plugins.tests.portagent_box import opened
from plugins.tests.rogue import GIB, JSON
from plugins.tests.runs import CONTROLS
from plugins.tests.test_portagent_found import found
from plugins.worlds.wiring import hang, request_of, serving

Answer = bytes | Callable[[socket.socket], None]


def _json(body: bytes) -> bytes:
    return JSON + b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


def _dripping(wire: socket.socket) -> None:
    for byte in JSON + b"\r\n" + b" " * 10_000:
        wire.sendall(bytes([byte]))
        time.sleep(0.05)


BODIES: dict[str, Answer] = {
    "nothing": b"",
    "rubbish": b"\x1b[31m\x1b]0;title\x07\xff\xfe <script>alert(1)</script>\r\n" * 50,
    "deep": _json(b'{"status":' + b"[" * 100_000),
    "a list": _json(b"[1,2]"),
    "no numbers": _json(b'{"status":"ok","timestamp":NaN,"error":NaN,"inviteCodeRequired":NaN}'),
    "a truth": _json(b'{"status":"ok","timestamp":true}'),
    "a huge number": _json(b'{"status":"ok","timestamp":' + b"9" * 4000 + b"}"),
    "an endless number": _json(b'{"status":"ok","timestamp":' + b"9" * 50_000 + b"}"),
    "below zero": _json(b'{"status":"ok","timestamp":-99999999999999999999}'),
    "escapes": _json(b'{"status":"\\u001b[31m\\u202e","timestamp":1,"error":"\\u001b]0;x\\u0007"}'),
    "surrogates": _json(b'{"status":"\\ud800","timestamp":1,"error":"\\udfff"}'),
    "too large": JSON + b"Content-Length: %d\r\n\r\n" % GIB + b" " * (1 << 20),
    "a redirect": b"HTTP/1.1 307 X\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
    "no WebSocket": b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "an upgrade": b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n",
    "dripping": _dripping,
    "silent": hang,
}
ASKED = ("health", "users_read", "invitations", "token_trial", "opening", "access", "port_use")


@contextlib.contextmanager
def answering(world: World, answer: Answer, well: bool) -> Iterator[None]:
    """Answer to whatever is asked at a port; to /health as the real one does, where it is well."""

    def behave(wire: socket.socket) -> None:
        told = answer
        if request_of(wire).startswith(b"GET /health") and well:
            now = int(time.time() * 1000)
            told = _json(json.dumps({"status": "ok", "timestamp": now}).encode())
        if isinstance(told, bytes):
            wire.sendall(told)
            wire.shutdown(socket.SHUT_WR)
        else:
            told(wire)

    with serving(behave) as port:
        world.change(default_port=port)
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world with a test token whose server does not run."""
    with opened(tmp_path, connect_deadline=0.5) as made:
        made.server.offer(made.server.token("somebody"))
        yield made


def asked(name: str, system: Portagent) -> str:
    """Return what a probe comes to, in words."""
    function = getattr(probes, name).__probe__.function
    host = Host()
    given: dict[str, Any] = {
        each: system if each == "system" else host if each == "commands" else endpoint(each, host)
        for each in inspect.signature(function).parameters
    }
    try:
        return str(function(**given))
    except NoFact as why:
        return str(why)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("well", [True, False], ids=["up", "down"])
def test_every_probe_ends_in_a_fact_or_says_why_not(world: World, body: str, well: bool) -> None:
    began = time.monotonic()
    with answering(world, BODIES[body], well):
        system = found(world)
        if well:  # it is known for the server, by its process
            system = dataclasses.replace(system, pid=os.getpid(), pids=(os.getpid(),))
        for name in ASKED:
            words = asked(name, system)
            assert not CONTROLS.findall(words), (name, words)
            assert len(words) < 5000, name
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("body", [body for body in BODIES if body != "dripping"])
def test_nothing_of_that_is_taken_for_the_server(world: World, body: str) -> None:
    with answering(world, BODIES[body], well=False):
        seen = page(found(world), Http(Host()))
    assert isinstance(seen, Page)
    if body == "below zero":
        return  # a clock that is wrong, and no other fault
    assert seen.trouble or seen.stamp, seen
    assert seen.generation == 0 or body in {"escapes", "surrogates", "a huge number"}


def test_a_login_that_somebody_in_front_refuses_is_no_proof(world: World) -> None:
    page = b"HTTP/1.1 401 X\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
    with answering(world, page, well=True):
        system = dataclasses.replace(found(world), pid=os.getpid(), pids=(os.getpid(),))
        assert "not by the server itself" in asked("users_read", system)


def test_what_is_not_up_blocks_what_hangs_on_it(world: World) -> None:
    host = Host()
    function = getattr(probes, "users_read").__probe__.function  # noqa: B009 - a probe's own mark
    given = {name: endpoint(name, host) for name in ("processes", "sockets", "http")}
    with pytest.raises(Blocked) as met:
        function(found(world), **given)
    assert met.value.by == "portagent.it_is_up"
