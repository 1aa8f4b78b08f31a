"""A real browser opens a page, reaches nobody else, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.endpoints.browser import Browser, Opened
from plugins.hosts import Host
from plugins.outcomes import CannotTell, TimedOut, ToolMissing
from plugins.worlds.running import until
from plugins.worlds.wiring import answer, hang, request_of, serving

HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n"
FORM = b"<input type=password>"
real = pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    assert tmp_path.exists()  # made before the place of such folders is another
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def opened(page: bytes, deadline: float = 25.0) -> Opened:
    with serving(answer(HTML + page)) as port:
        return Browser(Host()).open(f"http://127.0.0.1:{port}/", deadline=deadline)


def ours(folder: Path) -> list[int]:
    """Return the processes that have the folder on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


@real
def test_a_form_is_seen_and_nothing_is_left(scratch: Path) -> None:
    seen = opened(FORM)
    assert (seen.has_login_form, seen.errors, seen.elsewhere) == (True, (), ())
    assert not list(scratch.iterdir())
    assert not ours(scratch)


@real
def test_no_other_server_is_reached() -> None:
    asked: list[bytes] = []

    def listen(wire: socket.socket) -> None:
        asked.append(request_of(wire))

    with serving(listen) as other:
        there = f"127.0.0.1:{other}"
        page = (
            f"<img src=http://{there}/a><script src=http://cdn.example/b></script>"
            f"<script>fetch('http://{there}/c').catch(e => 0); new WebSocket('ws://{there}/d');"
            f"navigator.sendBeacon('http://{there}/e', '1');</script>"
        )
        seen = opened(page.encode() + FORM)
    assert asked == []
    assert seen.has_login_form
    assert any("cdn.example" in url for url in seen.elsewhere)


@real
def test_hostile_words_are_told_without_their_power() -> None:
    page = b"<script>alert(1); console.error('\\u001b[31m\\n- forged', 'password=hunter2secret');"
    page += b"for (let i = 0; i < 500; i++) console.error('x'.repeat(1e4) + i)</script>"
    seen = opened(page + FORM)
    assert len(seen.errors) <= 50
    assert "\x1b" not in "".join(seen.errors)
    assert "\n" not in "".join(seen.errors)
    assert "hunter2secret" not in "".join(seen.errors)
    assert max(map(len, seen.errors)) < 400


@real
def test_a_page_that_never_ends_costs_its_deadline() -> None:
    began = time.monotonic()
    seen = opened(b"<script>setTimeout(() => { for (;;) {} }, 100)</script>", deadline=6.0)
    assert not seen.has_login_form
    assert any("busy" in error for error in seen.errors)
    assert time.monotonic() - began < 20


@real
def test_a_server_that_never_answers_costs_its_deadline() -> None:
    with serving(hang) as port, pytest.raises(TimedOut):
        Browser(Host()).open(f"http://127.0.0.1:{port}/", deadline=5.0)


@real
def test_it_ends_with_who_started_it(scratch: Path) -> None:
    with serving(hang) as port:
        code = (
            "from plugins.hosts import Host\nfrom plugins.endpoints.browser import Browser\n"
            f"Browser(Host()).open('http://127.0.0.1:{port}/', deadline=60)"
        )
        starter = subprocess.Popen(
            [sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(scratch)}
        )
        try:
            until(lambda: len(ours(scratch)) > 2, "the browser runs", 20)
            starter.send_signal(signal.SIGKILL)
            until(lambda: not ours(scratch), "the browser ends", 10)
        finally:
            starter.kill()
            starter.wait(5)


def program(folder: Path, text: str) -> str:
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("echo 'No usable sandbox!' >&2; exit 1", CannotTell, "No usable sandbox"),
        ("sleep 60", TimedOut, "browser"),
        ("cat /dev/zero >&4", TimedOut, "browser"),
        ("printf '[1,2]\\0{\\0null\\0' >&4; sleep 60", TimedOut, "browser"),
        ("exit 0", CannotTell, "says nothing"),
    ],
)
def test_a_browser_that_is_none(
    tmp_path: Path, text: str, kind: type[Exception], words: str
) -> None:
    began = time.monotonic()
    with pytest.raises(kind, match=words):
        Browser(Host(), program(tmp_path, text)).open("http://127.0.0.1:9/", deadline=1.0)
    assert time.monotonic() - began < 12
    assert not ours(tmp_path)


def test_where_there_is_none() -> None:
    with pytest.raises(ToolMissing, match="no-such-browser is not installed"):
        Browser(Host(), "no-such-browser").open("http://127.0.0.1:9/")
    with pytest.raises(CannotTell, match="no browser is started on"):
        Browser(Host("ssh://me@box")).open("http://127.0.0.1:9/")
