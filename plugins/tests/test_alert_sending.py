"""Messages and pings go to real servers, well or ill; nobody is waited for longer than agreed."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugins.alerts import sender
from plugins.alerts.heartbeat import Heartbeat, placed
from plugins.alerts.sender import fitted
from plugins.alerts.sending import Order, Sending
from plugins.alerts.urls import secrets_of
from plugins.redaction import Redactor
from plugins.tests.receivers import free_port, mail, raw, sticky, web
from plugins.tests.toy import ROOT
from plugins.worlds.wiring import pair

PAGE = (ROOT / "docs" / "alerts.md").read_text()
BLOCKS = ("P1 new: box.a\nit is <b>ill</b> & \u2039here\u203a", "looked at noon")
SECRET = "/hook/T0KEN1234567890"


def sent(
    monkeypatch: pytest.MonkeyPatch, urls: dict[str, str], seconds: float = 25.0
) -> dict[str, str]:
    """Send a message by each variable; return what went wrong."""
    for name, url in urls.items():
        monkeypatch.setenv(name, url)
    orders = [Order(name, "vm: 1 new (P1 1)", BLOCKS, "failure") for name in urls]
    return Sending(orders, seconds, Redactor(secrets_of(urls))).outcome()


@pytest.fixture
def self_signed(tmp_path: Path) -> Path:
    made = pair("127.0.0.1", "localhost")
    (tmp_path / "pair.pem").write_bytes(made.certificate + made.key)
    return tmp_path / "pair.pem"


def test_messages_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    with web() as hook, web() as payload, web(500, 503) as moody, mail() as box:
        post = f"127.0.0.1:{box.port}/?from=vm@example.com&to=ops@example.com&mode=insecure"
        outcome = sent(
            monkeypatch,
            {
                "HOOK": hook.url(SECRET),
                "JSON": payload.url("/x", "json"),
                "MAIL": f"mailto://{post}",
                "MOODY": moody.url("/moody"),
            },
        )
        text = "vm: 1 new (P1 1)\n\n" + "\n\n".join(BLOCKS)
        assert hook.requests[0][0] == SECRET
        assert hook.texts() == [text]
        assert b'"title": "vm: 1 new (P1 1)"' in payload.requests[0][1]
        assert len(payload.requests) == 1
        assert box.requests == [("vm: 1 new (P1 1)", "\n\n".join(BLOCKS).encode() + b"\n")]
        assert len(moody.requests) == 3
    assert outcome == dict.fromkeys(["HOOK", "JSON", "MAIL", "MOODY"], "")


def test_what_does_not_arrive_says_why(monkeypatch: pytest.MonkeyPatch, self_signed: Path) -> None:
    with web(*[404] * 9) as gone, web(certificate=self_signed) as sealed:
        outcome = sent(
            monkeypatch,
            {
                "GONE": gone.url(SECRET),
                "SEALED": sealed.url(SECRET, "https"),
                "REFUSED": f"http://127.0.0.1:{free_port()}{SECRET}",
                "NONSENSE": "nonsense",
                "TWO": f"{gone.url('/x', 'json')} {gone.url('/y', 'json')}",
            },
        )
        assert gone.paths() == [SECRET] * 4
    assert outcome["GONE"] == "it answered 404 Not Found"
    assert "certificate" in outcome["SEALED"].lower()
    assert "refused" in outcome["REFUSED"].lower()
    assert outcome["NONSENSE"] == "no known URL"
    assert outcome["TWO"] == "it holds more than one URL: give each a variable"
    assert "T0KEN" not in str(outcome)


def test_who_hangs_is_left_at_the_deadline_and_keeps_nobody_else_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with sticky() as silent, sticky(b"x") as slow, web() as well:
        outcome = sent(
            monkeypatch,
            {
                "SILENT": silent.url(SECRET),
                "DRIP": slow.url(SECRET),
                "TARPIT": f"mailto://127.0.0.1:{silent.port}/?from=a@b.example&mode=insecure",
                "SLOWMAIL": f"mailto://127.0.0.1:{slow.port}/?from=a@b.example&mode=insecure",
                "WELL": well.url(),
            },
            seconds=6.0,
        )
        assert len(well.texts()) == 1
        assert silent.requests
        assert slow.requests
    assert outcome.pop("WELL") == ""
    assert len(outcome) == 4
    assert all(outcome.values())
    assert "T0KEN" not in str(outcome)


def test_an_answer_without_an_end_does_not_take_the_memory_of_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def without_end(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for megabytes in range(1 << 20):
            wire.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
            taken.append(megabytes)

    with raw(without_end) as giant:
        urls = {"HOOK": giant.url(SECRET), "JSON": giant.url(SECRET, "json")}
        outcome = sent(monkeypatch, urls, seconds=8.0)
    assert outcome["HOOK"] == "", "its status came before its answer"
    assert outcome["JSON"]
    assert max(taken) < 700


def test_what_is_sent_elsewhere_is_not_taken_for_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with web() as page:

        def elsewhere(wire: socket.socket) -> None:
            place = page.url("/login").encode()
            wire.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b\r\n\r\n" % place)

        with raw(elsewhere) as door:
            urls = {"HOOK": door.url(SECRET), "JSON": door.url(SECRET, "json")}
            outcome = sent(monkeypatch, urls)
    assert "302" in outcome["HOOK"]
    assert "302" in outcome["JSON"]
    assert page.requests == []


def test_the_sender_ends_with_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    program = """
from plugins.alerts.sending import Order, Sending
sending = Sending([Order("HOOK", "title", ("block",), "info")], 250.0, str)
sending.outcome()
"""
    with sticky() as silent:
        monkeypatch.setenv("HOOK", silent.url())
        with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as run:
            silent.wait(1)
            run.kill()
        silent.wait(2)
        assert silent.paths() == ["opened", "closed"]


def test_a_sender_that_breaks_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import sys; sys.exit('it broke')")
    monkeypatch.setattr(sender, "__file__", str(tmp_path / "broken.py"))
    assert sent(monkeypatch, {"HOOK": "http://127.0.0.1:1/"}) == {"HOOK": "it broke"}


def test_what_is_too_long_is_cut_between_blocks() -> None:
    blocks = ["a" * 50, "b" * 50, "c" * 50]
    assert fitted(blocks, 1000) == "\n\n".join(blocks)
    cut = fitted(blocks, 130)
    assert cut == f"{'a' * 50}\n\nand 2 more; the reports on that machine have all"
    assert fitted(blocks, 10) == "a" * 10


def test_every_url_that_the_page_shows_is_one_that_is_understood() -> None:
    import apprise

    block = PAGE.partition("```sh\n")[2].partition("```")[0]
    urls = dict(re.findall(r"^(HEALTH_\w+)='([^']+)'", block, re.MULTILINE))
    assert len(urls) >= 6
    plain = {name for name, url in urls.items() if not apprise.Apprise().add(url)}
    assert plain == {"HEALTH_WEBHOOK_URL"}, "each is one of apprise, but for the plain webhook"


def test_a_heartbeat_comes_in_order_and_is_tried_again(self_signed: Path) -> None:
    with web(500, 200, 429) as server, web(404) as gone, web(certificate=self_signed) as sealed:
        beat = Heartbeat(server.url("/uuid?create=1"), 20.0, Redactor())
        beat.ping("start", "it begins")
        beat.ping("fail", "P1 box.a")
        assert beat.wait(20.0) == ""
        assert server.paths() == [
            *("/uuid/start?create=1", "/uuid/start?create=1"),
            *("/uuid/fail?create=1", "/uuid/fail?create=1"),
        ]
        assert [body for _, body in server.requests][-1] == b"P1 box.a"
        no_more = Heartbeat(gone.url("/uuid"), 20.0, Redactor())
        no_more.ping("", "")
        assert no_more.wait(20.0) == "it answered 404"
        assert gone.paths() == ["/uuid"]
        unsafe = Heartbeat(sealed.url("/uuid-secret", "https"), 4.0, Redactor(["/uuid-secret"]))
        unsafe.ping("", "")
        assert "certificate" in unsafe.wait(20.0).lower()
        assert "uuid-secret" not in unsafe.complaint
    wrong = Heartbeat("not a URL", 5.0, Redactor())
    wrong.ping("", "")
    assert "not a URL" in wrong.wait(20.0)


@pytest.mark.parametrize("drip", [b"", b"x"])
def test_a_heartbeat_that_hangs_is_left_alone(drip: bytes) -> None:
    with sticky(drip) as server:
        beat = Heartbeat(server.url("/uuid"), 1.0, Redactor())
        began = time.monotonic()
        beat.ping("start", "")
        beat.ping("", "")
        assert beat.wait(20.0)
        assert time.monotonic() - began < 20.0


def test_a_part_of_a_path_is_put_before_the_query() -> None:
    assert placed("https://hc-ping.com/uuid", "start") == "https://hc-ping.com/uuid/start"
    assert placed("https://h/k/slug/?create=1", "fail") == "https://h/k/slug/fail?create=1"
    assert placed("https://h/k/slug?create=1", "") == "https://h/k/slug?create=1"
