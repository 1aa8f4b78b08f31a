"""What the pages say is true: their code works, their commands and options exist."""

from __future__ import annotations

import re

import pytest
from _pytest.config.argparsing import Parser

from plugins.redaction import redact
from plugins.tests.test_house_rules import catalog
from plugins.tests.toy import ROOT, SYSTEM, Toy

PAGE = ROOT / "docs" / "add-a-check.md"
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "schedules").glob("*.md")),
]

PROCEDURES = {
    f"{path.parent.name}.{function}"
    for path in (ROOT / "healthchecks").glob("*/recovery*.py")
    for function in re.findall(
        r"^@(?:procedure|inquiry).*?^def (\w+)", path.read_text(), re.DOTALL | re.MULTILINE
    )
}
# The toy's own system, under the name that the page gives it.
_SYSTEM = SYSTEM.replace("class Toy", "class MySystem").replace(
    "folder: str\n    uses", "backup_folder: str\n    uses"
)
_SYSTEM = _SYSTEM.replace("return Toy(", "return MySystem(")

_WORLD = """
class World:
    volatile = ()

    def __init__(self, folder):
        self.folder = folder

    def settings(self):
        return {"folder": str(self.folder)}

    def backup(self, mode):
        (self.folder / "backup.tar").write_bytes(b"x")
        (self.folder / "backup.tar").chmod(mode)

    def close(self):
        pass
"""

_IMPORTS = """
from __future__ import annotations
from collections.abc import Iterator
from healthchecks.toy.system import MySystem
from healthchecks.toy.world import World
from plugins import *
from plugins.endpoints.filesystem import Filesystem
from plugins.steps import *
"""


def code() -> list[str]:
    """Return the page's code blocks, without the margin of the list that they stand in."""
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{margin}", "", block, flags=re.MULTILINE) for margin, block in blocks]


def test_the_page_on_adding_a_check_is_true(pytester: pytest.Pytester) -> None:
    probe, check = code()
    toy = Toy(pytester)
    (toy.folder / "system.py").write_text(_SYSTEM)
    (toy.folder / "world.py").write_text(_WORLD)
    (toy.folder / "conftest.py").write_text(_IMPORTS + probe)
    (toy.folder / "test_privacy.py").write_text(_IMPORTS + check)
    proven = toy.run("--scenarios", "--system", "toy", "-k", "only_the_owner")
    proven.assert_outcomes(passed=2)
    (toy.data / "backup.tar").write_bytes(b"x")
    (toy.data / "backup.tar").chmod(0o644)
    assert toy.run("--system", "toy").ret == 1
    assert toy.came() == {"only_the_owner_can_read_a_backup": "ill"}
    toy.run("--system", "toy", "--fix")
    assert (toy.data / "backup.tar").stat().st_mode & 0o777 == 0o600


def test_every_check_that_a_page_names_exists() -> None:
    checks = "".join(path.read_text() for path in (ROOT / "docs" / "checks").glob("*.md"))
    for page in PAGES:
        named = re.findall(
            r"\b((?:claude_docker|crash_protection|dgmo|host|pocket_agent|portagent)\.[a-z_]{12,})\b",
            page.read_text(),
        )
        assert [n for n in named if f"## {n}\n" not in checks and n not in PROCEDURES] == []


def test_the_page_of_the_command_line_names_every_option_and_no_other(
    pytestconfig: pytest.Config,
) -> None:
    parser = Parser(_ispytest=True)
    for plugin in pytestconfig.pluginmanager.get_plugins():
        declare = getattr(plugin, "pytest_addoption", None)
        if declare and getattr(plugin, "__name__", "").startswith("plugins."):
            declare(parser)
    group = parser.getgroup("health")
    options = {name for option in group.options for name in option.names()}
    assert len(options) > 35
    page = (ROOT / "docs" / "command-line.md").read_text()
    rows = "".join(re.findall(r"^\| (`--.*?) \|", page, re.MULTILINE))
    assert {*re.findall(r"`(--[a-z-]+)", rows)} == options | {"--nagios"}  # pytest-testinfra's


def test_the_page_on_architecture_names_every_module_and_folder_of_plugins() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = {*re.findall(r"([a-z_]+(?:\.py|/))", page)}
    there = {path.name for path in ROOT.glob("plugins/[!_]*.py")}
    there |= {f"{path.parent.name}/" for path in ROOT.glob("plugins/*/__init__.py")} - {"tests/"}
    assert sorted(there - named) == []


def test_the_page_on_recovery_names_every_procedure() -> None:
    page = (ROOT / "docs" / "recovering.md").read_text()
    assert len(PROCEDURES) > 20
    assert [name for name in sorted(PROCEDURES) if f"`{name}`" not in page] == []


def test_every_procedure_and_check_that_a_hint_names_exists() -> None:
    checks = "".join(path.read_text() for path in (ROOT / "docs" / "checks").glob("*.md"))
    for path in [*ROOT.glob("healthchecks/*/*.py"), *ROOT.glob("healthchecks/*/*.toml")]:
        text = re.sub(r'"\s*\n\s*f?"', "", path.read_text())
        asked = re.findall(r"--recover\s+([a-z_]+\.[a-z_]+)", text)
        assert [name for name in asked if name not in PROCEDURES] == [], path.name
        fixed = re.findall(r"--fix-only\s+([a-z_]+\.[a-z_]+)", text)
        assert [name for name in fixed if f"## {name}\n" not in checks] == [], path.name


def test_nothing_that_a_check_says_is_taken_for_a_secret() -> None:
    masked = [
        f"{row['id']} {name}: {redact(row[name])[:200]}"
        for row in catalog()
        for name in ("title", "why", "hint")
        if redact(row[name]) != row[name]
    ]
    assert not masked


def test_documents_link_to_what_is_there() -> None:
    dead = [
        f"{path.name}: {target}"
        for path in [*PAGES, *ROOT.glob("*.md"), *ROOT.glob("docs/*/*.md")]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not dead
