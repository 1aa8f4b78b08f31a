"""A watch of the toy, as a process of its own, that tests speak with by files and signals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from plugins.tests.toy import Toy

LIMIT = 20.0
# No plugin that is merely installed: they take longer to import than a watch to begin.
ALONE = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def until(holds: Callable[[], object], what: str, limit: float = LIMIT) -> None:
    """Wait until something holds; fail after some seconds."""
    ends = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < ends, f"never came: {what}"
        time.sleep(0.02)


def gone(path: Path, what: str) -> None:
    """Wait until nothing stands at the path."""
    until(lambda: not path.exists(), what)


class Watched:
    """One watch.

    Args:
        toy: what it watches.
        options: further ones of its command line.
        interval: seconds between two rounds.
        output: the name of the file that takes what it says.
    """

    def __init__(
        self, toy: Toy, *options: str, interval: float = 0.05, output: str = "output.txt"
    ) -> None:
        self.toy = toy
        self.output = toy.root / output
        argv = [sys.executable, "-m", "pytest", "healthchecks", "--system", "toy"]
        argv += ["-p", "no:html", "--watch", str(interval), *options]
        with self.output.open("wb") as said:
            self.process = subprocess.Popen(argv, cwd=toy.root, stdout=said, stderr=said, env=ALONE)

    @property
    def text(self) -> str:
        """What it said so far."""
        return self.output.read_text()

    def says(self, words: str, *, times: int = 1) -> None:
        """Wait until it has said the words."""
        ended = f"{words!r}; it ended"
        until(
            lambda: self.text.count(words) >= times or self.process.poll() is not None,
            f"{words!r} in {self.text}" if self.process.poll() is None else ended,
        )
        assert self.text.count(words) >= times, self.text

    def began(self) -> None:
        """Wait until its first round is over."""
        self.says("watching toy every")

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it as a service manager does, and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT)

    def changes(self) -> list[str]:
        """Return the lines of changes, without their time."""
        lines = self.text.partition("watching toy every")[2].splitlines()[1:]
        told = [line[21:] for line in lines if line[:2] == "20"]
        return [line for line in told if not line.startswith("the watch ended")]

    def rounds(self) -> int:
        """Return how many rounds it said that it had."""
        return int(self.text.partition("the watch ended")[2].partition("after ")[2].split()[0])

    def figures(self) -> tuple[int, int, int]:
        """Return its resident memory in KiB, its open descriptors and its threads."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        rows = dict(line.split(":", 1) for line in status.splitlines())
        descriptors = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        return int(rows["VmRSS"].split()[0]), descriptors, int(rows["Threads"])


@contextlib.contextmanager
def watched(
    toy: Toy, *options: str, interval: float = 0.05, output: str = "output.txt"
) -> Iterator[Watched]:
    """Yield a watch of the toy; end it whatever happens."""
    watch = Watched(toy, *options, interval=interval, output=output)
    try:
        yield watch
    finally:
        watch.process.kill()
        watch.process.wait()


def told_of(log: Path, words: str, times: int) -> None:
    """Wait until the watch's log holds some words so many times."""
    until(lambda: log.exists() and log.read_text("utf-8").count(words) >= times, words)
