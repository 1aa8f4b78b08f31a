"""What serving costs the rounds of a watch: requests beside them, slow clients, broken requests.

Run `python bench/serve.py [SECONDS]`; a minute of load each by default, three and a half in all.
30 probes look, and 30 checks judge, in a round every half second. The same 500 requests a second,
a new connection each, go to a peer (nginx where it is there, else Python's http.server) that serves
the same page from a file, and to us; then 300 clients drip their requests and 200 do not read their
answers, while broken requests come. Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing, watch

A_SECOND = 500
EVERY = 0.5
GOAL_ROUNDS = 1.25  # times what a round takes while the same load goes to the peer
_HEAD = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_TIMED = """
import os, time
from plugins.watch.rounds import Rounds

_whole = Rounds.round

def _timed(self, redactor):
    began = time.perf_counter()
    try:
        return _whole(self, redactor)
    finally:
        with open(os.environ["ROUNDS"], "a") as file:
            file.write(f"{time.perf_counter() - began}\\n")

Rounds.round = _timed
"""
_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {folder}; }}
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; }}
"""


@dataclass
class Load:
    """What came of some seconds of load: seconds that each answer took, and what failed."""

    took: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        if not self.took:
            return "no answer"
        ordered = sorted(self.took)
        middle, last = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
        rate = len(ordered) / self.seconds
        return (
            f"{rate:.0f} answers/s, {self.failed} failed; "
            f"{middle * 1000:.2f} ms (99 of 100 within {last * 1000:.1f})"
        )


def answered(port: int, path: bytes) -> float:
    """Ask once, on a connection of its own; return the seconds that it took."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(_HEAD % path)
        first = line.recv(1 << 16)
        while line.recv(1 << 16):
            pass
    if not first.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
        raise OSError("no such answer")
    return time.perf_counter() - began


def load(port: int, path: bytes, seconds: float, rate: float = A_SECOND, threads: int = 4) -> Load:
    """Ask at a steady rate; what falls behind is not made up for."""
    came, ends = Load(seconds=seconds), time.monotonic() + seconds

    def ask() -> None:
        due = time.monotonic()
        while due < ends:
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                came.took.append(answered(port, path))
            except OSError:
                came.failed += 1
            due = max(due + threads / rate, time.monotonic() - 1)

    workers = [threading.Thread(target=ask) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return came


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(argv: Sequence[str], folder: Path, port: int, **more: str) -> Iterator[int]:
    """Run a program until it is asked for nothing more; yield its pid once its port is open."""
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            argv, cwd=folder, stdout=said, stderr=said, env={**os.environ, **more}
        )
    try:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            with contextlib.suppress(OSError):
                answered(port, b"/report")
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def peer(folder: Path, port: int) -> tuple[str, tuple[str, ...]]:
    """Return the name of the peer and the command line by which it serves a folder."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        words = ("-m", "http.server", str(port), "--bind", "127.0.0.1")
        return "python -m http.server", (sys.executable, *words)
    (folder / "conf").write_text(_NGINX.format(folder=folder, port=port), "utf-8")
    return "nginx", (nginx, "-p", str(folder), "-e", "/dev/null", "-c", str(folder / "conf"))


def broken(port: int, junk: bytes) -> None:
    """Send something that is no request, and go."""
    with contextlib.suppress(OSError), socket.socket() as line:
        line.settimeout(5)
        line.connect(("127.0.0.1", port))
        line.sendall(junk)


@contextlib.contextmanager
def ill_behaved(port: int) -> Iterator[None]:
    """Let 300 clients drip, 200 not read, and broken requests come, 50 a second."""
    over = threading.Event()
    lines: list[socket.socket] = []

    def joined(request: bytes) -> None:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", port))
        line.sendall(request)
        lines.append(line)

    def go_on() -> None:
        while not over.wait(0.5):
            for line in list(lines[:300]):
                try:
                    line.send(b"x", socket.MSG_DONTWAIT)
                except OSError:
                    lines.remove(line)
                    line.close()
                    with contextlib.suppress(OSError):
                        joined(b"GET /report HTTP/1.1\r\nHost: localhost\r\nX: ")
            for junk in (os.urandom(3000), b"GET / HTTP/1.1\r\nX:" + b"x" * (1 << 18)) * 12:
                broken(port, junk)

    for _ in range(300):
        joined(b"GET /report HTTP/1.1\r\nHost: localhost\r\nX: ")
    for _ in range(200):
        joined(b"GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n")
    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for line in lines:
            line.close()


