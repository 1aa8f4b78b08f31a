"""What a round of a watch costs in which nothing changed: CPU, and bytes read.

Run `python bench/watch.py`; it takes about a minute. 30 probes and 30 checks of files, once with
probes that can be traced and once with probes that must look each time, against a plain loop of
`os.stat` over the same files. Exit status 1 when the goal is missed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing, toy

CHECKS = 30
EVERY = 0.1  # seconds between two rounds
LOOKED_AT = 15.0  # seconds
GOAL_MS = 8.0
_TICK = os.sysconf("SC_CLK_TCK")
IMPORTS = """\
from healthchecks.toy.system import Toy
from plugins import probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.machine import Machine
"""
_PROBE = """
@probe
def fact_{number}(system: Toy, filesystem: Filesystem{more}):
    return filesystem.look("{path}")
"""
_LOOP = """
import os, sys, time
while True:
    for path in sys.argv[2:]:
        os.stat(path)
    time.sleep(float(sys.argv[1]))
"""


@dataclass(frozen=True)
class Spent:
    """What a process used up so far: seconds of CPU, and bytes that it read by system calls."""

    cpu: float
    read: int


def spent(pid: int) -> Spent:
    """Return what a living process, all its threads together, used up since it began."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    rows = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return Spent((int(fields[11]) + int(fields[12])) / _TICK, int(rows["rchar"]))


def a_round(pid: int, every: float, seconds: float) -> Spent:
    """Return what a process spends on a round, as the mean of all within some seconds.

    Args:
        pid: of a process that begins a round every so many seconds, and is otherwise idle.
        every: seconds between two rounds.
        seconds: how long to look; the kernel counts CPU in hundredths of a second.
    """
    before, began = spent(pid), time.monotonic()
    time.sleep(seconds)
    after, rounds = spent(pid), (time.monotonic() - began) / every
    return Spent((after.cpu - before.cpu) / rounds, round((after.read - before.read) / rounds))


@contextlib.contextmanager
def watching(argv: Sequence[str], folder: Path, says: str = "") -> Iterator[int]:
    """Yield the pid of a program once it said some words; end it as a service manager does."""
    output = folder / ".watch-said"
    with output.open("wb") as out:
        process = subprocess.Popen(argv, cwd=folder, stdout=out, stderr=out)
    try:
        ends = time.monotonic() + 120
        while says not in output.read_text("utf-8", "replace"):
            if process.poll() is not None or time.monotonic() > ends:
                sys.exit(f"it never said {says!r}:\n{output.read_text('utf-8', 'replace')}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def project(folder: Path, paths: Sequence[str], *, traced: bool) -> Path:
    """Make a project of so many checks with a probe each, of a file each; return its folder."""
    folder.mkdir()
    system = toy.lay_out(folder)
    more = "" if traced else ", machine: Machine"
    probes = (_PROBE.format(number=n, path=p, more=more) for n, p in enumerate(paths))
    (system / "conftest.py").write_text(IMPORTS + "".join(probes), "utf-8")
    names, facts = [f"file_{n}" for n in range(CHECKS)], map(str, range(CHECKS))
    (system / "test_files.py").write_text(toy.checks(names, facts, "{fact}"), "utf-8")
    return folder


def main() -> int:
    """Print what a round costs each contender; return the exit status."""
    words = ("healthchecks", "--system", "toy", "--fix", "--watch", str(EVERY))
    print(f"{timing.machine()}; a round every {EVERY} s, for {LOOKED_AT:g} s; nothing changes")
    costs: dict[str, Spent] = {}
    with tempfile.TemporaryDirectory(prefix="bench-watch-") as name:
        folder = Path(name)
        paths = [str(folder / f"file-{number}") for number in range(CHECKS)]
        for path in paths:
            Path(path).touch(mode=0o644)
        peer = f"a loop of {CHECKS} os.stat"
        with watching((sys.executable, "-c", _LOOP, str(EVERY), *paths), folder) as pid:
            time.sleep(1)
            costs[peer] = a_round(pid, EVERY, LOOKED_AT)
        for kind, traced in ((f"{CHECKS} traced probes", True), (f"{CHECKS} others", False)):
            made = project(folder / kind.replace(" ", "-"), paths, traced=traced)
            with watching((*timing.PYTEST, *words), made, "watching toy every") as pid:
                time.sleep(1)
                costs[kind] = a_round(pid, EVERY, LOOKED_AT)
    for kind, cost in costs.items():
        times = cost.cpu / max(costs[peer].cpu, 1e-6)
        print(
            f"  {kind:20}  {cost.cpu * 1000:6.2f} ms of CPU, {cost.read} bytes read; {times:.1f} x"
        )
    traced_ms = costs[f"{CHECKS} traced probes"].cpu * 1000
    goal = f"less than {GOAL_MS:g} ms of CPU a round where all is traced"
    return timing.verdict(goal, traced_ms < GOAL_MS)


if __name__ == "__main__":
    sys.exit(main())
