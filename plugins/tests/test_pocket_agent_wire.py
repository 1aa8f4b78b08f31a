"""The small Pocket Agent speaks as the real one does."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import websocket

from healthchecks.pocket_agent.world import World
from plugins.worlds.running import until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


def talk(world: World, tls: bool = True, headers: tuple[str, ...] = ()) -> websocket.WebSocket:
    trust = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    scheme = "wss" if tls else "ws"
    url = f"{scheme}://127.0.0.1:{world.port}/ws"
    return websocket.create_connection(url, timeout=5, sslopt=trust, header=list(headers))


def ask(connection: websocket.WebSocket, **message: object) -> dict[str, object]:
    connection.send(json.dumps(message))
    text = str(connection.recv())
    assert text.endswith("\n")
    reply: dict[str, object] = json.loads(text)
    return reply


def page(world: World, path: str, **more: object) -> requests.Response:
    url = f"https://127.0.0.1:{world.port}{path}"
    return requests.get(url, verify=False, timeout=5, **more)  # type: ignore[arg-type]


pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def test_the_real_dialect(world: World) -> None:
    world.start()
    connection = talk(world)
    health = ask(connection, type="health_check")
    assert "timestamp" not in health
    assert health["data"]["status"] == "healthy"  # type: ignore[index]
    checks = health["data"]["checks"]  # type: ignore[index]
    assert set(checks) == {"cpu", "memory", "disk", "claude_cli"}
    assert checks["claude_cli"]["version"] == "2.1.0 (Claude Code)\n"
    listed = ask(connection, type="project_list")
    assert listed["data"]["total"] == 3  # type: ignore[index]
    refused = ask(connection, type="health")
    assert refused["data"]["code"] == "VALIDATION_FAILED"  # type: ignore[index]
    assert refused["data"]["message"] == "unknown message type: health"  # type: ignore[index]
    assert ask(connection)["data"]["message"] == "invalid message"  # type: ignore[index]


def test_the_guides_dialect(tmp_path: Path) -> None:
    made = World(tmp_path / "world", "guide")
    with contextlib.closing(made):
        made.start()
        connection = talk(made)
        health = ask(connection, type="health")
        assert health["type"] == "health_status"
        assert "timestamp" in health
        assert health["data"]["claude"]["available"] is True  # type: ignore[index]
        listed = ask(connection, type="project_list")
        assert listed["type"] == "project_list_response"
        assert "total" not in listed["data"]  # type: ignore[operator]
        assert '"level":"info"' in made.log.read_text()


def test_bad_json_is_met_with_silence_and_no_close(world: World) -> None:
    world.start()
    connection = talk(world)
    connection.settimeout(0.3)
    connection.send("{")
    with pytest.raises(websocket.WebSocketTimeoutException):
        connection.recv()


def test_pages(world: World) -> None:
    world.start(metrics=True)
    assert page(world, "/health").json() == {"status": "healthy", "connections": 0}
    assert "pocket_agent_projects_total 3" in page(world, "/metrics").text
    missing = page(world, "/")
    assert (missing.status_code, missing.text) == (404, "404 page not found\n")
    with socket.create_connection(("127.0.0.1", world.port), 2) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = raw.recv(1000)
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"Client sent an HTTP request to an HTTPS server." in answer


def test_http2_is_offered_and_never_upgraded(world: World) -> None:
    world.start()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", world.port), 2) as raw:
        stream = context.wrap_socket(raw)
        assert stream.selected_alpn_protocol() == "h2"


def test_limits_refuse_with_429_before_the_upgrade(world: World) -> None:
    world.start(per_address=2, per_minute=3)
    first, second = talk(world), talk(world)
    refused = _refusal(world)
    assert refused == (429, "maximum connections per IP reached")
    first.close(timeout=0.2)
    until(lambda: page(world, "/health").json()["connections"] == 1, "the slot is given back")
    third = talk(world)
    second.close(timeout=0.2)
    until(lambda: page(world, "/health").json()["connections"] == 1, "the slot is given back")
    assert _refusal(world) == (429, "connection rate limit exceeded")
    third.close(timeout=0.2)


def _refusal(world: World) -> tuple[int, str]:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        talk(world)
    return caught.value.status_code, (caught.value.resp_body or b"").decode().strip()


def test_a_proxys_header_leaks_slots(world: World) -> None:
    world.start(per_address=1)
    talk(world, headers=("X-Real-IP: 10.0.0.7",)).close(timeout=0.2)
    until(lambda: page(world, "/health").json()["connections"] == 0, "the session ends")
    with pytest.raises(websocket.WebSocketBadStatusException):
        talk(world, headers=("X-Real-IP: 10.0.0.7",))


def test_an_idle_connection_is_cut_in_spite_of_pings(world: World) -> None:
    world.start(idle=0.4)
    connection = talk(world)
    connection.ping("still here")
    opcode = 0
    while opcode != websocket.ABNF.OPCODE_CLOSE:
        opcode, data = connection.recv_data(control_frame=True)
    assert data == (1001).to_bytes(2, "big") + b"Connection timeout"


def test_a_close_is_answered_and_tcp_stays_open(world: World) -> None:
    world.start()
    connection = talk(world)
    connection.send_close()
    assert connection.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_CLOSE
    stream = connection.sock
    assert stream is not None
    stream.settimeout(0.3)
    with pytest.raises(TimeoutError):
        stream.recv(1)


def test_a_message_over_a_mebibyte_is_refused(world: World) -> None:
    world.start()
    connection = talk(world)
    connection.send("x" * ((1 << 20) + 1))
    opcode, data = connection.recv_data(control_frame=True)
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1009).to_bytes(2, "big"))


def test_plain_connections(world: World) -> None:
    world.plain()
    world.start()
    reply = ask(talk(world, tls=False), type="health_check")
    assert reply["data"]["status"] == "healthy"  # type: ignore[index]


def test_a_stop_is_clean_alone_and_a_panic_with_a_client(world: World) -> None:
    world.start()
    world.stop()
    assert "Server shutdown complete" in world.log.read_text().splitlines()[-1]
    world.start()
    connection = talk(world)
    ask(connection, type="project_list")
    world.stop()
    assert "panic: concurrent write" in world.log.read_text()


def test_misbehaviour(world: World) -> None:
    world.start(unhealthy="disk=critical", slow=0.2)
    before = time.monotonic()
    reply = ask(talk(world), type="health_check")
    assert time.monotonic() - before >= 0.2
    assert reply["data"]["status"] == "unhealthy"  # type: ignore[index]
    assert reply["data"]["checks"]["disk"]["status"] == "critical"  # type: ignore[index]
    world.stop(grace=0)
    world.start(strip_upgrade=True)
    with pytest.raises(websocket.WebSocketBadStatusException, match="200"):
        talk(world)


@pytest.mark.parametrize("switch", ["silent", "hang"])
def test_a_server_that_never_answers_in_time(world: World, switch: str) -> None:
    world.start(**{switch: True})
    with pytest.raises((websocket.WebSocketTimeoutException, TimeoutError)):
        _asked_in_haste(world)


def _asked_in_haste(world: World) -> None:
    trust = {"cert_reqs": ssl.CERT_NONE}
    url = f"wss://127.0.0.1:{world.port}/ws"
    ask(websocket.create_connection(url, timeout=0.5, sslopt=trust), type="project_list")


def test_a_flood_is_announced_as_one_gibibyte(world: World) -> None:
    world.start(flood=True)
    connection = talk(world)
    connection.send('{"type":"project_list"}')
    assert connection.sock is not None
    head = connection.sock.recv(10)
    assert head == b"\x81\x7f" + (1 << 30).to_bytes(8, "big")


def test_an_answer_byte_by_byte(world: World) -> None:
    world.plain()
    world.start(drip=0.05)
    with socket.create_connection(("127.0.0.1", world.port), 2) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert [raw.recv(1000) for _ in range(4)] == [b"H", b"T", b"T", b"P"]
