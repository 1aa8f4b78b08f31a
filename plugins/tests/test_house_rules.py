"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from docs.reference import pages

# All are read by one worker, once.
pytestmark = pytest.mark.xdist_group("house")

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN_FILES = {"utils.py", "helpers.py", "common.py", "base.py", "misc.py"}
FORBIDDEN_CLASS = re.compile(r"(Manager|Engine|Handler|Processor|Service)$")
FORBIDDEN_IN_CHECKS = {"subprocess", "open", "print", "eval", "exec"}
SYSTEMS = "claude_docker crash_protection dgmo host pocket_agent portagent suite"
WITHOUT_PYTEST = ["plugins/hosts.py", "plugins/journal.py", "plugins/remedy.py"]
LISTED = ("--deep", "--list-checks")
ABOVE = {"facts", "fixing", "journal", "recovering", "remedy", "rounds", "run", "scenarios"}


def tracked(*patterns: str) -> list[Path]:
    """Return the Python files of the repository that git knows or would know."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.split("\n") if name and (ROOT / name).exists()]


PYTHON = tracked("*.py")
CHECK_FILES = [path for path in PYTHON if path.match("healthchecks/*/test_*.py")]


def name_of(path: Path) -> str:
    """Return the path as people write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return those nodes of the syntax tree of a file that a rule is about."""
    kinds = (ast.stmt, ast.Name, ast.ExceptHandler)
    return tuple(n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, kinds))


@cache
def printed(*use: str) -> tuple[str, str]:
    """Return what the suite prints, and what Python says of its imports."""
    words = ["-s", "-p", "no:hypothesispytest", "healthchecks", *use]
    command = [sys.executable, "-X", "importtime", "-m", "pytest", *words]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return ran.stdout, ran.stderr


@cache
def catalog() -> tuple[dict[str, Any], ...]:
    """Return the rows of `--list-checks`, slow checks too."""
    return tuple(json.loads(line) for line in printed(*LISTED)[0].splitlines())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function of a file."""
    for node in nodes(path):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef, docstring: bool = True) -> int:
    """Return the lines of a function, from `def` to its end."""
    first = node.body[0]
    counted = (node.end_lineno or 0) - node.lineno + 1
    if not docstring and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        counted -= (first.end_lineno or 0) - first.lineno + 1
    return counted


def test_files_stay_under_300_lines() -> None:
    long = [name_of(path) for path in PYTHON if len(path.read_text().splitlines()) > 300]
    assert not long


def test_functions_stay_under_40_lines() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name} has {length(node, docstring=False)}"
        for path in PYTHON
        for node in functions(path)
        if length(node, docstring=False) >= 40
    ]
    assert not long


def test_checks_stay_under_15_lines() -> None:
    long = [
        f"{name_of(path)}:{node.lineno}"
        for path in CHECK_FILES
        for node in functions(path)
        if node.name.startswith("test_") and length(node, docstring=False) >= 15
    ]
    assert not long


def test_no_file_and_no_class_has_a_name_that_says_nothing() -> None:
    classes = [
        f"{name_of(path)}: {node.name}"
        for path in PYTHON
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and FORBIDDEN_CLASS.search(node.name)
    ]
    assert not [name_of(path) for path in PYTHON if path.name in FORBIDDEN_FILES]
    assert not classes


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def test_checks_only_judge() -> None:
    acting = [
        f"{name_of(path)}:{node.lineno} {node.id}"
        for path in CHECK_FILES
        for node in nodes(path)
        if isinstance(node, ast.Name) and node.id in FORBIDDEN_IN_CHECKS
    ]
    modules = {"subprocess", "time.sleep", "os.environ", "requests", "socket"}
    looking = [
        f"{name_of(path)}: {module}"
        for path in CHECK_FILES
        for module in imported(path)
        if module in modules
    ]
    assert not acting
    assert not looking


def test_no_system_imports_another() -> None:
    strangers = [
        f"{name_of(path)}: {module}"
        for path in PYTHON
        if path.match("healthchecks/*/*.py")
        for module in imported(path)
        if module.startswith("healthchecks.") and module.split(".")[1] != path.parent.name
    ]
    assert not strangers


def test_the_plugins_know_no_system_by_name() -> None:
    systems = [path.parent.name for path in (ROOT / "healthchecks").glob("*/system.py")]
    knowing = [
        f"{name_of(path)}: {module}"
        for path in PYTHON
        if path.match("plugins/*.py") or path.match("plugins/*/*.py")
        for module in imported(path)
        if "tests" not in path.parts and any(f"healthchecks.{s}" in module for s in systems)
    ]
    assert not knowing


