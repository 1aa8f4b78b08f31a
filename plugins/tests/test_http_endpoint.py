"""HTTP: every way in which a server does not answer has its word, inside the limit."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from plugins.endpoints.http import Http
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NotThere, Refused, TimedOut, TooBig, WrongKind
from plugins.worlds.wiring import HTTP_OK, answer, drip, flood, hang, pair, request_of, serving


class Pages(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/health")
            self.end_headers()
            return
        body = b'{"status":"healthy"}'
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Type", "Application/JSON; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body + (self.headers["X-Word"] or "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[str]:
    Pages.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def http() -> Http:
    return Http(Host())


def seconds(ask: Callable[[], object], kind: type[Exception], words: str | None = None) -> float:
    began = time.monotonic()
    with pytest.raises(kind, match=words):
        ask()
    return time.monotonic() - began


def test_an_answer_tells_status_type_headers_and_body(http: Http, pages: str) -> None:
    got = http.get(f"{pages}/health")
    assert (got.status, got.content_type) == (200, "application/json")
    assert got.json() == {"status": "healthy"}
    assert got.header("Content-Length") == str(len(got.body))
    assert 0 < got.seconds < 5


def test_a_status_that_is_no_success_is_an_answer(http: Http, pages: str) -> None:
    assert http.get(f"{pages}/none").status == 404


def test_no_redirect_is_followed(http: Http, pages: str) -> None:
    got = http.get(f"{pages}/moved")
    assert (got.status, got.header("location")) == (302, "/health")


def test_a_body_and_headers_are_sent(http: Http, pages: str) -> None:
    got = http.request("POST", pages, body=b"[1]", headers={"X-Word": "w"})
    assert got.body == b"[1]w"


def test_the_same_question_is_asked_once_from_all_threads(http: Http, pages: str) -> None:
    threads = [threading.Thread(target=http.get, args=(f"{pages}/health",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Pages.asked == ["/health"]


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    http: Http, pages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert http.get(f"{pages}/health").status == 200


def test_a_proxy_of_the_environment_is_asked_for_other_addresses(
    http: Http, pages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", pages)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert http.get("http://far.invalid/health").status == 200
    assert Pages.asked == ["http://far.invalid/health"]


def test_nobody_listening_is_refused(http: Http) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert seconds(lambda: http.get(url), Refused, "nobody listens") < 1


def test_a_name_that_does_not_resolve_is_told(http: Http) -> None:
    seconds(lambda: http.get("http://no.such.name.invalid/"), NotThere, "does not resolve")


@pytest.mark.parametrize("url", ["ftp://x/", "http:///x", "http://[::1", "http://x:99999/", ""])
def test_what_is_no_url_is_told(http: Http, url: str) -> None:
    seconds(lambda: http.get(url), WrongKind, "not a URL")


def stop_in_the_body(wire: socket.socket) -> None:
    request_of(wire)
    wire.sendall(HTTP_OK + b"content-length: 5\r\n\r\nab")
    hang(wire)


@pytest.mark.parametrize(
    "behave",
    [
        hang,
        drip(b"HTTP/1.1 200 OK\r\nX-Long: "),
        drip(HTTP_OK + b"content-length: 99999\r\n\r\n"),
        drip(HTTP_OK + b"\r\n"),
        stop_in_the_body,
    ],
    ids=["hangs", "drips headers", "drips a body", "drips without a length", "stops in the body"],
)
def test_our_limit_is_one_for_everything(
    http: Http, behave: Callable[[socket.socket], None]
) -> None:
    with serving(behave) as port:
        url = f"http://127.0.0.1:{port}/"
        took = seconds(lambda: http.get(url, deadline=0.4), TimedOut, "our limit of 0.4 s")
    assert 0.3 < took < 0.9


def test_an_address_that_hangs_costs_its_limit_once(http: Http) -> None:
    with serving(hang) as port:
        seconds(lambda: http.get(f"http://127.0.0.1:{port}/a", deadline=0.3), TimedOut)
        again = seconds(lambda: http.get(f"http://127.0.0.1:{port}/b", deadline=0.3), TimedOut)
    assert again < 0.1


def test_a_gibibyte_is_not_taken_in(http: Http) -> None:
    with serving(flood(HTTP_OK + b"\r\n")) as port:
        url = f"http://127.0.0.1:{port}/"
        assert seconds(lambda: http.get(url, limit=1 << 20), TooBig, "limit of 1048576") < 2


def test_tls_asked_of_a_plain_server_is_told(http: Http) -> None:
    with serving(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        url = f"https://127.0.0.1:{port}/"
        assert seconds(lambda: http.get(url, deadline=0.5), (WrongKind, TimedOut)) < 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "closed the connection"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "not a sensible answer"),
        (b"rubbish\r\n\r\n", "not a sensible answer"),
        (
            b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
            "speaks TLS",
        ),
    ],
)
def test_plain_http_asked_of_something_else_is_told(http: Http, text: bytes, words: str) -> None:
    with serving(answer(text)) as port:
        seconds(lambda: http.get(f"http://127.0.0.1:{port}/"), WrongKind, words)


def test_a_self_signed_certificate_is_taken_unless_trust_is_asked_for(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    made = pair("localhost", "127.0.0.1")
    context = made.context(tmp_path)
    (tmp_path / "ca.pem").write_bytes(made.certificate)

    def behave(wire: socket.socket) -> None:
        with context.wrap_socket(wire, server_side=True) as sealed:
            request_of(sealed)
            sealed.sendall(HTTP_OK + b"content-length: 2\r\n\r\n{}")

    with serving(behave) as port:
        url = f"https://127.0.0.1:{port}/"
        assert Http(Host()).get(url).status == 200
        assert Http(Host()).get(url, verify=str(tmp_path / "ca.pem")).status == 200
        seconds(lambda: Http(Host()).get(url, verify=True), WrongKind, "not trusted")
    assert not [one for one in recwarn if "Insecure" in one.category.__name__]


def test_loopback_of_a_far_host_cannot_be_reached_from_here() -> None:
    far = Http(Host("ssh://me@box"))
    for name in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0"):
        seconds(lambda name=name: far.get(f"http://{name}:1/"), CannotTell, "from here")  # type: ignore[misc]


def test_a_name_and_password_in_a_url_are_not_told(http: Http) -> None:
    with serving(hang) as port, pytest.raises(TimedOut) as told:
        http.get(f"http://me:hush@127.0.0.1:{port}/?token=hush", deadline=0.2)
    assert "hush" not in str(told.value)
