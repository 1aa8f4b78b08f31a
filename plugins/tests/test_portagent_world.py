"""The small server behaves as the recorded one: its answers, its log, its console, its ends."""

from __future__ import annotations

import base64
import http.client
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from healthchecks.portagent.world import World
from plugins.tests.portagent_box import opened

# Written by the real program in a run for this purpose.
RECORDED_REGISTRATION = {
    "keys": ["token", "user", "expiresIn"],
    "user": ["userId", "username", "email", "containerId", "createdAt"],
    "header": {"alg": "HS256"},
    "claims": ["sub", "iat", "exp"],
}
RECORDED_LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00 \[(?:DBG|INF|WRN|ERR)\] "
    r"portagent·[\w/]+: '[^']+'(?: \{ .* \}| \{)?"
)
RECORDED_START = (
    "'EventQueue created' { path: '",
    "'RuntimeImpl constructor done'",
    "'WebSocket attached to existing HTTP server' { path: '/ws' }",
)
RECORDED_NO_KEY = (
    "Error: LLM_PROVIDER_KEY is required\n\nSet it via environment variable:\n"
    "  export LLM_PROVIDER_KEY=sk-ant-xxx\n"
)
PAGE = "text/html; charset=utf-8"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world that is ended whatever happens."""
    with opened(tmp_path) as made:
        yield made


def ask(world: World, method: str, path: str, body: object = None, token: str = "") -> Any:
    """Return (status, content type, body) of an answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    line = http.client.HTTPConnection("127.0.0.1", world.server.port, timeout=10)
    with closing(line):
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        return answer.status, answer.getheader("content-type"), answer.read()


def part(token: str, number: int) -> Any:
    """Return the header or the claims of a token."""
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_it_answers_as_the_real_one(world: World) -> None:
    world.server.start()
    status, kind, body = ask(world, "GET", "/health")
    assert (status, kind) == (200, "application/json")
    assert re.fullmatch(rb'\{"status":"ok","timestamp":\d{13}\}', body)
    for path in ("/healthz", "/metrics", "/api/nope", "/ws"):
        status, kind, body = ask(world, "GET", path)
        assert (status, kind) == (200, PAGE)
        assert b'<div id="root">' in body
    json_ = "application/json"
    assert ask(world, "GET", "/agentx/info") == (401, json_, b'{"error":"Unauthorized"}')
    wrong = ask(world, "GET", "/agentx/info", token="x.y.z")
    assert wrong == (401, json_, b'{"error":"Invalid token"}')
    assert ask(world, "GET", "/api/auth/verify") == (401, json_, b'{"valid":false}')
    assert ask(world, "GET", "/api/auth/config")[2] == b'{"inviteCodeRequired":true}'
    nobody = {"usernameOrEmail": "nobody", "password": "none at all"}
    login = ask(world, "POST", "/api/auth/login", nobody)
    assert login == (401, json_, b'{"error":"Invalid credentials"}')
    assert ask(world, "POST", "/api/auth/login", {"username": "x", "password": "y"})[0] == 400
    refused = ask(world, "POST", "/api/auth/register", {"username": "x", "inviteCode": "1"})
    assert refused == (400, json_, b'{"error":"Invalid invite code"}')


def test_its_tokens_are_those_of_the_recording(world: World) -> None:
    world.server.start()
    told = world.server.register("carla")
    assert list(told) == RECORDED_REGISTRATION["keys"]
    assert list(told["user"]) == RECORDED_REGISTRATION["user"]
    assert part(told["token"], 0) == RECORDED_REGISTRATION["header"]
    claims = part(told["token"], 1)
    assert list(claims) == RECORDED_REGISTRATION["claims"]
    assert claims["exp"] - claims["iat"] == 604_800
    assert told["user"]["email"] == f"{told['user']['userId']}@noemail.portagent"
    assert ask(world, "GET", "/api/auth/verify", token=told["token"])[0] == 200
    world.databases.run("portagent", "DELETE FROM users")
    # The platform looks at no user, and lets one in who is gone.
    assert ask(world, "GET", "/agentx/info", token=told["token"])[0] == 200
    assert ask(world, "GET", "/api/auth/verify", token=told["token"])[0] == 401