def of_server(pid: int) -> str:
    """Return the memory and the descriptors of a watch's serving process, in words."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    rows = Path(f"/proc/{children[0]}/status").read_text().partition("VmRSS:")[2].split()
    return f"{int(rows[0]) >> 10} MiB, {len(os.listdir(f'/proc/{children[0]}/fd'))} descriptors"


def project(top: Path) -> Path:
    """Make a project whose rounds write down what they took; return its folder."""
    paths = [str(top / f"file-{number}") for number in range(watch.CHECKS)]
    for path in paths:
        Path(path).touch(mode=0o644)
    made = watch.project(top / "own", paths, traced=False)
    with (made / "conftest.py").open("a") as file:
        file.write(_TIMED)
    return made


def served(port: int) -> bytes:
    """Return the page that the watch serves."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(_HEAD % b"/report")
        return b"".join(iter(lambda: line.recv(1 << 16), b"")).partition(b"\r\n\r\n")[2]


@dataclass
class Phases:
    """What the rounds took, and what was answered, phase by phase.

    Args:
        log: the file to which the watch writes what each of its rounds took.
    """

    log: Path
    rounds: dict[str, list[float]] = field(default_factory=dict)
    came: dict[str, Load] = field(default_factory=dict)

    def go(self, kind: str, work: Callable[[], Load | None]) -> None:
        """Do something, and keep what the rounds took meanwhile."""
        self.log.write_text("")
        load_came = work()
        self.rounds[kind] = [float(line) for line in self.log.read_text().split()]
        if load_came is not None:
            self.came[kind] = load_came


def main() -> int:
    """Print the figures and return the exit status."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory(prefix="bench-serve-") as name:
        top = Path(name)
        made, static, port, other = project(top), top / "static", free_port(), free_port()
        phases = Phases(top / "rounds")
        words = ("healthchecks", "--watch", str(EVERY), "--serve", str(port), "-p", "no:html")
        static.mkdir()
        with running((*timing.PYTEST, *words), made, port, ROUNDS=str(phases.log)) as pid:
            page = served(port)
            (static / "report").write_bytes(page)
            named, argv = peer(static, other)
            print(f"{timing.machine()}; a page of {len(page) >> 10} KiB, {seconds:g} s each")
            before = of_server(pid)
            phases.go("no load", lambda: time.sleep(seconds / 2))
            with running(argv, static, other):
                phases.go(f"{named} under load", lambda: load(other, b"/report", seconds))
            phases.go("we under load", lambda: load(port, b"/report", seconds))
            with ill_behaved(port):
                few = partial(load, port, b"/report", seconds / 2, 10, 1)
                phases.go("ill-behaved clients", few)
                during = of_server(pid)
            phases.go("after it", lambda: time.sleep(seconds / 4))
            print(f"  the process that serves: before {before}; beside them {during}; ", end="")
            print(f"after {of_server(pid)}")
    return told(named, phases.rounds, phases.came)


def told(named: str, rounds: dict[str, list[float]], came: dict[str, Load]) -> int:
    """Print what the rounds took, and what was answered; return the exit status."""
    for line in timing.against(f"{named} under load", rounds):
        print(line)
    for kind, one in came.items():
        print(f"  {kind}: {one}")
    peers, ours = (statistics.median(rounds[k]) for k in (f"{named} under load", "we under load"))
    ill = came["ill-behaved clients"]
    missed = timing.verdict(
        f"a round takes at most {GOAL_ROUNDS} times what it takes beside {named} under the same"
        f" load ({ours / peers:.2f})",
        ours <= GOAL_ROUNDS * peers,
    )
    missed |= timing.verdict("no request fails", not (came["we under load"].failed or ill.failed))
    return missed


if __name__ == "__main__":
    sys.exit(main())
