"""A world, and runs of `--recover` over it in processes of their own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from healthchecks.pocket_agent.world import World
from plugins.tests.boxes import ROOT, said_by


@dataclass
class Box:
    """A world, and the state folder and systems file of the runs over it."""

    world: World
    folder: Path

    def argv(self, *words: str) -> list[str]:
        """Return the command of a run over the world, which leaves its reports here."""
        keys = "\n".join(f"{k} = {json.dumps(v)}" for k, v in self.world.settings().items())
        file = self.folder / "systems.toml"
        state = json.dumps(str(self.folder / "state"))
        file.write_text(f"[suite]\nstate = {state}\n[pocket_agent]\n{keys}\n", "utf-8")
        page, document = str(self.folder / "h.html"), str(self.folder / "h.json")
        reports = ("--html", page, "--health-json", document, "-p", "no:cacheprovider")
        checks = str(ROOT / "healthchecks")
        return [sys.executable, "-m", "pytest", checks, "--systems", str(file), *reports, *words]

    def run(self, *words: str) -> tuple[int, str]:
        """Run it without a terminal; return its status and all that it said."""
        return said_by(self.argv(*words))

    def typed(self, answer: str, *words: str) -> int:
        """Run it on a terminal on which a person types an answer; return its status."""
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            pytest.skip(f"needs a pseudo-terminal: {error}")
        process = subprocess.Popen(
            self.argv(*words), cwd=ROOT, stdin=theirs, stdout=subprocess.DEVNULL
        )
        os.write(ours, answer.encode() + b"\n")
        status = process.wait(120)
        os.close(theirs)
        os.close(ours)
        return status

    def archives(self) -> list[Path]:
        """Return the archives that procedures made."""
        return sorted((self.world.folder / ".pocket_agent-recovery").glob("*.tar.gz"))


@contextmanager
def opened(folder: Path) -> Iterator[Box]:
    """Build a healthy world below the folder; end its processes afterwards."""
    world = World(folder / "world")
    world.change(stop_grace=2.0)
    try:
        yield Box(world, folder)
    finally:
        world.close()
