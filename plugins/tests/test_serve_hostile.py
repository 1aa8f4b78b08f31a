"""The process that serves outlives clients that are slow, broken or evil, and answers others."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from plugins.serve import desk, server
from plugins.serve.answers import Answers
from plugins.tests.served import HOST, LIMIT, TOKEN, Served, connected, got, said, served
from plugins.tests.watched import until

PAGE = os.urandom(1 << 20)  # does not get smaller when it is packed
WELL = b"GET /healthz HTTP/1.1\r\n" + HOST
LAST = WELL + b"Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def house() -> Iterator[Served]:
    with served(PAGE) as made:
        yield made


BROKEN = {
    "random": (b"\x01\x02" + os.urandom(3000) + b"\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + os.urandom(200), 400),
    "HTTP/0.9": (b"GET /report\r\n\r\n", 400),
    "no Host": (b"GET /report HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET /report HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "another Host": (b"GET /report HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    "a whole URL": (b"GET http://evil.example/report HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a proxy's": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a zero byte": (b"GET /report\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a body": (WELL + b"Content-Length: 5\r\n\r\nhello", 413),
    "pieces": (WELL + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
    "less than none": (WELL + b"Content-Length: -1\r\n\r\n", 400),
    "two lengths": (WELL + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello", 400),
    "a write": (b"POST /report HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", 405),
    "a large header": (WELL + b"X: " + b"x" * (1 << 20), 431),
    "large line": (b"GET /" + b"x" * (1 << 20), 431),
    "a large body": (
        b"POST /report HTTP/1.1\r\n" + HOST + b"Content-Length: 9999999999\r\n\r\n" + PAGE,
        405,
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_request_gets_a_sentence_and_the_end_of_the_connection(
    house: Served, kind: str
) -> None:
    request, status = BROKEN[kind]
    line = connected(house.port, request)
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_WR)
    answer = said(line)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert f"\r\n\r\n{status} ".encode() in answer
    assert b"\r\nServer:" not in answer
    assert got(house.port, "/healthz").status == 200


def test_what_is_hidden_in_a_body_is_no_request(house: Served) -> None:
    hidden = b"GET /report HTTP/1.1\r\n" + HOST + b"\r\n"
    for heads in (b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"Content-Length: 6"):
        answer = said(connected(house.port, WELL + heads + b"\r\n\r\n0\r\n\r\n" + hidden))
        assert answer.count(b"HTTP/1.1 ") == 1
        assert PAGE[:100] not in answer


def test_requests_that_are_sent_ahead_are_answered_one_by_one(house: Served) -> None:
    ahead = (WELL + b"\r\n") * 300 + (b"GET /report HTTP/1.1\r\n" + HOST + b"\r\n") * 3 + LAST
    answer = said(connected(house.port, ahead))
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 304
    assert answer.count(PAGE) == 3


def test_a_connection_is_used_again_and_head_has_no_body(house: Served) -> None:
    with connected(house.port) as line:
        for _ in range(3):
            line.sendall(b"HEAD /report HTTP/1.1\r\n" + HOST + b"\r\n")
            answer = line.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert f"Content-Length: {len(PAGE)}\r\n".encode() in answer
            assert answer.endswith(b"\r\n\r\n")
        line.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert said(line).startswith(b"HTTP/1.1 200 OK\r\n")


def test_more_clients_than_there_is_room_for_push_the_idlest_out(house: Served) -> None:
    waiting = [connected(house.port, b"GET / HT") for _ in range(server.MOST_CLIENTS + 50)]
    try:
        assert got(house.port, "/healthz").status == 200
        with contextlib.suppress(ConnectionResetError):
            assert waiting[0].recv(100) == b""
        waiting[-1].sendall(b"TP/1.1\r\n" + HOST + b"\r\n")
        assert waiting[-1].recv(100).startswith(b"HTTP/1.1 404 ")
        assert house.figures()[1] < server.MOST_CLIENTS + 20
    finally:
        for line in waiting:
            line.close()
    until(lambda: house.figures()[1] < 20, "all are gone")


def test_who_does_not_read_costs_no_memory_and_keeps_nobody_waiting(house: Served) -> None:
    before = house.figures()
    request = b"GET /report HTTP/1.1\r\n" + HOST + b"\r\n"
    slow = [connected(house.port, request * 3, room=4096) for _ in range(200)]
    try:
        assert got(house.port, "/report").body == PAGE
        assert house.figures()[0] - before[0] < 20_000, "KiB; 200 copies would be 200 MiB"
        assert house.figures()[2] == before[2]
        parts = [slow[0].recv(1 << 16)]
        while sum(map(len, parts)) < len(PAGE):
            parts.append(slow[0].recv(1 << 16))
        assert PAGE[: 1 << 19] in b"".join(parts)
    finally:
        for line in slow:
            line.close()


LIMITS = {"SECONDS_OF_REQUEST": 0.6, "SECONDS_OF_REST": 0.3, "SECONDS_OF_ANSWER": 0.6}


async def beside(behave: Callable[[int], Awaitable[bytes]]) -> bytes:
    """Return what a client in the same process comes to."""
    answers = Answers()
    answers.take({"pages": {"/report": ["text/html", ""]}}, [PAGE])
    house, loop = server.House(answers), asyncio.get_running_loop()
    async with await loop.create_server(lambda: server.Client(house), "127.0.0.1", 0) as made:
        async with asyncio.timeout(LIMIT):
            seen = await behave(made.sockets[0].getsockname()[1])
            while house.clients:
                await asyncio.sleep(0.01)
            return seen


async def dripping(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(WELL)
    end = asyncio.ensure_future(reader.read())
    while not end.done():
        writer.write(b"x")
        await asyncio.sleep(0.02)
    writer.close()
    return await end


async def resting(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n")
    seen = await reader.read()
    writer.close()
    return seen


async def not_reading(port: int) -> bytes:
    with connected(port, (b"GET /report HTTP/1.1\r\n" + HOST + b"\r\n") * 9, room=4096) as line:
        await asyncio.sleep(3 * LIMITS["SECONDS_OF_ANSWER"])
        with contextlib.suppress(ConnectionResetError):
            return await asyncio.to_thread(said, line)
    return b""


@pytest.mark.parametrize(
    ("behave", "most"), [(dripping, 0), (resting, 1000), (not_reading, 4 * len(PAGE))]
)
def test_each_part_of_a_request_has_its_time(
    monkeypatch: pytest.MonkeyPatch, behave: Callable[[int], Awaitable[bytes]], most: int
) -> None:
    for name, seconds in LIMITS.items():
        monkeypatch.setattr(server, name, seconds)
    assert len(asyncio.run(beside(behave))) <= most


def test_the_token_is_in_no_place_that_others_can_read() -> None:
    with served(token=TOKEN) as house:
        assert got(house.port, "/healthz").status == 401
        assert got(house.port, "/healthz", Authorization=f"Bearer {TOKEN}").status == 200
        for name in ("environ", "cmdline"):
            with open(f"/proc/{house.pid}/{name}", "rb") as file:
                assert TOKEN.encode() not in file.read()


def test_where_it_is_gone_it_is_begun_anew_with_what_it_knew() -> None:
    with served(b"<p>kept") as house:
        known = {"rounds": 2, "status": 1, "verdict": "Ill.", "at": 0.0}
        os.kill(house.pid, signal.SIGKILL)
        os.waitid(os.P_PID, house.pid, os.WEXITED | os.WNOWAIT)
        assert house.desk.give("round", known) == "the server ended (SIGKILL); it was begun anew"
        assert house.desk.pid != house.pid
        assert got(house.port, "/report").body == b"<p>kept"
        assert got(house.port, "/healthz").status == 503
        os.kill(house.desk.pid, signal.SIGTERM)
        os.waitid(os.P_PID, house.desk.pid, os.WEXITED | os.WNOWAIT)
        assert house.desk.give("round", known) == "the server ended (SIGTERM)"  # not at once again
        assert house.desk.give("round", known) == ""
        assert house.desk.pid == 0


def test_one_that_does_not_take_what_it_is_told_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk, "_PATIENCE_S", 2.0)
    with served() as house:
        os.kill(house.pid, signal.SIGSTOP)
        kinds = {"/report": ("text/html", "")}
        told = house.desk.give("pages", kinds, [PAGE])
        assert told == "the server did not take what it was told; it was begun anew"
        assert got(house.port, "/healthz").status == 200


def test_at_its_end_nothing_is_left() -> None:
    before = set(os.listdir("/proc/self/fd"))
    with served() as house, connected(house.port) as line:
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(house.pid, 0)
    with socket.socket() as one:
        assert one.connect_ex(("127.0.0.1", house.port)) != 0
    assert set(os.listdir("/proc/self/fd")) <= before
    assert line.fileno() == -1
