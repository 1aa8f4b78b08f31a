"""A small project of its own in a temporary folder: the engine, the suite's checks, a toy system.

The toy lives in a folder; every file in `ill/` below it is something wrong. Tests write the checks
that they need and run pytest on them in a process of its own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# The plugins stand where they are: under a name of their own they would be compiled for each test.
_INI = """
[project]
name = "toy"
version = "1"

[tool.pytest.ini_options]
addopts = ["--strict-markers", "--strict-config", "-p", "no:hypothesispytest"]
pythonpath = [".", "{root}"]
filterwarnings = ["error::pytest.PytestUnhandledThreadExceptionWarning"]
"""

_SYSTEMS = """
[toy]
home = "~"
on = "local://"
enabled = "auto"
folder = {folder!r}
limit = 5.0
names = ["a"]

[suite]
home = "~"
on = "local://"
enabled = "auto"
state = {state!r}
docs = ""
attempts = 3
attempts_hours = 24.0
waiver_warn_days = 30
history_days = 90
flapping_changes = 4
flapping_runs = 10
"""

# The shipped defaults of what belongs to no system.
_SHIPPED = (ROOT / "healthchecks" / "systems.toml").read_text()
_NOTIFY = "[notify]" + _SHIPPED.partition("\n[notify]")[2].partition("\n[")[0]

SYSTEM = """
from dataclasses import dataclass
import os
from plugins import Absent, Uses

@dataclass(frozen=True)
class Settings:
    home: str
    on: str
    enabled: str
    folder: str
    limit: float
    names: tuple[str, ...]

@dataclass(frozen=True)
class Toy:
    settings: Settings
    folder: str
    uses: Uses

def find(settings, host):
    with open(os.environ.get("LOOKED", os.devnull), "a") as file:
        file.write("looked\\n")
    if not os.path.isdir(settings.folder):
        raise Absent("no toy is here", (settings.folder,))
    return Toy(settings, settings.folder, Uses(roots=(settings.folder,)))
"""

_PROBES = """
import os
import time
from plugins import *

@probe
def ill(system) -> tuple[str, ...]:
    folder = os.path.join(system.folder, "ill")
    return tuple(os.path.join(folder, name) for name in sorted(os.listdir(folder)))

@probe
def odd(system) -> tuple[str, ...]:
    folder = os.path.join(system.folder, "odd")
    return tuple(os.path.join(folder, name) for name in sorted(os.listdir(folder)))
"""

_CHECKS = """
from plugins import *
from plugins.steps import *

@remedy(SAFE)
def put_away(ill):
    "Move each aside."
    for path in ill:
        yield Quarantine(path)
"""

_WORLD = """
import os

class World:
    volatile = ()

    def __init__(self, folder):
        self.folder = folder
        for name in ("ill", "odd"):
            (folder / name).mkdir()

    def settings(self):
        return {"folder": str(self.folder)}

    def add(self, name, content="x"):
        (self.folder / "ill" / name).write_text(content)

    def close(self):
        with open(os.environ.get("CLOSED", os.devnull), "a") as file:
            file.write("closed\\n")
"""


class Toy:
    """The project and its toy system.

    Args:
        pytester: where.
    """

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root = pytester.path
        self.data = self.root.with_name(f"{self.root.name}-data")  # pytest looks into its own root
        self.state = self.root.with_name(f"{self.root.name}-state")
        for name in ("ill", "odd"):
            (self.data / name).mkdir(parents=True)
        (self.root / "pyproject.toml").write_text(_INI.format(root=ROOT))
        (self.root / "conftest.py").write_text((ROOT / "conftest.py").read_text())
        self.folder = self.root / "healthchecks" / "toy"
        self.folder.mkdir(parents=True)
        (self.folder.parent / "__init__.py").touch()
        (self.folder.parent / "suite").symlink_to(ROOT / "healthchecks" / "suite")
        words = {"folder": str(self.data), "state": str(self.state)}
        (self.folder.parent / "systems.toml").write_text(_SYSTEMS.format(**words) + _NOTIFY)
        for name, text in (("__init__", ""), ("system", SYSTEM), ("world", _WORLD)):
            (self.folder / f"{name}.py").write_text(text)
        self.probes("")

    def probes(self, source: str) -> None:
        """Give the toy more probes."""
        (self.folder / "conftest.py").write_text(_PROBES + source)

    def checks(self, source: str) -> None:
        """Give the toy its checks."""
        (self.folder / "test_toy.py").write_text(_CHECKS + source)

    def add(self, name: str, content: bytes = b"x", *, folder: str = "ill") -> Path:
        """Let something be wrong."""
        path = self.data / folder / name
        path.write_bytes(content)
        return path

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run `pytest healthchecks ARGUMENTS` in a process of its own."""
        return self.pytester.runpytest_subprocess(
            "-p", "no:html", "healthchecks", *arguments, timeout=60
        )

    @property
    def document(self) -> dict[str, Any]:
        """The result document of the last run."""
        body: dict[str, Any] = json.loads((self.root / "reports" / "health.json").read_text())
        return body

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The findings of the last run by their id."""
        return {row["id"]: row for row in self.document["findings"]}

    def came(self) -> dict[str, str]:
        """Return what each of the toy's checks came to in the last run."""
        rows = self.rows.items()
        return {name[4:]: row["outcome"] for name, row in rows if name.startswith("toy.")}


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return everything below a folder: kind and mode, owner, time of change, content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        changed = 0 if path.is_dir() and not path.is_symlink() else status.st_mtime_ns
        content: object = path.is_file() and not path.is_symlink() and path.read_bytes()
        if path.is_symlink():
            content = os.readlink(path)
        owner = (status.st_uid, status.st_gid)
        found[os.fspath(path)] = (status.st_mode, owner, changed, content)
    return found


def check(name: str, body: str = "assert not ill, listed('is ill', ill)", **words: str) -> str:
    """Return the source of one check of the toy.

    Args:
        name: of the function, without `test_`.
        body: what it does with its facts.
        words: severity ("P2"), facts ("ill"), and how it is cured ("remedy=put_away").
    """
    cure = words.get("cure", "remedy=put_away")
    return f'''
@check({words.get("severity", "P2")}, guide="X01", {cure})
def test_{name}({words.get("facts", "ill")}) -> None:
    """It is {name}.

    Why it matters.
    """
    {body}
'''
