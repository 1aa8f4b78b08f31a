"""Waivers silence until a day, and the ones that nobody looks after are findings."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from plugins.tests.toy import Toy, check


def waived(name: str, days: int) -> str:
    day = datetime.datetime.now().astimezone().date() + datetime.timedelta(days=days)
    return f'[waivers."{name}"]\nuntil = {day}\nbecause = "known"\nowner = "me"\n'


def laid_out(toy: Toy) -> Path:
    """Make the checks and their waivers; return the systems file."""
    toy.checks(
        check("used", severity="P0")
        + check("unused", "pass")
        + check("expired", severity="P3")
        + check("ending", severity="P1")
        + check("renamed", cure="remedy=put_away, formerly=('toy.old_name',)")
        + check("unseen", "assert not gone", facts="gone", cure="hint='Look.'")
    )
    toy.probes("@probe\ndef gone(system):\n    raise CannotTell('no way')\n")
    toy.add("a")
    mine = toy.root / "mine.toml"
    mine.write_text(
        waived("toy.used", 400)
        + waived("toy.unused", 400)
        + waived("toy.expired", -1)
        + waived("toy.ending", 0)
        + waived("toy.old_name", 400)
        + waived("toy.unseen", 400)
        + waived("toy.ussed", 400)
    )
    return mine


def test_used_unused_expired_ending_and_misspelt(pytester: pytest.Pytester) -> None:
    toy = Toy(pytester)
    mine = laid_out(toy)
    result = toy.run("--systems", str(mine), "--require", "toy.nothing")
    assert toy.came() == {
        "used": "silenced",
        "unused": "healthy",
        "expired": "ill",
        "ending": "silenced",
        "renamed": "silenced",
        "unseen": "silenced",
    }
    assert toy.rows["toy.used"]["silenced"]["owner"] == "me"
    assert toy.rows["toy.used"]["message"] == "is ill"
    evidence = {
        name[6:]: [item.partition(" until")[0] for item in row["evidence"]]
        for name, row in toy.rows.items()
        if name.startswith("suite.") and row["outcome"] == "ill"
    }
    assert evidence == {
        "no_waiver_has_expired": ["toy.expired"],
        "no_waiver_ends_soon": ["toy.ending"],
        "every_waiver_is_used": ["toy.unused"],
        "every_named_check_exists": [
            "toy.ussed; did you mean toy.used?",
            "toy.nothing; did you mean toy.ending?",
        ],
    }
    assert result.ret == 1