def test_what_acts_and_what_looks_does_not_know_pytest() -> None:
    paths = [ROOT / name for name in WITHOUT_PYTEST]
    paths += [
        path for path in PYTHON if path.parent.name in {"endpoints", "eyes", "hands", "steps"}
    ]
    assert not [name_of(path) for path in paths if "pytest" in imported(path)]


def test_what_acts_and_what_looks_does_not_know_what_stands_above_it() -> None:
    above = {f"plugins.{name}" for name in ABOVE}
    paths = [path for path in PYTHON if path.parent.name in {"endpoints", "eyes", "hands", "steps"}]
    assert not [name_of(path) for path in paths if above & imported(path)]


def test_eyes_and_hands_need_nothing_but_the_standard_library() -> None:
    foreign = [
        f"{name_of(path)}: {module}"
        for path in PYTHON
        if path.parent.name in {"eyes", "hands"}
        for module in imported(path)
        if module.split(".")[0] not in sys.stdlib_module_names
        and not module.startswith(f"plugins.{path.parent.name}")
    ]
    assert not foreign


def test_only_hosts_starts_processes() -> None:
    free = {"plugins/hosts.py"}
    starting = [
        name_of(path)
        for path in PYTHON
        if "subprocess" in imported(path)
        and name_of(path) not in free
        and not path.name.startswith("world")
        and path.parent.name != "worlds"
        and path.parts[len(ROOT.parts)] != "bench"
        and "tests" not in path.parts
    ]
    assert not starting


def test_exceptions_are_caught_whole_in_one_place() -> None:
    whole = [
        f"{name_of(path)}:{node.lineno}"
        for path in PYTHON
        if "tests" not in path.parts
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id == "Exception"
    ]
    assert {line.partition(":")[0] for line in whole} <= {"plugins/facts.py"}


def test_every_entry_of_the_catalog_has_a_check() -> None:
    answered = {entry for check in catalog() for entry in check["guide"]}
    counts = {"H": 15, "PA": 33, "CD": 39, "CP": 19, "DG": 35, "PT": 29}
    wanted = {f"{kind}{n:02d}" for kind, most in counts.items() for n in range(1, most + 1)}
    assert not sorted(wanted - answered)


def test_ids_are_unique_and_say_a_sentence() -> None:
    ids = [check["id"] for check in catalog()]
    assert len(ids) == len(set(ids)) > 100
    assert not [name for name in ids if not re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", name)]
    hollow = [c["id"] for c in catalog() if not (c["title"] and c["why"] and c["hint"])]
    assert not hollow


def test_every_root_cause_that_is_named_is_a_check() -> None:
    ids = {check["id"] for check in catalog()}
    named = re.compile(rf"\"((?:{'|'.join(SYSTEMS.split())})\.[a-z_]{{10,}})\"")
    unknown = {
        f"{name_of(path)}: {name}"
        for path in PYTHON
        if path.match("healthchecks/*/*.py") and "suite" not in path.parts
        for name in named.findall(path.read_text(encoding="utf-8"))
        if name not in ids and not name.startswith("healthchecks")
    }
    assert not unknown


def test_every_check_has_a_healthy_and_a_fault_scenario() -> None:
    declared = [
        (f"{path.parent.name}.{node.name}", path)
        for path in CHECK_FILES
        for node in functions(path)
        if node.name.startswith("test_")
    ]
    missing = []
    for name, path in declared:
        text = path.read_text(encoding="utf-8")
        function = name.partition(".")[2]
        if "signature" in text and "known_issues(" in text:
            continue  # their example lines are their scenarios
        missing += [
            f"{name} has no @{kind}"
            for kind in ("healthy", "fault")
            if not re.search(rf"@{kind}\(\s*{function}\b", text)
        ]
    assert not missing


@pytest.mark.parametrize("page", [f"{system}.md" for system in SYSTEMS.split()])
def test_the_check_reference_is_current(page: str) -> None:
    written = (ROOT / "docs" / "checks" / page).read_text(encoding="utf-8")
    made = pages(json.dumps(check) for check in catalog())
    assert written == made[page], (
        "run: pytest healthchecks/ --deep --list-checks | python docs/reference.py"
    )
