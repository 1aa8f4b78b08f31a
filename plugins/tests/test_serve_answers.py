"""What is answered to whom, and never a "healthy" that is not known."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from plugins.serve.answers import PATHS, Answer, Answers, now

PAGE = b"<p>\xc3\xa9 " * 1000
TOKEN = "0123456789abcdef-token"


def made(*, token: str = "", status: int = 0, age: float = 0.0, pages: bool = True) -> Answers:
    answers = Answers()
    rules = {"token": token, "names": ["box.example"], "stale_after": 100.0}
    answers.take({"rules": rules}, ())
    if pages:
        kinds = {"/report": ["text/html; charset=utf-8", "script-src x"], "/metrics": ["m", ""]}
        answers.take({"pages": kinds}, [PAGE, b"up 1\n"])
    known = {"rounds": 7, "status": status, "verdict": "It is so.", "at": now() - age}
    answers.take({"round": known}, ())
    return answers


def asked(answers: Answers, path: str, method: str = "GET", **headers: str) -> Answer:
    named = {"host": "localhost:8080"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return answers.answer(method, path, {k: v for k, v in named.items() if v})


def header(answer: Answer, name: str) -> str:
    return dict(answer.headers).get(name, "")


def health(answers: Answers) -> tuple[int, dict[str, Any]]:
    answer = asked(answers, "/healthz")
    return answer.status, json.loads(answer.body)


def test_healthy_is_the_status_0_of_a_round_that_is_not_old() -> None:
    status, body = health(made())
    assert (status, body.pop("age_s") < 5) == (200, True)
    wanted = {"status": "healthy", "verdict": "It is so.", "exit_status": 0, "rounds": 7}
    assert body == wanted


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5, 6, 10, 11])
def test_every_other_status_is_not_healthy(status: int) -> None:
    code, body = health(made(status=status))
    assert (code, body["status"], body["exit_status"]) == (503, "unhealthy", status)


def test_before_the_first_round_nothing_is_healthy() -> None:
    answers = Answers()
    assert health(answers)[0] == 503
    assert health(answers)[1]["status"] == "starting"
    for path in PATHS:
        assert asked(answers, path).status == 503


def test_rounds_that_stopped_are_told_however_healthy_the_last_one_was() -> None:
    assert health(made(age=99))[0] == 200
    status, body = health(made(age=101))
    assert (status, body["status"], body["exit_status"]) == (503, "stale", 0)


def test_pages_are_as_the_round_left_them_and_known_by_their_tag() -> None:
    answers = made()
    page = asked(answers, "/report?fresh=1")
    assert (page.status, page.body) == (200, PAGE)
    assert header(page, "Content-Type") == "text/html; charset=utf-8"
    assert header(page, "Content-Security-Policy") == "script-src x"
    tag = header(page, "ETag")
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = asked(answers, "/report", if_none_match=known)
        assert (again.status, again.body, header(again, "ETag")) == (304, b"", tag)
    assert asked(answers, "/report", if_none_match='"other"').status == 200
    answers.take({"pages": {"/report": ["text/html", ""]}}, [b"new"])
    assert asked(answers, "/report", if_none_match=tag).body == b"new"
    assert asked(answers, "/metrics").status == 404


def test_pages_are_packed_for_whoever_takes_that() -> None:
    answers = made()
    for accepted in ("gzip", "br, GZIP;q=0.5", "deflate, gzip"):
        page = asked(answers, "/report", accept_encoding=accepted)
        assert header(page, "Content-Encoding") == "gzip"
        assert gzip.decompress(page.body) == PAGE
        tag = header(page, "ETag")
        assert asked(answers, "/report", accept_encoding="gzip", if_none_match=tag).status == 304
        assert asked(answers, "/report", if_none_match=tag).status == 200
    for accepted in ("", "br", "gzip;q=0", "gzip; q=0.00", "gzipped"):
        assert asked(answers, "/report", accept_encoding=accepted).body == PAGE
    assert asked(answers, "/metrics", accept_encoding="gzip").body == b"up 1\n"


def test_nothing_is_kept_embedded_or_taken_for_something_else() -> None:
    for path in (*PATHS, "/other"):
        answer = asked(made(), path)
        assert header(answer, "Cache-Control") == "no-store"
        assert header(answer, "X-Content-Type-Options") == "nosniff"
        assert header(answer, "Referrer-Policy") == "no-referrer"
        assert header(answer, "Cross-Origin-Resource-Policy") == "same-origin"
        assert header(answer, "X-Frame-Options") == "DENY"
        assert header(answer, "Content-Security-Policy")
        assert not header(answer, "Server")


def test_other_paths_and_other_methods_are_refused_in_words() -> None:
    answers = made()
    for path in (
        "/",
        "/healthz/",
        "/../report",
        "/report.html",
        "/REPORT",
        "//report",
        "/%72eport",
    ):
        assert asked(answers, path).status == 404
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"):
        answer = asked(answers, "/report", method)
        assert (answer.status, header(answer, "Allow")) == (405, "GET, HEAD")
        assert answer.body.startswith(b"405 Method Not Allowed: ")
    assert asked(answers, "/report", "HEAD").status == 200


def test_a_token_is_demanded_for_everything() -> None:
    answers = made(token=TOKEN)
    wrong = [
        "",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer",
        "Bearer é",
    ]
    for path in (*PATHS, "/other"):
        for sent in wrong:
            answer = asked(answers, path, authorization=sent)
            assert answer.status == 401, sent
            assert header(answer, "WWW-Authenticate").startswith("Bearer")
            assert TOKEN not in f"{answer}"
    for sent in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
        assert asked(answers, "/report", authorization=sent, host="any.example").status == 200


def test_without_a_token_a_name_that_is_not_ours_is_refused() -> None:
    answers = made()
    ours = ["localhost", "LOCALHOST:9", "localhost.", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080"]
    ours += ["[::1]", "box.example:80", "BOX.example"]
    for host in ours:
        assert asked(answers, "/report", host=host).status == 200, host
    theirs = [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
    ]
    theirs += ["10.0.0.1", "0.0.0.0", "localhost@evil.example", "[::2]", "2130706433", " ", "a b"]
    theirs += ["localhost:80:evil.example", "localhost, evil.example"]
    for host in theirs:
        for path in PATHS:
            assert asked(answers, path, host=host).status == 421, host
    # No browser leaves it out; a probe of HTTP/1.0 does.
    assert asked(answers, "/healthz", host="").status == 200
