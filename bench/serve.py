"""Whether `--serve` disturbs the rounds of a watch: 500 requests a second, slow and broken clients.

Run `python bench/serve.py [SECONDS]`; 60 seconds each by default, four minutes in all. The rounds
alone are the measure: rounds within the time, and CPU of the watch a round. The same load on
`python -m http.server`, which hands out the same report as a file, is the peer of the answers.
Exit status 1 when a round is missed or an answer is not given.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing, toy, watch

EVERY = 0.5  # seconds between two rounds
A_SECOND = 500
CLIENTS = 4
SLOW = 200
CHECKS = 30
_PROBE = """
@probe
def fact_{number}(system: Toy, machine: Machine):
    return bool(machine.load())
"""
_BROKEN = (
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x00\xc8" + bytes(200),
    b"POST /report HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\nx",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000,
)


@dataclass
class Answers:
    """Seconds that each answer took, and how many were none or not 200."""

    took: list[float] = field(default_factory=list)
    failed: int = 0

    def __str__(self) -> str:
        """The answers in a line."""
        if not self.took:
            return f"no answer, {self.failed} failed"
        ranked = sorted(self.took)
        late = ranked[int(len(ranked) * 0.99)] * 1000
        middle = statistics.median(ranked) * 1000
        return f"{len(ranked)} answers, {self.failed} failed; {middle:.1f} ms (99 %: {late:.1f} ms)"


def ask(port: int, path: str, until: float, answers: Answers) -> None:
    """Ask at an even pace until a moment, on a connection that is opened anew each 50 requests."""
    line, due, asked = (
        http.client.HTTPConnection("127.0.0.1", port, timeout=10),
        time.monotonic(),
        0,
    )
    while (now := time.monotonic()) < until:
        time.sleep(max(due - now, 0.0))
        due, asked, began = due + CLIENTS / A_SECOND, asked + 1, time.monotonic()
        try:
            line.request("GET", path)
            got = line.getresponse()
            got.read()
            answers.took.append(time.monotonic() - began)
            answers.failed += got.status != 200
        except (OSError, http.client.HTTPException):
            answers.failed += 1
            line.close()
        if asked % 50 == 0:
            line.close()
    line.close()


def load(port: int, path: str, seconds: float) -> Answers:
    """Ask 500 times a second for so many seconds, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answers, until = Answers(), time.monotonic() + seconds
        threads = [
            threading.Thread(target=ask, args=(port, path, until, answers)) for _ in range(CLIENTS)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        with os.fdopen(writing, "w") as out:
            json.dump([answers.took, answers.failed], out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as back:
        took, failed = json.load(back)
    os.waitpid(child, 0)
    return Answers(took, failed)


def trouble(port: int, seconds: float) -> Answers:
    """Hold slow clients, send broken requests, and ask once a second as a good client would."""
    answers, ends = Answers(), time.monotonic() + seconds
    slow: list[socket.socket] = []
    while time.monotonic() < ends:
        while len(slow) < SLOW:
            one = socket.create_connection(("127.0.0.1", port), 5)
            one.sendall(b"GET /report HTTP/1.1\r\nX:")
            slow.append(one)
        for one in list(slow):
            try:
                one.sendall(b"a")
            except OSError:
                slow.remove(one)
                one.close()
        for data in _BROKEN * 5:
            with socket.create_connection(("127.0.0.1", port), 5) as one:
                try:
                    one.sendall(data)
                except OSError:
                    continue
        ask(port, "/healthz", time.monotonic() + 0.01, answers)
        time.sleep(0.5)
    for one in slow:
        one.close()
    return answers


def rounds(port: int) -> int:
    """Return how many rounds the watch has had."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request("GET", "/healthz")
    told = json.loads(line.getresponse().read())
    line.close()
    return int(told["rounds"])


def during(port: int, pid: int, work: Callable[[], Answers]) -> tuple[float, float, Answers]:
    """Return rounds a second and seconds of CPU a round of the watch while something is done."""
    first, before, began = rounds(port), watch.spent(pid).cpu, time.monotonic()
    answers = work()
    number, took = rounds(port) - first, time.monotonic() - began
    return number / took, (watch.spent(pid).cpu - before) / max(number, 1), answers


def project(folder: Path) -> Path:
    """Make a project of checks that look anew each round; return its folder."""
    system = toy.lay_out(folder)
    imports = watch.IMPORTS
    probes = (_PROBE.format(number=n) for n in range(CHECKS))
    (system / "conftest.py").write_text(imports + "".join(probes), "utf-8")
    names = [f"load_{n}" for n in range(CHECKS)]
    (system / "test_load.py").write_text(toy.checks(names, map(str, range(CHECKS)), "{fact}"))
    return folder


def idle(seconds: float) -> Answers:
    """Do nothing for so many seconds."""
    time.sleep(seconds)
    return Answers()


def main() -> int:
    """Print what the rounds are alone and under load; return the exit status."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    print(f"{timing.machine()}; a round every {EVERY} s; {seconds:g} s each")
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as name:
        folder = Path(name)
        port, other = free_port(), free_port()
        words = ("healthchecks", "--system", "toy", "--watch", str(EVERY))
        serve = ("--serve", f"127.0.0.1:{port}")
        with watch.watching(
            (*timing.PYTEST, *words, *serve), project(folder), "watching toy every"
        ) as pid:
            time.sleep(2)
            alone = during(port, pid, lambda: idle(seconds))
            asked = during(port, pid, lambda: load(port, "/report", seconds))
            abused = during(port, pid, lambda: trouble(port, seconds))
            size = page(port, folder / "report.html")
        peer = (sys.executable, "-m", "http.server", str(other), "--bind", "127.0.0.1")
        with watch.watching((*peer, "--directory", name), folder):
            time.sleep(1)
            theirs = load(other, "/report.html", min(seconds, 20.0))
    told("alone", alone, alone)
    told(f"{A_SECOND} requests a second for a page of {size >> 10} KiB", asked, alone)
    print(f"      {asked[2]}")
    print(f"      python -m http.server, the same page and load: {theirs}")
    told(f"{SLOW} slow clients, broken requests", abused, alone)
    print(f"      a good client meanwhile: {abused[2]}")
    kept = min(asked[0], abused[0]) > alone[0] * 0.98
    goal = "no round is missed, and every good request is answered"
    return timing.verdict(goal, kept and not asked[2].failed and not abused[2].failed)


def told(what: str, got: tuple[float, float, Answers], alone: tuple[float, float, Answers]) -> None:
    """Print rounds and CPU beside those of the watch alone."""
    paces = f"{got[0]:.2f} rounds a second ({got[0] / alone[0]:.2f} x)"
    cpu = f"{got[1] * 1000:.1f} ms of CPU a round ({got[1] / max(alone[1], 1e-6):.2f} x)"
    print(f"  {what}: {paces}, {cpu}")


def page(port: int, path: Path) -> int:
    """Keep the page that is served as a file; return its size in bytes."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request("GET", "/report")
    path.write_bytes(line.getresponse().read())
    line.close()
    return path.stat().st_size


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
