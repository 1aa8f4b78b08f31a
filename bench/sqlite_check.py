"""What it costs to check a database of 1 GB, and what whoever writes to it notices of that.

Run `python bench/sqlite_check.py [MiB]`; it takes some minutes, and as much of temporary files. The
peer is the sqlite3 shell with the same pragma; CPU is told too, as it varies less while other
programs run. The writer has no busy_timeout, as portagent's: it commits one row after another, and
a lock of ours would make it fail at once. Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing
from plugins.endpoints.sqlite import Sqlite
from plugins.hosts import Host
from plugins.outcomes import Refused
from plugins.tests.sqlite_writers import Told, filled, writing

MIB = 1024
ROUNDS = 5
RATIO = 1.1
WAIT_MS = 50.0
PRAGMAS = ("integrity_check", "quick_check")


class Cpu:
    """The seconds of CPU that each contender took, in the order of its runs."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}

    def checked(self, path: Path, pragma: str) -> float:
        """Check a whole database and return the seconds."""
        began, cpu = time.perf_counter(), time.process_time()
        full = pragma == "integrity_check"
        faults = Sqlite(Host()).check(str(path), full=full, deadline=600.0)
        if faults:
            sys.exit(f"{path} is whole, and was told to be broken: {faults}")
        self.taken.setdefault("ours", []).append(time.process_time() - cpu)
        return time.perf_counter() - began

    def by_the_shell(self, path: Path, pragma: str) -> float:
        """Let the sqlite3 shell check it and return the seconds."""
        words = ("sqlite3", "-readonly", str(path), f"PRAGMA {pragma}")
        ran = timing.expected(timing.timed(words, path.parent), 0)
        if ran.out.strip() != "ok":
            sys.exit(f"the shell says: {ran.out}")
        self.taken.setdefault("shell", []).append(ran.cpu)
        return ran.wall

    @property
    def ratio(self) -> float:
        """How ours stands to the shell's."""
        return statistics.median(self.taken["ours"]) / statistics.median(self.taken["shell"])


def disturbed(path: Path) -> tuple[Told, float, str]:
    """Check beside a writer; return what the writer came to, the seconds, and our verdict."""
    began = time.perf_counter()
    with writing(path) as told:
        verdict = "cannot tell"
        with contextlib.suppress(Refused):
            faults = Sqlite(Host()).check(str(path), deadline=600.0)
            verdict = "BROKEN" if faults else "whole"
        taken = time.perf_counter() - began
    return told, taken, verdict


def undisturbed(path: Path, seconds: float) -> Told:
    """Let the writer write alone for so many seconds."""
    with writing(path) as told:
        time.sleep(seconds)
    return told


def compared(path: Path, pragma: str) -> float:
    """Print how a check stands to the shell's, and return the ratio of the medians."""
    cpu = Cpu()
    peer, ours = f"the sqlite3 shell, {pragma}", f"Sqlite.check, {pragma}"
    taken = timing.in_turns(
        {
            peer: lambda: cpu.by_the_shell(path, pragma),
            ours: lambda: cpu.checked(path, pragma),
        },
        ROUNDS,
    )
    print("\n".join(timing.against(peer, taken)))
    print(f"  CPU of the two: {cpu.ratio:.2f} x")
    return statistics.median(taken[ours]) / statistics.median(taken[peer])


def main() -> int:
    """Print the figures and return the exit status."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else MIB
    print(f"{timing.machine()}; a database of {mib} MiB, {ROUNDS} rounds in turns: median (range)")
    ratios, waits, failed = [], [], 0
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        print(timing.named("sqlite3", Path(name)))
        for mode in ("delete", "wal"):
            path = Path(name) / f"{mode}.db"
            filled(path, mode, mib)
            print(f"journal_mode = {mode}, {path.stat().st_size >> 20} MiB:")
            ratios += [compared(path, pragma) for pragma in PRAGMAS]
            told, taken, verdict = disturbed(path)
            alone = undisturbed(path, taken)
            print(
                f"  beside a writer {taken:.2f} s, told: {verdict}; the writer wrote"
                f" {told.written} times, failed {told.failed} times, and waited"
                f" {told.longest * 1000:.1f} ms at most ({alone.longest * 1000:.1f} ms alone)"
            )
            waits.append((told.longest - alone.longest) * 1000)
            failed += told.failed
            path.unlink()
    cheap = timing.verdict(
        f"at most {RATIO} times the shell's ({max(ratios):.2f})",
        max(ratios) <= RATIO,
    )
    said = f"no writer fails ({failed}) or waits {WAIT_MS:g} ms longer ({max(waits):.1f} ms)"
    return cheap | timing.verdict(said, not failed and max(waits) <= WAIT_MS)


if __name__ == "__main__":
    sys.exit(main())
