"""How fast metadata is judged: 10,000 projects, against the guide's shell loop with jq.

Run `python bench/metadata.py`; it takes about a minute, and 100 MB of temporary files. The loop
runs over 500 of the files and is scaled. Exit status 1 when the goal is missed.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import real, timing
from healthchecks.pocket_agent import probes_metadata
from healthchecks.pocket_agent.world import World
from plugins import configuration
from plugins.facts import Probe
from plugins.rounds import Round

PROJECTS = 10_000
LOOPED = 500
ROUNDS = 5
GOAL = 500
# The guide's own loop, which prints the files that are broken.
LOOP = """
for f in "$1"/projects/*/metadata.json; do
  n=$((n + 1)); [ "$n" -gt "$2" ] && break
  jq empty < "$f" 2>/dev/null || echo "$f"
done
"""
PROBES = ("broken_metadata", "lost_metadata", "implausible_metadata", "projects")


def filled(folder: Path) -> World:
    """Make a Pocket Agent with so many projects, most of which nobody has used yet; one is ill."""
    world = World(folder)
    world.project(metadata=b'{"id": "cut', logs=False)
    there = len(list((world.data / "projects").iterdir()))
    for _ in range(PROJECTS - there):
        world.project(logs=False)
    return world


def new_look(world: World) -> Round:
    """Return a look that has found the system and seen nothing else."""
    shipped = configuration.shipped(timing.REPOSITORY / "healthchecks" / "systems.toml")
    tables = shipped.lay_over({"pocket_agent": world.settings()}, "bench")
    look = Round(tables, ("pocket_agent",), math.inf)
    look.system("pocket_agent")
    return look


def probed(world: World, *names: str) -> float:
    """Look with some probes, all at once as a run does, and return the seconds."""
    look = new_look(world)
    probes = [declared_as(name) for name in names]

    def ask() -> None:
        for declared in probes:
            look.ask("pocket_agent", declared)
        for declared in probes:
            look.fact("pocket_agent", declared)

    return timing.clocked(ask)


def prove(world: World) -> None:
    """End the benchmark unless a look tells every sound project, and the one that is broken."""
    look = new_look(world)
    lost = look.fact("pocket_agent", declared_as("lost_metadata"))
    told = look.fact("pocket_agent", declared_as("projects")).used.value
    if (len(lost), told) != (1, PROJECTS - 1):
        sys.exit(f"{len(lost)} lost and {told} sound metadata files were told of {PROJECTS}")


def declared_as(name: str) -> Probe:
    """Return what is declared of a probe of metadata."""
    declared: Probe = getattr(probes_metadata, name).__probe__
    return declared


def looped(world: World) -> float:
    """Run the guide's loop over some of the files and return the seconds for all, scaled."""
    words = ("bash", "-c", LOOP, "loop", str(world.data), str(LOOPED))
    ran = timing.expected(timing.timed(words, world.folder), 0)
    return ran.wall * PROJECTS / LOOPED


def main() -> int:
    """Print the figures and return the exit status."""
    print(f"{timing.machine()}; {PROJECTS} projects, {ROUNDS} rounds in turns: median (range)")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        jq = timing.named("jq", Path(name))
        loop = f"the guide's loop with {jq}, {LOOPED} files scaled"
        world = filled(Path(name) / "world")
        prove(world)
        taken = timing.in_turns(
            {
                loop: lambda: looped(world),
                "the probe that judges them": lambda: probed(world, PROBES[0]),
                "all four probes of metadata": lambda: probed(world, *PROBES),
            },
            ROUNDS,
        )
        whole = real.look(
            Path(name), {"pocket_agent": world.settings()}, "--system", "pocket_agent"
        )
        world.close()
    print("\n".join(timing.against(loop, taken)))
    per_file = statistics.median(taken["the probe that judges them"]) / PROJECTS * 1e6
    print(f"  {per_file:.0f} us a file; pytest healthchecks/ as a whole: {whole.timed.wall:.2f} s")
    times = statistics.median(
        slow / quick
        for slow, quick in zip(taken[loop], taken["the probe that judges them"], strict=True)
    )
    return timing.verdict(f"{GOAL} times as fast as the loop ({times:.0f} times)", times >= GOAL)


if __name__ == "__main__":
    sys.exit(main())