def test_a_code_counts_by_its_leading_number(world: World) -> None:
    world.server.start()
    user = {"username": "dora", "password": "correct horse"}
    code = world.server.code_of_today()
    number = ask(world, "POST", "/api/auth/register", {**user, "inviteCode": code})
    assert number[0] == 400  # it must be a text
    behind = ask(world, "POST", "/api/auth/register", {**user, "inviteCode": f"{code}.9abc"})
    assert behind[0] == 201


def test_its_databases_have_the_real_ones_journals(world: World) -> None:
    world.server.start()
    world.server.register()
    assert Path(f"{world.databases.path('queue')}-wal").stat().st_size
    for name, mode in (("portagent", 1), ("agentx", 1), ("queue", 2)):
        assert world.databases.path(name).read_bytes()[18:20] == bytes([mode, mode])
    with closing(sqlite3.connect(world.databases.path("queue"))) as connection:
        cursors = connection.execute("SELECT cursor FROM queue_entries").fetchall()
    assert all(re.fullmatch(r"[0-9a-z]{8}-\d{4}", cursor) for (cursor,) in cursors)


def test_its_log_and_its_console_are_those_of_the_recording(world: World) -> None:
    world.server.start()
    pid = world.server.pid
    world.server.stop()
    log = (world.data_dir / "logs/portagent.log").read_text("utf-8")
    for expected in RECORDED_START:
        assert expected in log
    lines = [line for line in log.splitlines() if re.match(r"\d{4}-", line)]
    assert lines
    assert not [line for line in lines if not RECORDED_LINE.fullmatch(line)]
    console = world.server.console.read_text("utf-8")
    assert f"  Port: {world.server.port}\n  Data Dir: {world.data_dir}\n" in console
    assert "  API Key: sk-ant-api03-w0...\n" in console  # fifteen characters of it
    assert "  Invite Code: required\n" in console
    assert console.endswith("Server stopped\n")
    assert not Path(f"/proc/{pid}").exists()


def test_it_ends_as_the_real_one_where_it_cannot_start(world: World) -> None:
    world.server.another_program()
    assert world.server.start_refused() == 1
    console = world.server.console.read_text("utf-8")
    assert console.endswith(f"Failed to start server. Is port {world.server.port} in use?\n")
    assert "Configuration:" in console  # the banner comes first
    world.databases.break_header("portagent")
    assert world.server.start_refused() == 1
    assert "SQLiteError: " in world.server.console.read_text("utf-8")
    del world.server.environment["LLM_PROVIDER_KEY"]
    assert world.server.start_refused() == 1
    assert RECORDED_NO_KEY in world.server.console.read_text("utf-8")
    assert world.server.start_refused(env_file="nowhere.env") == 1
    assert "Error: Environment file not found: nowhere.env" in world.server.console.read_text()


def test_who_answers_no_ping_is_cut_after_two(world: World) -> None:
    import websocket

    world.server.environment["WORLD_HEARTBEAT"] = "0.3"
    world.server.start()
    url = f"ws://127.0.0.1:{world.server.port}/ws"
    line: Any = websocket.create_connection(url, timeout=10)
    began = time.monotonic()
    assert line.recv_frame().opcode == 9  # a ping; nothing answers it
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        line.recv_frame()
    assert time.monotonic() - began >= 0.5
    log = (world.data_dir / "logs/portagent.log").read_text("utf-8")
    assert "[WRN] portagent·network/WebSocketConnection: 'Client heartbeat timeout" in log


def test_another_path_takes_no_websocket_and_gives_no_answer(world: World) -> None:
    import websocket

    world.server.start()
    for path in ("/ws/", "/", "/socket"):
        with pytest.raises(websocket.WebSocketConnectionClosedException):
            websocket.create_connection(f"ws://127.0.0.1:{world.server.port}{path}", timeout=10)
