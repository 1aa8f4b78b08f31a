"""How fast DGMO's session store is looked at, against cat, find and the guide's shell loop.

Run `python bench/session_files.py [FILES]`; with 50,000 files of 1 KB it takes some minutes, and
250 MB of temporary files. The loop, one jq a file, runs over 300 of the files and is scaled. Exit
status 1 when a goal is missed.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing
from healthchecks.dgmo import probes_indexes, probes_store
from healthchecks.dgmo.world import World
from plugins import configuration
from plugins.facts import Probe
from plugins.rounds import Round

FILES = 50_000
ROUNDS = 5
LOOPED = 300
FIRST, SECOND, LOOP = 2.5, 1.5, 300
FILLING = "x" * 840
CAT = 'find "$1" -type f -print0 | xargs -0 cat > /dev/null'
FIND = "find \"$1\" -type f -printf '%i %s %T@\\n' > /dev/null"
GUIDES = """
find "$1" -type f -name '*.json' | head -n "$2" | while read -r f; do
  jq empty < "$f" 2>/dev/null || echo "$f"
done
"""
PROBES = (
    probes_store.broken_sessions,
    probes_store.interrupted_writes,
    probes_store.misencoded_files,
    probes_store.conflicts,
    probes_store.lacking_sessions,
    probes_store.stuck_sub_sessions,
    probes_store.unreachable_stores,
    probes_indexes.broken_indexes,
    probes_indexes.short_indexes,
    probes_indexes.dangling_indexes,
    probes_indexes.strangers,
)


def filled(folder: Path, files: int) -> World:
    """Make a store of so many files of about 1 KB: 25 a session with a child; one is broken."""
    world = World(folder)
    sessions = world.sessions
    made = int(time.time() * 1000) - 10_000_000
    times = {"created": made, "updated": made}
    row = {"version": "0.0.5", "time": times, "title": FILLING}
    for _ in range(files // 25):
        parent, child = sessions.identifier(), sessions.identifier()
        for name, more in ((parent, {}), (child, {"parentID": parent})):
            sessions.write(sessions.info(name), {"id": name, **row, **more})
        record = {"id": child, "parentSessionId": parent, "status": "completed", "createdAt": made}
        sessions.write(sessions.record(child), {**record, "taskDescription": FILLING})
        sessions.write(sessions.index(parent), [child])
        sessions.write(sessions.folder / "performance" / f"{parent}.json", {"samples": [FILLING]})
        for number in range(20):
            sessions.message(parent, f"msg_{number:026d}", FILLING)
    sessions.message(sessions.main, "msg_cut").write_bytes(b'{"id":"msg_cut"')
    # What was written a moment ago is read again by the next look.
    time.sleep(2.5)
    return world


def looked(world: World, state: Path) -> tuple[float, int]:
    """Look with the probes of the store, all at once as a run does; return seconds and broken."""
    shipped = configuration.shipped(timing.REPOSITORY / "healthchecks" / "systems.toml")
    tables = shipped.lay_over({"dgmo": world.settings()}, "bench")
    look = Round(tables, ("dgmo",), math.inf, {"run": SimpleNamespace(state=state)})
    look.system("dgmo")
    probes: list[Probe] = [getattr(one, "__probe__") for one in PROBES]  # noqa: B009 - probes have it

    def ask() -> None:
        for declared in probes:
            look.ask("dgmo", declared)
        for declared in probes:
            look.fact("dgmo", declared)

    seconds = timing.clocked(ask)
    return seconds, look.fact("dgmo", probes[0]).total


def anew(world: World, state: Path) -> float:
    """Look with nothing remembered."""
    shutil.rmtree(state, ignore_errors=True)
    return told(looked(world, state))


def told(taken: tuple[float, int]) -> float:
    """Return the seconds of a look that told the one broken file, or end the benchmark."""
    seconds, broken = taken
    if broken != 1:
        sys.exit(f"{broken} broken files were told of 1")
    return seconds


def shell(line: str, *words: str) -> float:
    """Run a line of bash and return the seconds."""
    argv = ("bash", "-c", line, "bench", *words)
    return timing.clocked(lambda: subprocess.run(argv, check=True, stdout=subprocess.DEVNULL))


def peak(world: World, state: Path) -> float:
    """Return MiB of memory that a process takes at most which looks for the first time."""
    shutil.rmtree(state, ignore_errors=True)
    words = json.dumps({**world.settings(), "state": str(state)})
    ran = timing.timed((sys.executable, __file__, "--look", words), world.folder.parent)
    return timing.expected(ran, 0).peak


def main(files: int) -> int:
    """Print the figures and return the exit status."""
    print(f"{timing.machine()}; {files} files, {ROUNDS} rounds in turns: median (range)")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        world, state = filled(Path(name) / "world", files), Path(name) / "state"
        store = str(world.sessions.root)
        there = sum(1 for path in world.sessions.root.rglob("*") if path.is_file())
        loop = f"the guide's way, {timing.named('jq', Path(name))} a file, {LOOPED} scaled"
        cat, find = "find | xargs cat", "find -printf"
        first, second = "first look, all probes", "second look, nothing changed"
        taken = timing.in_turns(
            {
                cat: lambda: shell(CAT, store),
                first: lambda: anew(world, state),
                find: lambda: shell(FIND, store),
                second: lambda: told(looked(world, state)),
                loop: lambda: shell(GUIDES, store, str(LOOPED)) * there / LOOPED,
            },
            ROUNDS,
        )
        most = peak(world, state)
        world.close()
    for peer in (cat, find, loop):
        print(f"against {peer}:", *timing.against(peer, taken), sep="\n")
    print(f"  the first look of a process of its own: {most:.0f} MiB at most")
    return verdicts(taken, {first: (cat, FIRST), second: (find, SECOND)}, loop)


def verdicts(
    taken: dict[str, tuple[float, ...]], goals: dict[str, tuple[str, float]], loop: str
) -> int:
    """Print for each goal whether it is reached, by the medians of the rounds' own ratios."""
    missed = 0
    for ours, (peer, limit) in goals.items():
        ratio = _ratio(taken[ours], taken[peer])
        missed |= timing.verdict(f"{ours}: {limit:g} x {peer} ({ratio:.2f} x)", ratio <= limit)
        times = 1 / _ratio(taken[ours], taken[loop])
        missed |= timing.verdict(f"{ours}: {LOOP} x as fast as {loop} ({times:.0f})", times >= LOOP)
    return missed


def _ratio(ours: tuple[float, ...], peers: tuple[float, ...]) -> float:
    return statistics.median(one / other for one, other in zip(ours, peers, strict=True))


def look_once(words: str) -> int:
    """Look as `peak` asks for it."""
    settings = json.loads(words)
    state = Path(settings.pop("state"))
    world = SimpleNamespace(settings=lambda: settings)
    return 0 if looked(world, state)[1] == 1 else 1  # type: ignore[arg-type]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--look"]:
        sys.exit(look_once(sys.argv[2]))
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else FILES))
