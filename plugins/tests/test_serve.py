"""A watch hands out what its last round came to, and nothing is looked at for whoever asks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.serve import VARIABLE
from plugins.tests.served import TOKEN, free_port, got, is_open
from plugins.tests.toy import Toy, check
from plugins.tests.watched import ALONE, until, watched

LOOKED = """
@probe(deadline=30.0)
def counted(system) -> tuple[str, ...]:
    with open(system.folder + "/looks", "a") as file:
        file.write("x")
    while not os.path.exists(system.folder + "/go"):
        time.sleep(0.02)
    return tuple(sorted(os.listdir(system.folder + "/odd")))
"""
BODY = "assert not counted, listed('odd', counted)"
COUNTED = check("odd", BODY, facts="counted", cure="hint='x'")


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.probes(LOOKED)
    made.checks(COUNTED)
    return made


@pytest.fixture
def port() -> int:
    return free_port()


def health(port: int) -> str:
    """Return the word of /healthz, and "" where nobody answers."""
    return str(got(port, "/healthz").told["status"]) if is_open(port) else ""


def children(pid: int) -> list[int]:
    """Return the numbers of a process's children."""
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    """Tell whether there is no such process, or none but its entry."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_it_answers_from_before_the_first_round_to_the_end(toy: Toy, port: int) -> None:
    with watched(toy, "--serve", str(port)) as watch:
        until((toy.data / "looks").exists, "the first look")
        assert health(port) == "starting"
        assert got(port, "/report.json").status == 503
        (toy.data / "go").touch()
        watch.says(f"serving http://127.0.0.1:{port}/report")
        well = got(port, "/healthz")
        assert (well.status, well.told["status"], well.told["exit_status"]) == (200, "healthy", 0)
        os.kill(children(watch.process.pid)[0], signal.SIGKILL)
        watch.says("the server ended (SIGKILL); it was begun anew")
        toy.add("unusual", folder="odd")
        until(lambda: health(port) == "unhealthy", "the round that finds it")
        assert got(port, "/healthz").status == 503
        until(lambda: b'"ill"' in got(port, "/report.json").body, "the document")
        report = got(port, "/report.json")
        assert report.told["exit_status"] == 1
        assert got(port, "/report.json", If_None_Match=report.headers["etag"]).status == 304
        page = got(port, "/report")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"unusual" in page.body
        numbers = got(port, "/metrics")
        assert numbers.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert b'check="toy.odd"' in numbers.body
        (server,) = children(watch.process.pid)
        assert watch.end() == 1
        assert not is_open(port)
        assert gone(server)
    assert "Traceback" not in watch.text


def test_rounds_that_stop_are_stale_and_the_server_dies_with_its_watch(toy: Toy, port: int) -> None:
    (toy.data / "go").touch()
    with watched(toy, "--serve", str(port), "--deadline", "0.5") as watch:
        until(lambda: health(port) == "healthy", "the first round")
        (server,) = children(watch.process.pid)
        watch.process.send_signal(signal.SIGSTOP)
        until(lambda: health(port) == "stale", "that nothing is known any more")
        assert got(port, "/healthz").status == 503
        watch.process.send_signal(signal.SIGCONT)
        until(lambda: health(port) == "healthy", "the next round")
        watch.process.kill()
        watch.process.wait()
        with watched(toy, "--serve", str(port), output="next.txt") as following:
            following.says("serving http://")
            until(lambda: gone(server), "the end of the server")
            assert following.end() == 0


def test_a_token_is_demanded_and_nothing_is_looked_at_for_whoever_asks(
    toy: Toy, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.probes(
        f"""
@probe
def counted(system) -> tuple[str, ...]:
    with open(system.folder + "/seen", "a") as file:
        file.write(os.environ.get({VARIABLE!r}, "nothing"))
    return ("{TOKEN}",)
"""
    )
    monkeypatch.setitem(ALONE, VARIABLE, TOKEN)
    with watched(toy, "--serve", f"0.0.0.0:{port}", interval=1000) as watch:
        watch.says("serving http://0.0.0.0:")
        before = watch.figures()
        assert got(port, "/healthz").status == 401
        for _ in range(100):
            report = got(port, "/report.json", Host="a.example", Authorization=f"Bearer {TOKEN}")
            assert report.status == 200
        assert TOKEN.encode() not in report.body
        assert b"***" in report.body
        assert watch.figures()[1:] == before[1:]
        assert watch.end() == 1
    assert (toy.data / "seen").read_text() == "nothing"
    assert TOKEN not in watch.text
    for path in (*toy.state.rglob("*"), *toy.root.glob("reports/*")):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


def test_what_cannot_be_served_is_told_before_anything_is_looked_at(toy: Toy, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        refused = {
            ("--serve", "8080"): "add --watch 60",
            ("--watch", "9", "--serve", "nowhere"): "127.0.0.1:8080",
            ("--watch", "9", "--serve", "0.0.0.0:0"): f"set {VARIABLE} to a token",
            ("--watch", "9", "--serve", str(port)): f"port {port} is taken",
        }
        each = f"import pytest\nfor words in {[*refused]}: pytest.main(['healthchecks', *words])"
        argv = [sys.executable, "-c", each]
        ran = subprocess.run(argv, cwd=toy.root, check=True, capture_output=True, text=True)
    said = [line for line in ran.stderr.splitlines() if line.startswith("ERROR: ")]
    assert all(words in line for words, line in zip(refused.values(), said, strict=True)), said
    assert not (toy.data / "looks").exists()
