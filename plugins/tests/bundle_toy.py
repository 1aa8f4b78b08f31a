"""A toy system whose facts, logs and settings are full of secrets, for the tests of bundles."""

from __future__ import annotations

import pytest

from plugins.tests.toy import Toy, check

PROBES = """
from dataclasses import dataclass
from plugins.redaction import Secret

@dataclass(frozen=True)
class Shelf:
    folder: str
    sizes: tuple[Measure, ...]
    key: Secret

    @property
    def full(self):
        return sum(one.value for one in self.sizes)

@probe
def shelf(system) -> Shelf:
    rows = (Measure(n, float(len(n)), "B", 9.0) for n in sorted(os.listdir(system.folder)))
    return Shelf(system.folder, tuple(rows), Secret("cAnArY-in-a-secret-type"))

@probe
def crowded(system) -> tuple[str, ...]:
    raise CannotTell("nobody could look: password=cAnArYhunter2")

@probe
def below(system) -> tuple[str, ...]:
    raise Blocked("toy.ill_one", "the first is ill")

@probe
def word(system) -> str:
    with open(os.path.join(system.folder, "word")) as file:
        return file.read()
"""
LOOK = "hint='Look.'"
CHECKS = "".join(
    (
        check("ill_one", severity="P1"),
        check("well", "pass", cure=LOOK),
        check(
            "shelf_is_empty",
            "assert shelf.full < 5, f'{shelf.full}'",
            facts="shelf",
            cure="hint='L.'",
        ),
        check("crowd", "assert not crowded", facts="crowded", cure=LOOK),
        check("is_below", "assert not below", facts="below", cure=LOOK),
        check("odd_one", "assert not odd, listed('odd', odd)", facts="odd", cure=LOOK),
        check("accepted", severity="P2"),
    )
)
COLLECTS = '''
from plugins.bundle.collecting import File, Text, collect, numbered

@collect()
def logs(system):
    """Its logs."""
    yield File("app.log", f"{system.folder}/app.log", 2000)
    yield File("none.log", f"{system.folder}/none.log")
    yield File("folder.txt", system.folder)
    yield Text("made.txt", "a program", "mail ann@example.org \\x1b[31m red")

@collect()
def broken(system, no_such_endpoint):
    """What cannot be had."""
'''
# In the place of a host: everything that would reach one is written down, and fails.
HOSTLESS = """
import os, sys

def refuse(event, arguments):
    reach = event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork"))
    kept = event in ("open", "os.listdir", "os.scandir")
    own = "uname" in str(arguments)  # pytest-metadata asks the processor's name
    if (reach and not own) or (kept and "-data" in str(arguments[0])):
        with open(os.environ["REACHED"], "a") as file:
            file.write(f"{event} {arguments}\\n")
        raise AssertionError(f"{event} reaches a host")

sys.addaudithook(refuse)
"""


def planted(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """Give the toy facts of many kinds, something to collect, and secrets in all of it."""
    toy.probes(PROBES)
    toy.checks(CHECKS)
    (toy.folder / "bundle.py").write_text(COLLECTS)
    toy.add("a")
    toy.add("file ghp_cAnArYAAAAAAAAAAAAAAAAAAAAAA", folder="odd")
    systems = toy.root / "mine.toml"
    waived = 'until = "2099-01-01"\nbecause = "token=cAnArYwaived"\nowner = "me"\n'
    systems.write_text(f'[toy]\nlimit = 7.0\n[waivers."toy.accepted"]\n{waived}')
    lines = [f"line {n} of no interest at all" for n in range(200)]
    (toy.data / "app.log").write_text(
        "\n".join(["sk-ant-cAnArY-first", *lines, "api_key=cAnArY0815abc"])
    )
    (toy.data / "word").write_text("hello")
    (toy.root / "hostless.py").write_text(HOSTLESS)
    monkeypatch.setenv("TOY_API_KEY", "cAnArY-in-the-environment")
    monkeypatch.setenv("REACHED", str(toy.root / "reached"))
    monkeypatch.setenv("LOOKED", str(toy.root / "looked"))
    return toy
