"""What a 2 GB message log costs: resident memory, the first look at it, and the next ones.

Run `python bench/memory.py [GB]`; with the usual 2 GB it takes about two minutes and that much room
among the temporary files. jq reads a tenth of it and is scaled. Exit status 1 when the goal is
missed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import real, timing
from healthchecks.pocket_agent import world_files
from healthchecks.pocket_agent.world import World

GOAL = 120.0
CHECKS = ("message_logs_can_be_read", "live_message_logs_can_be_read")
ROTATED = "messages_2025-01-31_10-00-00.jsonl"


def written(path: Path, size: int) -> int:
    """Fill a log with healthy conversations of several lengths; return its bytes."""
    talk = world_files.conversation()
    longer = talk.replace(b"I'm doing well", b"I'm doing well and have much to say. " * 40)
    block = (talk * 40 + longer * 10) * 20
    with path.open("wb") as log:
        while log.tell() < size:
            log.write(block)
        return log.tell()


def part_of(log: Path, size: int) -> Path:
    """Copy the first bytes of a log, up to a line's end; return the copy."""
    part = log.with_name("part.jsonl")
    with log.open("rb") as source, part.open("wb") as copy:
        while copy.tell() < size:
            copy.write(source.read(timing.MIB))
        copy.write(source.readline())
    return part


def report(name: str, seconds: float, size: float, more: str = "") -> None:
    """Print one line of figures; `size` in bytes."""
    pace = f"{size / seconds / 1e6:6.0f} MB/s" if size else ""
    print(f"  {name:34} {seconds:7.2f} s  {pace:11}  {more}".rstrip(), flush=True)


def peak_of(ran: timing.Timed) -> str:
    """Return in words how much memory our run took at most."""
    return f"peak {ran.peak:.1f} MiB"


def looks(top: Path, world: World, size: int) -> float:
    """Look at the log twice, and once after a line more; return the highest peak in MiB."""
    log = world.metadata().parent / "logs" / ROTATED
    settings = {"pocket_agent": world.settings()}
    peaks = []
    for name in ("first look", "second look, nothing changed", "third look, one line more"):
        if name.startswith("third"):
            with log.open("ab") as more:
                more.write(b'{"one": "more"}\n')
        ran = real.look(top, settings, "--system", "pocket_agent")
        rows = [ran.row(f"pocket_agent.{check}") for check in CHECKS]
        said = ", ".join(f"{row['outcome']} in {row['duration_s']:.2f} s" for row in rows[:1])
        more_words = f"{peak_of(ran.timed)}, the log {said}"
        report(name, ran.timed.wall, size if name == "first look" else 0, more_words)
        for row in rows:
            if row["outcome"] not in {"healthy", "cannot_tell"}:
                sys.exit(f"a healthy log was not told healthy: {row['message']}")
        peaks.append(ran.timed.peak)
    return max(peaks)


def peers(log: Path, size: int) -> None:
    """Print what jq and wc take for the same log."""
    ran = timing.expected(timing.timed(("wc", "-l", str(log)), log.parent), 0)
    report("wc -l", ran.wall, size)
    part = part_of(log, size // 10)
    scale = size / part.stat().st_size
    shell = ("sh", "-c", 'exec jq -c . "$1" > /dev/null', "jq", str(part))
    ran = timing.expected(timing.timed(shell, log.parent), 0)
    report(f"{timing.named('jq', log.parent)} -c ., a tenth scaled", ran.wall * scale, size)


def main() -> int:
    """Print the figures and return the exit status."""
    wanted = int(float(sys.argv[1] if len(sys.argv) > 1 else "2") * 1e9)
    print(f"{timing.machine()}; a message log of {wanted / 1e9:.1f} GB")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        top = Path(name)
        world = World(top / "world")
        small = real.look(top, {"pocket_agent": world.settings()}, "--system", "pocket_agent")
        report("our whole run without the log", small.timed.wall, 0, peak_of(small.timed))
        log = world.message_log(name=ROTATED)
        size = written(log, wanted)
        os.sync()
        peak = looks(top, world, size)
        aside = top / "aside"
        aside.mkdir()
        peers(log.rename(aside / ROTATED), size)
        world.close()
    return timing.verdict(f"under {GOAL:.0f} MiB resident ({peak:.0f} MiB)", peak < GOAL)


if __name__ == "__main__":
    sys.exit(main())
