"""The tables of known issues: each line belongs to one issue of its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.endpoints.signatures import Signature, load

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    path.parent.name: load(str(path)) for path in ROOT.glob("healthchecks/*/known_issues.toml")
}
ROWS = [
    pytest.param(system, one, id=f"{system}.{one.key}")
    for system, table in sorted(TABLES.items())
    for one in table
]


@pytest.mark.parametrize(("system", "signature"), ROWS)
def test_a_line_belongs_to_one_issue_only(system: str, signature: Signature) -> None:
    for line in signature.matches:
        fitting = [other.key for other in TABLES[system] if other.fits(line)]
        assert fitting == [signature.key], line
    assert [line for line in signature.ignores if signature.fits(line)] == []


@pytest.mark.parametrize(("system", "signature"), ROWS)
def test_an_issue_is_found_by_its_fixed_words(system: str, signature: Signature) -> None:
    """Each word must be rare in an ordinary log: every line that holds one is looked at."""
    *_, words = signature.rule
    assert words, f"{system}.{signature.key}"
    hollow = [word for word in words if sum(map(str.isalpha, word)) < 5]
    assert hollow == []
