"""The how-tos are true: what they say to write is written, what they say to type is typed."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

import pytest

from plugins.tests.toy import Toy, check
from plugins.tests.typed import blocks

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "healthchecks" / "systems.toml").read_text("utf-8")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def code(name: str, language: str = "python") -> list[str]:
    """Return a page's blocks of code, without the margin of the list that they stand in."""
    found = re.findall(rf"(?ms)^( *)```{language}\n(.*?)^ *```", page(name))
    return [textwrap.dedent(text) for _, text in found]


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + "\n\n" + text, "utf-8")


def typed(toy: Toy, name: str) -> list[pytest.RunResult]:
    """Type each line of pytest that stands in a page as a line of its own."""
    lines = [line for line in blocks(page(name)) if line.startswith("pytest ") and "|" not in line]
    assert lines
    return [toy.pytester.runpytest_subprocess("-p", "no:html", *line.split()[1:]) for line in lines]


@pytest.fixture
def notes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """A project into which the page on adding a system was typed."""
    toy = Toy(pytester)
    toy.checks("")
    monkeypatch.setenv("HOME", str(toy.data))
    (toy.data / "notes").mkdir()
    folder = toy.root / "healthchecks" / "notes"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, text in zip(
        ("system", "conftest", "world", "test_privacy"), code("add-a-system"), strict=True
    ):
        (folder / f"{name}.py").write_text(text, "utf-8")
    append(toy.root / "healthchecks" / "systems.toml", code("add-a-system", "toml")[0])
    return toy


def test_a_system_is_added_by_its_page(notes: Toy) -> None:
    note = notes.data / "notes" / "monday.txt"
    note.write_text("x")
    note.chmod(0o644)
    proof, look, printed = typed(notes, "add-a-system")
    proof.assert_outcomes(passed=2)
    assert look.ret == 1
    assert notes.rows["notes.only_the_owner_can_read_a_note"]["outcome"] == "ill"
    printed.stdout.fnmatch_lines(["?notes?", 'folder = "~/notes"*'])


def test_a_remedy_is_written_by_its_page(notes: Toy) -> None:
    probe, checks = code("write-a-remedy")
    append(notes.root / "healthchecks" / "notes" / "conftest.py", probe)
    (notes.root / "healthchecks" / "notes" / "test_order.py").write_text(checks, "utf-8")
    draft = notes.data / "notes" / "monday.txt~"
    draft.write_text("x")
    draft.chmod(0o600)
    proof, plan, fix, undo = typed(notes, "write-a-remedy")
    proof.assert_outcomes(passed=2)
    plan.stdout.fnmatch_lines(["*monday.txt~*"])
    fix.stdout.fnmatch_lines(["*fixed*"])
    assert undo.ret == 0
    assert draft.read_text() == "x"


def test_a_known_issue_is_added_by_its_page(pytester: pytest.Pytester) -> None:
    toy = Toy(pytester)
    (toy.root / "plugins").symlink_to(ROOT / "plugins")  # for the server that its world starts
    toy.checks("")
    folder = toy.root / "healthchecks" / "pocket_agent"
    shutil.copytree(
        ROOT / "healthchecks" / "pocket_agent", folder, ignore=shutil.ignore_patterns("__pycache__")
    )
    table = (
        "[pocket_agent]" + SHIPPED.partition("\n[pocket_agent]")[2].partition("\n[portagent]")[0]
    )
    append(toy.root / "healthchecks" / "systems.toml", table)
    append(folder / "known_issues.toml", code("add-a-known-issue", "toml")[0])
    (proof,) = typed(toy, "add-a-known-issue")
    assert proof.ret == 0
    assert proof.parseoutcomes()["passed"] == 2  # it shows, and none shows


def test_a_finding_is_silenced_by_its_page(pytester: pytest.Pytester) -> None:
    toy = Toy(pytester)
    toy.checks(check("ill", severity="P1"))
    toy.add("one")
    (toy.root / "FILE").write_text(code("silence-a-finding", "toml")[0])
    (look,) = typed(toy, "silence-a-finding")
    assert look.ret == 0
    assert toy.came() == {"ill": "silenced"}
