"""What all reports together add to a run of 150 checks, beside the same run with reports off.

Run `python bench/reports.py [ROUNDS]`; it takes one to three minutes. Exit status 1 when the goal
is missed. Each run stands beside one with reports off just before it, and the median of the
differences counts. The goal is held against CPU: on a busy machine the clock tells of neighbours,
and "reports off, once more" says by how much. Where valgrind is there, the instructions of a run
are counted, which differ by a thousandth from run to run; the goal is held against their share of
the CPU.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing, toy
from bench.timing import Timed

CHECKS, ILL = 150, 30
ROUNDS = 15
GOAL = 0.150
OFF, ALL = "reports off, once more", "all of them at once"

_PROBE = """
@probe
def fact_{number}(system: Toy, filesystem: Filesystem):
    return filesystem.look("{path}")
"""
_IMPORTS = """\
from healthchecks.toy.system import Toy
from plugins import probe
from plugins.endpoints.filesystem import Filesystem
"""
_JUDGED = '{fact}.mode == 0o644, listed("open to others", [{fact}.path] * 20)'
_HISTORY = "history_days = {days}\nflapping_changes = 4\nflapping_runs = 10\n"
_NOTIFY = """\
[notify]
url_envs = []
severity = "P1"
remind_hours = 24.0
deadline_s = 10.0
targets = []
windows = []
heartbeat_env = ""
heartbeat_s = 60.0
"""
# Nobody is told: what is ill is a P2.
_TOLD = '[notify]\nurl_envs = ["BENCH_URL"]\n'
_OUTPUTS = {
    "the result document": ("--health-json=h.json",),
    "the HTML page": ("--html=h.html",),
    "JUnit": ("--junitxml=j.xml",),
    "metrics": ("--prometheus=m.prom",),
    "TAP": ("--tap=t.tap",),
    "the report for agents": ("--agent-report=a.md",),
}


def project(folder: Path) -> Path:
    """Make a project of 150 checks, 30 of them ill, over a file each; return its folder."""
    folder_of_checks = toy.lay_out(folder, _HISTORY.format(days=90) + _NOTIFY)
    files = folder / "files"
    files.mkdir()
    text = _IMPORTS
    for number in range(CHECKS):
        path = files / f"file{number}"
        path.touch()
        path.chmod(0o666 if number < ILL else 0o644)
        text += _PROBE.format(number=number, path=path)
    (folder_of_checks / "conftest.py").write_text(text, "utf-8")
    numbers = [str(number) for number in range(CHECKS)]
    written = toy.checks([f"file_{n}" for n in numbers], numbers, _JUDGED)
    written = written.replace("import P2, check", "import P2, check, listed")
    (folder_of_checks / "test_files.py").write_text(written, "utf-8")
    quiet, kept, told = ("off.toml", "history.toml", "told.toml")
    (folder / quiet).write_text("[suite]\n" + _HISTORY.format(days=0), "utf-8")
    (folder / kept).write_text("[suite]\n" + _HISTORY.format(days=90), "utf-8")
    (folder / told).write_text("[suite]\n" + _HISTORY.format(days=90) + _TOLD, "utf-8")
    return folder


def contenders() -> dict[str, tuple[str, ...]]:
    """Return the options of everything that is timed, by name."""
    off = ("--no-reports", "--systems=off.toml")
    everything = tuple(word for words in _OUTPUTS.values() for word in words)
    return {
        OFF: off,
        **{name: (*off, *words) for name, words in _OUTPUTS.items()},
        "the history": ("--no-reports", "--systems=history.toml"),
        "history and alerts, quiet": ("--no-reports", "--systems=told.toml"),
        "as shipped: page, document, history": ("--systems=history.toml",),
        ALL: ("--systems=told.toml", *everything),
    }


def pairs(folder: Path, words: tuple[str, ...], rounds: int) -> list[tuple[Timed, Timed]]:
    """Run with reports off, then with these options, `rounds` times over, after a warm-up."""
    off = contenders()[OFF]
    return [(_ran(folder, off), _ran(folder, words)) for _ in range(rounds + 1)][1:]


def _ran(folder: Path, words: tuple[str, ...], before: tuple[str, ...] = ()) -> Timed:
    argv = (*before, *timing.PYTEST, "healthchecks/", *words)
    url = {"BENCH_URL": "http://127.0.0.1:9/nobody"}
    ran = timing.expected(timing.timed(argv, folder, more=url), 1)
    if f"{ILL} P2, {CHECKS - ILL} healthy" not in ran.out:
        sys.exit(f"not what was to be measured:\n{ran.out[-2000:]}")
    return ran


def added(taken: list[tuple[Timed, Timed]], name: str) -> tuple[float, float]:
    """Print what one adds, and return it in seconds: by the clock, and of CPU."""
    wall = statistics.median(ran.wall - off.wall for off, ran in taken)
    cpu = statistics.median(ran.cpu - off.cpu for off, ran in taken)
    least = min(ran.wall for _, ran in taken) - min(off.wall for off, _ in taken)
    middle = statistics.median(off.wall for off, _ in taken)
    print(
        f"  {name:36} {wall * 1000:+5.0f} ms to {middle:.3f} s ({1 + wall / middle:.2f} x);"
        f" CPU {cpu * 1000:+5.0f} ms; the quickest to the quickest {least * 1000:+5.0f} ms"
    )
    return wall, cpu


def instructions(folder: Path, words: tuple[str, ...]) -> int:
    """Return how many instructions a run takes, its children not counted."""
    counted = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    said = _ran(folder, words, counted).out
    found = re.search(r"I +refs: +([\d,]+)", said)
    return int(found[1].replace(",", "")) if found else sys.exit(f"no count in:\n{said[-2000:]}")


def share(folder: Path, taken: list[tuple[Timed, Timed]]) -> float:
    """Print what all reports add by instructions; return it in seconds of a run's CPU."""
    off, on = (instructions(folder, contenders()[name]) for name in (OFF, ALL))
    middle = statistics.median(run.cpu for run, _ in taken)
    more = (on / off - 1) * middle
    print(
        f"  {ALL}, by instructions: {on / 1e6:,.0f} to {off / 1e6:,.0f} million ({on / off:.3f} x),"
        f" which is {more * 1000:+.0f} ms of {middle:.3f} s of CPU"
    )
    return more


def main() -> int:
    """Print the figures and return the exit status."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"{timing.machine()}, load {os.getloadavg()[0]:.0f}; {CHECKS} checks, {ILL} of them ill")
    with tempfile.TemporaryDirectory(prefix="bench-") as top:
        folder = project(Path(top))
        for name, words in contenders().items():
            many = rounds if name == ALL else max(1, rounds // 3)
            taken = pairs(folder, words, many)
            cost, cpu = added(taken, name)
        held = share(folder, taken) if shutil.which("valgrind") else cpu
    return timing.verdict(
        f"all reports add at most {GOAL * 1000:.0f} ms to {CHECKS} checks"
        f" (CPU {cpu * 1000:+.0f} ms, by the clock {cost * 1000:+.0f} ms)",
        held <= GOAL,
    )


if __name__ == "__main__":
    sys.exit(main())
