"""How fast conversations are copied for the first time, against `cp` and then `sha256sum`.

Run `python bench/first_copy.py [MB]`; it takes about a minute, and four times 1024 MB of temporary
files. Both copy the same conversations of 5 MB in turns; ours goes through the journal, brings
every copy to the disk, reads it back and compares. Exit status 1 when the goal is missed.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing
from healthchecks.crash_protection.world_conversations import talk
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.steps import TakeCopies, Taken

SIZE, ROUNDS, GOAL = 5 << 20, 5, 0.6
PEER = 'cp -p "$1"/* "$2"/ && sha256sum "$2"/* > /dev/null'


def written(folder: Path, megabytes: int) -> list[str]:
    """Write so many MB of conversations of 5 MB; return their names."""
    folder.mkdir()
    names = [f"{number:04}.jsonl" for number in range(megabytes // 5)]
    line = talk("54f1b9b6-a2a2-4a91-9836-f98330b15c20", 100)
    content = (line * (SIZE // len(line) + 1))[:SIZE]
    for name in names:
        (folder / name).write_bytes(name.encode() + content)
    return names


def emptied(*folders: Path) -> None:
    """Make folders anew."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()


def copied(source: Path, names: list[str], targets: tuple[Path, ...]) -> float:
    """Take a copy of each in every target, by one step of a journal; return the seconds."""
    emptied(*targets)
    rows = tuple(
        Taken(str(target / name), str(source / name), str(source))
        for name in names
        for target in targets
    )
    state = source.parent / "state"
    shutil.rmtree(state, ignore_errors=True)
    journal = Journal(state, "run", Host())
    roots = tuple(map(str, targets))
    return timing.clocked(lambda: journal.take("bench", TakeCopies(rows), roots))


def peer(source: Path, target: Path) -> float:
    """Copy and hash as a shell does; return the seconds."""
    emptied(target)
    words = ("bash", "-c", PEER, "peer", str(source), str(target))
    return timing.expected(timing.timed(words, source), 0).wall


def main() -> int:
    """Print the figures and return the exit status."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    print(f"{timing.machine()}; {megabytes} MB, {ROUNDS} rounds in turns: median (range)")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        top = Path(name)
        source, one, two = top / "from", top / "realtime", top / "crash-recovery"
        names = written(source, megabytes)
        shell, single, both = "cp, then sha256sum", "a copy of each", "and a crash copy of each"
        taken = timing.in_turns(
            {
                shell: lambda: peer(source, one),
                single: lambda: copied(source, names, (one,)),
                both: lambda: copied(source, names, (one, two)),
            },
            ROUNDS,
        )
    print("\n".join(timing.against(shell, taken)))
    speed, twice = (
        statistics.median(slow / ours for slow, ours in zip(taken[shell], taken[how], strict=True))
        for how in (single, both)
    )
    print(f"  with crash copies, twice the bytes: {twice:.2f} times the speed")
    return timing.verdict(f"{GOAL} times the speed of both ({speed:.2f} times)", speed >= GOAL)


if __name__ == "__main__":
    sys.exit(main())
