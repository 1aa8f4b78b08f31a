"""A world of some system, and runs over it in processes of their own."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from plugins.hosts import Host

ROOT = Path(__file__).parents[2]


class AnyWorld(Protocol):
    """What every world has."""

    def settings(self) -> dict[str, object]:
        """Return the keys of its table by which it is found."""

    def close(self) -> None:
        """End its processes."""


W = TypeVar("W", bound=AnyWorld)


def said_by(argv: list[str]) -> tuple[int, str]:
    """Run a command without a terminal; return its status and all that it said."""
    ran = subprocess.run(
        argv,
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


@dataclass
class Box(Generic[W]):
    """A world, and the state folder and systems file of the runs over it.

    Args:
        world: the world.
        folder: where the runs leave what they leave.
        system: the name of its system.
    """

    world: W
    folder: Path
    system: str

    @property
    def state(self) -> Path:
        """The state folder of the runs."""
        return self.folder / "state"

    def argv(self, *words: str) -> list[str]:
        """Return the command of a run over the world, which leaves its reports here."""
        keys = "\n".join(f"{k} = {json.dumps(v)}" for k, v in self.world.settings().items())
        file = self.folder / "systems.toml"
        state = json.dumps(str(self.state))
        file.write_text(f"[suite]\nstate = {state}\n[{self.system}]\n{keys}\n", "utf-8")
        reports = ("--html", str(self.folder / "h.html"), "--health-json", str(self.folder / "h"))
        told = ("--systems", str(file), *reports, "-p", "no:cacheprovider")
        checks = str(ROOT / "healthchecks" / self.system)
        return [sys.executable, "-m", "pytest", checks, *told, *words]

    def run(self, *words: str) -> tuple[int, str]:
        """Run it without a terminal; return its status and all that it said."""
        return said_by(self.argv(*words))

    def findings(self) -> dict[str, dict[str, Any]]:
        """Return the findings of the last run of checks, by id."""
        document = json.loads((self.folder / "h").read_text("utf-8"))
        return {row["id"]: row for row in document["findings"]}


@contextmanager
def opened(world: W, folder: Path, system: str) -> Iterator[Box[W]]:
    """Yield a box of a world; end the world's processes afterwards."""
    try:
        yield Box(world, folder, system)
    finally:
        world.close()


def found_in(world: AnyWorld, system: str) -> Any:
    """Return what is found of a system in a world, by the shipped settings and the world's own."""
    module = importlib.import_module(f"healthchecks.{system}.system")
    shipped = tomllib.loads((ROOT / "healthchecks" / "systems.toml").read_text("utf-8"))
    table: dict[str, Any] = shipped[system] | world.settings()
    frozen = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return module.find(module.Settings(**frozen), Host())
