"""Under pytest-xdist the same is found, once, and the exit status is as true."""

from __future__ import annotations

import pytest

from plugins.tests.toy import Toy, check


def test_two_workers_find_what_one_finds(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(pytester)
    toy.checks(
        check("first", severity="P1")
        + check("second", "pass", cure="hint='Look.'")
        + check("third", "assert not odd", facts="odd", cure="hint='Look.'")
    )
    toy.add("a")
    assert toy.run().ret == 1
    alone = {name: (row["outcome"], row["message"]) for name, row in toy.rows.items()}
    monkeypatch.setenv("LOOKED", str(looked := toy.data / "looked"))
    result = toy.run("-n2", "--junitxml=junit.xml")
    assert looked.read_text() == "looked\n", "all checks of a run share one look"
    assert result.ret == 1
    assert {name: (row["outcome"], row["message"]) for name, row in toy.rows.items()} == alone
    assert "@health" not in (toy.root / "junit.xml").read_text()
    assert toy.run("--lf").ret == 1
    assert toy.came() == {"first": "ill"}
    result = toy.run("-n2", "--list-checks")
    assert result.ret == 0
    assert len(result.outlines) == 8
