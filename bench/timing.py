"""How the benchmarks run programs and compare them: one by one, in turns, medians and ranges.

The programs keep their compiled Python in the benchmark's own temporary folder, so that each of
them starts as warm as the next and nothing is left in the repository.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
# Hypothesis comes with the development tools alone, and loads itself into every pytest.
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:hypothesispytest")
MIB = 1 << 20


@dataclass(frozen=True)
class Timed:
    """A program that ended.

    Args:
        wall: seconds from start to end.
        cpu: seconds of CPU, of it and the children that it waited for.
        peak: MiB of resident memory at most, of it alone.
        status: its exit status.
        out: what it wrote, both outputs.
    """

    wall: float
    cpu: float
    peak: float
    status: int
    out: str


def timed(argv: Sequence[str], folder: Path, *, more: Mapping[str, str] | None = None) -> Timed:
    """Run a program to its end.

    Args:
        argv: the program and its arguments.
        folder: where it runs; its output and compiled Python are kept there, or beside it.
        more: variables to lay over the environment.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    words = kept | {"PYTHONPYCACHEPREFIX": str(folder / ".compiled")} | dict(more or {})
    said = folder / ".said"
    with said.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=folder, env=words, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    # macOS counts bytes, Linux KiB.
    peak = used.ru_maxrss / (MIB if sys.platform == "darwin" else 1 << 10)
    text = said.read_text("utf-8", "replace")
    return Timed(wall, used.ru_utime + used.ru_stime, peak, process.returncode, text)


def expected(ran: Timed, *statuses: int) -> Timed:
    """Return what ran, or end the benchmark when its exit status is none of these."""
    if ran.status not in statuses:
        sys.exit(f"exit status {ran.status}, expected {statuses}:\n{ran.out[-3000:]}")
    return ran


def clocked(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(
    contenders: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, tuple[float, ...]]:
    """Run all contenders once to warm up, then each in its turn, `rounds` times over.

    Returns:
        For each name its seconds, in the order of the rounds.
    """
    for run in contenders.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            taken[name].append(run())
    return {name: tuple(seconds) for name, seconds in taken.items()}


def against(peer: str, taken: Mapping[str, Sequence[float]]) -> Iterable[str]:
    """Yield a line for each contender: median, range, and how it stands to the peer."""
    middle = statistics.median(taken[peer])
    width = max(map(len, taken))
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        line = f"  {name:{width}}  {median:8.3f} s ({min(seconds):.3f}-{max(seconds):.3f})"
        if name != peer:
            line += f"  {median / middle:.2f} x" if median > middle / 10 else ""
            line += f"  {middle / median:.0f} times as fast" if median <= middle / 10 else ""
            line += f", {median - middle:+.3f} s"
        yield line


def verdict(goal: str, reached: bool) -> int:
    """Print whether a goal is reached and return the exit status that says so."""
    print(f"goal: {goal}: {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1


def named(program: str, folder: Path) -> str:
    """Return the version that a program tells of itself; peers differ by it."""
    return timed((program, "--version"), folder).out.strip()


def machine() -> str:
    """Name the kind of machine in a line."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
