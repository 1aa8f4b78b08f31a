"""A world of Claude Code in Docker, and runs over it in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from healthchecks.claude_docker.world import World

ROOT = Path(__file__).parents[2]


@dataclass
class Box:
    """A world, and the state folder and systems file of the runs over it."""

    world: World
    folder: Path

    @property
    def state(self) -> Path:
        """The state folder of the runs."""
        return self.folder / "state"

    @property
    def kept(self) -> Path:
        """The folder that recoveries put archives into."""
        return self.world.folder / ".claude-recovery"

    def argv(self, *words: str) -> list[str]:
        """Return the command of a run over the world, which leaves its reports here."""
        keys = "\n".join(f"{k} = {json.dumps(v)}" for k, v in self.world.settings().items())
        file = self.folder / "systems.toml"
        state = json.dumps(str(self.state))
        file.write_text(f"[suite]\nstate = {state}\n[claude_docker]\n{keys}\n", "utf-8")
        reports = ("--html", str(self.folder / "h.html"), "--health-json", str(self.folder / "h"))
        told = ("--systems", str(file), *reports, "-p", "no:cacheprovider")
        checks = str(ROOT / "healthchecks/claude_docker")
        return [sys.executable, "-m", "pytest", checks, *told, *words]

    def run(self, *words: str) -> tuple[int, str]:
        """Run it without a terminal; return its status and all that it said."""
        ran = subprocess.run(
            self.argv(*words),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        said = ran.stdout.decode()
        assert "Traceback" not in said, said
        return ran.returncode, said


@contextmanager
def opened(folder: Path) -> Iterator[Box]:
    """Build a healthy world below the folder; end its processes afterwards."""
    world = World(folder / "world")
    try:
        yield Box(world, folder)
    finally:
        world.close()
