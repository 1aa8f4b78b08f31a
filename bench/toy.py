"""A small project with this one's plugins and a system of its own, in a temporary folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from bench.timing import REPOSITORY

_INI = """\
[pytest]
pythonpath = . {repository}
addopts = --strict-markers -p no:cacheprovider
"""
_SYSTEMS = """\
[toy]
home = "~"
on = "local://"
enabled = "yes"
[suite]
home = "~"
on = "local://"
enabled = "no"
state = "{state}"
attempts = 3
attempts_hours = 24.0
"""
_SYSTEM = """\
from dataclasses import dataclass
from plugins import Uses

@dataclass(frozen=True)
class Settings:
    home: str
    on: str
    enabled: str

@dataclass(frozen=True)
class Toy:
    settings: Settings
    uses: Uses

def find(settings, host):
    return Toy(settings, Uses())
"""
_CHECK = '''
@check(P2, guide="T1", hint="Look at it.")
def test_{name}(fact_{fact}):
    """Thing {name} is as it should be.

    Something needs it.
    """
    assert {judged}
'''


def lay_out(folder: Path, systems_more: str = "") -> Path:
    """Make a project whose `toy` system has neither probes nor checks yet; return its folder.

    Args:
        folder: an existing empty folder.
        systems_more: further lines of its systems.toml.
    """
    (folder / "pytest.ini").write_text(_INI.format(repository=REPOSITORY), "utf-8")
    shutil.copy(REPOSITORY / "conftest.py", folder)
    toy = folder / "healthchecks" / "toy"
    toy.mkdir(parents=True)
    for package in (toy.parent, toy):
        (package / "__init__.py").touch()
    state = folder / "state"
    (toy.parent / "systems.toml").write_text(_SYSTEMS.format(state=state) + systems_more, "utf-8")
    (toy / "system.py").write_text(_SYSTEM, "utf-8")
    return toy


def checks(names: Iterable[str], facts: Iterable[str], judged: str) -> str:
    """Return the text of a check file: a check for each name, of the fact beside it.

    Args:
        names: what the checks are called.
        facts: what the facts are called that they judge.
        judged: the expression that must hold; `{name}` and `{fact}` stand for the two.
    """
    rows = (
        _CHECK.format(name=name, fact=fact, judged=judged.format(name=name, fact=f"fact_{fact}"))
        for name, fact in zip(names, facts, strict=True)
    )
    return "from plugins import P2, check\n" + "".join(rows)
