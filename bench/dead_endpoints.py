"""How long a run lasts when nothing answers: endpoints that accept and say nothing.

Run `python bench/dead_endpoints.py`; it takes about two minutes, most of them the peer's: `curl
--max-time` over the same addresses, one by one. Exit status 1 when the goal is missed.
"""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import real, timing, toy
from healthchecks.pocket_agent.world import World

DEADLINE = 1.0
SLACK = 1.0
COUNTS = (1, 10, 50)
ROUNDS = 5

_HEAD = """\
from plugins import probe
from plugins.endpoints.docker import Docker
"""
# What each kind asks, and what the peer asks of the same address.
KINDS = {
    "http": ("http", 'http.get("http://{at}/", deadline={s})', "http://{at}/"),
    "https": ("http", 'http.get("https://{at}/", deadline={s})', "https://{at}/"),
    "tls": ("certificates", 'certificates.served("127.0.0.1", {port}, {s})', "https://{at}/"),
    "ws": ("websocket", 'websocket.talk("ws://{at}/", len, deadline={s})', "http://{at}/"),
    "wss": ("websocket", 'websocket.talk("wss://{at}/", len, deadline={s})', "https://{at}/"),
    "docker": ("commands", 'Docker(commands, "unix://{at}").ping(deadline={s})', "http://d/_ping"),
    "qdrant": ("qdrant", 'qdrant.at("http://{at}", deadline={s}).healthz()', "http://{at}/healthz"),
}


class Silence:
    """Listeners that accept everybody and never say a word, until the stack is closed."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._held: list[socket.socket] = []

    def listen(self, kind: str) -> tuple[str, int]:
        """Return the address of a new listener, and its port (0 for a Unix socket)."""
        if kind == "docker":
            made = socket.socket(socket.AF_UNIX)
            made.bind(str(self._folder / f"{len(self._held)}.sock"))
        else:
            made = socket.socket()
            made.bind(("127.0.0.1", 0))
        made.listen(64)
        self._stack.callback(made.close)
        self._held.append(made)
        threading.Thread(target=self._accept, args=(made,), daemon=True).start()
        name = made.getsockname()
        return (name, 0) if kind == "docker" else (f"127.0.0.1:{name[1]}", name[1])

    def _accept(self, listener: socket.socket) -> None:
        while listener.fileno() >= 0:
            try:
                self._held.append(listener.accept()[0])
            except OSError:
                return


def lay_out(folder: Path, silence: Silence, count: int) -> list[tuple[str, ...]]:
    """Make a project that asks so many silent endpoints; return what curl is to be given."""
    folder.mkdir()
    place = toy.lay_out(folder)
    text, asked = _HEAD, []
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        endpoint, question, url = KINDS[kind]
        at, port = silence.listen(kind)
        question = question.format(at=at, port=port, s=DEADLINE)
        text += f"\n@probe\ndef fact_{number}({endpoint}):\n    return {question}\n"
        unix = ("--unix-socket", at) if kind == "docker" else ()
        asked.append((*unix, url.format(at=at)))
    (place / "conftest.py").write_text(text, "utf-8")
    names = [f"endpoint_{number}" for number in range(count)]
    facts = [str(number) for number in range(count)]
    (place / "test_endpoints.py").write_text(toy.checks(names, facts, "{fact}"), "utf-8")
    return asked


def look(folder: Path, count: int) -> float:
    """Run the project once and return its seconds; every check must have said "cannot tell"."""
    ran = timing.expected(timing.timed((*timing.PYTEST, "healthchecks/"), folder), 11)
    document = json.loads((folder / "reports" / "health.json").read_text("utf-8"))
    late = [row for row in document["findings"] if "our limit of" in row["message"]]
    if len(late) != count:
        sys.exit(f"{len(late)} of {count} timed out by our limit:\n{ran.out[-3000:]}")
    return ran.wall


def one_by_one(folder: Path, asked: list[tuple[str, ...]]) -> float:
    """Ask all of them with curl, the next when the last has given up; return the seconds."""
    limits = ("curl", "--silent", "--insecure", "--max-time", str(DEADLINE))
    return sum(timing.expected(timing.timed((*limits, *one), folder), 28).wall for one in asked)


def growing(top: Path, silence: Silence) -> float:
    """Print the figures for each count and return the longest median run, in seconds."""
    longest = 0.0
    for count in COUNTS:
        folder = top / f"of{count}"
        asked = lay_out(folder, silence, count)
        look(folder, count)
        taken = [look(folder, count) for _ in range(ROUNDS)]
        median = statistics.median(taken)
        longest = max(longest, median)
        line = f"  {count:3} endpoints  {median:6.2f} s ({min(taken):.2f}-{max(taken):.2f})"
        if shutil.which("curl"):
            peer = one_by_one(folder, asked)
            line += f"   curl --max-time {DEADLINE:.0f}, one by one: {peer:6.2f} s, "
            line += f"{peer / median:.1f} times as long"
        print(line, flush=True)
    return longest


def whole_suite(top: Path, silence: Silence) -> None:
    """Print how long the real suite takes when pocket_agent and the Docker engine are silent."""
    folder = top / "world"
    folder.mkdir()
    world = World(folder)
    try:
        world.start()
        world.suspend()
        docker = {"docker_url": f"unix://{silence.listen('docker')[0]}", "watch_docker": True}
        ran = real.look(top, {"pocket_agent": world.settings(), "host": docker})
    finally:
        world.close()
    unseen = [row for row in ran.rows if row["outcome"] == "cannot_tell"]
    slowest = max(ran.rows, key=lambda row: float(row["duration_s"]))
    print(
        f"  pytest healthchecks/, pocket_agent and Docker silent, limits as shipped (10 s at most):"
        f"\n    {ran.timed.wall:.2f} s, exit status {ran.timed.status}, {len(ran.rows)} checks,"
        f" {len(unseen)} cannot tell; slowest: {slowest['id']} {slowest['duration_s']:.2f} s"
    )


def main() -> int:
    """Print the figures and return the exit status."""
    print(f"{timing.machine()}; every endpoint accepts and never answers; limit {DEADLINE:.0f} s")
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        silence = Silence(stack, Path(name))
        longest = growing(Path(name), silence)
        whole_suite(Path(name), silence)
    goal = f"one endpoint's limit + {SLACK:.0f} s, however many endpoints ({longest:.2f} s)"
    return timing.verdict(goal, longest <= DEADLINE + SLACK)


if __name__ == "__main__":
    sys.exit(main())
