"""How fast both sides of a synchronisation are compared: 10,000 files a side, against sha256sum.

Run `python bench/sync.py`; it takes about two minutes, and 1.3 GB of temporary files. The peer is
`find -type f -print0 | xargs -0 sha256sum` over the same files of both sides, its output thrown
away: it says only what is there, and still would have to be compared. Exit status 1 when a goal is
missed.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing
from healthchecks.claude_docker import system
from healthchecks.claude_docker.probes_sync import compared
from healthchecks.claude_docker.system import ClaudeDocker
from healthchecks.claude_docker.world import World
from plugins import configuration
from plugins.hosts import Host
from plugins.systems import settings_of

FILES = 10_000
ROUNDS = 3
FIRST, AGAIN = 0.8, 20.0
PEER = """find "$@" -type f -print0 | xargs -0 sha256sum > /dev/null"""


def filled(folder: Path) -> World:
    """Make a world with so many conversations on both sides, a few KiB to a MiB each."""
    world = World(folder)
    chance = random.Random(3)
    for number in range(FILES):
        place = world.config_dir / "projects" / f"-workspace-{number % 200}" / f"{number}.jsonl"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(chance.randbytes(min(1 << 20, int(2 ** chance.uniform(12, 18)))))
    shutil.rmtree(world.state_dir)
    world.sync.stage()
    # The pairs of files that were written a moment ago are not remembered.
    time.sleep(2.5)
    return world


def found(world: World) -> ClaudeDocker:
    """Return what is found of the world."""
    shipped = configuration.shipped(timing.REPOSITORY / "healthchecks" / "systems.toml")
    tables = shipped.lay_over({"claude_docker": world.settings()}, "bench")
    return system.find(settings_of(tables, "claude_docker"), Host())


def looked(seen: ClaudeDocker, cursors: Path, *, fresh: bool) -> float:
    """Compare both sides and return the seconds; a wrong answer ends the benchmark."""
    if fresh:
        shutil.rmtree(cursors, ignore_errors=True)
    told = {}
    seconds = timing.clocked(lambda: told.update(compared(seen, Host(), str(cursors))))
    wrong = told["only_one"], told["only_other"], told["differ"], told["unread"]
    read = told["read"] > FILES if fresh else told["read"] == 0
    if any(wrong) or told["alike"] < FILES or not read:
        sys.exit(f"a wrong answer: {[len(each) for each in wrong]}, {told['read']} read")
    return seconds


def must_find(seen: ClaudeDocker, cursors: Path) -> None:
    """End the benchmark unless one changed byte is found, of one size and one time as before."""
    path = Path(seen.state_dir) / "projects" / "-workspace-7" / "7.jsonl"
    before, kept = path.stat(), path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    differ = compared(seen, Host(), str(cursors))["differ"]
    path.write_bytes(kept)
    if [row[0] for row in differ] != ["projects/-workspace-7/7.jsonl"]:
        sys.exit(f"one changed byte was not found: {differ[:3]}")


def main() -> int:
    """Print the figures and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        world = filled(folder / "world")
        seen, cursors = found(world), folder / "cursors"
        sides = (seen.config_dir, seen.state_dir)
        size = sum(path.stat().st_size for side in sides for path in Path(side).rglob("*.jsonl"))
        print(f"{timing.machine()}; {FILES} files a side, {size / 1e6:.0f} MB, {ROUNDS} rounds")

        def peer(*folders: str) -> Callable[[], float]:
            words = ("bash", "-c", PEER, "peer", *folders)
            return lambda: timing.expected(timing.timed(words, folder), 0).wall

        both = "find | xargs sha256sum, both sides"
        taken = timing.in_turns(
            {
                both: peer(*sides),
                "the same, one side alone": peer(sides[0]),
                "CD11 the first time": lambda: looked(seen, cursors, fresh=True),
                "CD11 again, nothing changed": lambda: looked(seen, cursors, fresh=False),
            },
            ROUNDS,
        )
        must_find(seen, cursors)
        world.close()
    print("\n".join(timing.against(both, taken)))
    slow, _, first, again = (statistics.median(seconds) for seconds in taken.values())
    missed = timing.verdict(f"{FIRST:g} x at first ({slow / first:.1f})", slow / first >= FIRST)
    goal = f"{AGAIN:g} x when nothing changed ({slow / again:.0f})"
    return timing.verdict(goal, slow / again >= AGAIN) or missed


if __name__ == "__main__":
    sys.exit(main())
