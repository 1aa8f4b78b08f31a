"""A bundle keeps what its machine's history knew; what is judged from it has the same past."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.bundle import packing
from plugins.bundle.recalled import recalled
from plugins.tests.bundle_toy import CHECKS, LOOK, planted
from plugins.tests.toy import Toy, check

PAST = {"change": "new", "since": "", "first_seen": "", "last_seen": "", "flapping": False}
ROW = {"id": "toy.a", "outcome": "ill", "severity": "P1", "past": PAST}
RUN = {"id": "r", "started": "2026-11-30T10:00:00+00:00", "status": 1, "seconds": 1.0, "states": {}}


def test_findings_of_a_bundle_have_the_past_of_its_machine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = planted(Toy(pytester), monkeypatch)
    toy.checks(CHECKS + check("odd_too", "assert not odd, 'odd'", facts="odd", cure=LOOK))
    odd = toy.data / "odd"
    taken = {path: path.read_bytes() for path in odd.iterdir()}
    for path in taken:
        path.unlink()
    toy.run("--systems=mine.toml")
    for path, content in taken.items():
        path.write_bytes(content)
    there = toy.run("--systems=mine.toml", "--bundle=b.tar.zst")
    was = {name: row["past"] for name, row in toy.rows.items()}
    told = toy.document["compared_with"]
    assert (was["toy.ill_one"]["change"], was["toy.odd_too"]["change"]) == ("still", "new")
    here = toy.run("--from-bundle=b.tar.zst")
    assert {name: row["past"] for name, row in toy.rows.items()} == was
    assert toy.document["compared_with"] == told != ""
    line = next(line for line in there.outlines if line.startswith("Since the run of "))
    assert line in here.outlines


def members(**documents: Any) -> dict[str, bytes]:
    return {f"{name}.json": json.dumps(document).encode() for name, document in documents.items()}


def test_a_bundle_without_a_past_has_none() -> None:
    for held in ({}, members(health={"findings": [{**ROW, "past": None}]}, history=[])):
        known = recalled(held)
        assert (known.pasts, known.runs, known.compared_with) == ({}, (), "")
    known = recalled(members(health={"findings": [ROW]}, history=[RUN]))
    assert known.pasts["toy.a", "ill", "P1"].change == "new"
    assert known.runs[0].id == "r"


@pytest.mark.parametrize(
    "held",
    [
        members(health=[]),
        members(health={"findings": [{**ROW, "past": {**PAST, "change": "gone"}}]}),
        members(health={"findings": [{**ROW, "past": {**PAST, "since": "<b>"}}]}),
        members(health={"findings": 5}),
        members(history=[{**RUN, "states": {"toy": "<b>"}}]),
        members(history=[{**RUN, "states": {"toy": []}}]),
        members(history=[{**RUN, "seconds": "nan"}]),
        members(history={"a": 1}),
    ],
)
def test_a_past_that_is_none_is_refused(held: dict[str, bytes]) -> None:
    with pytest.raises(packing.NoBundle, match="is broken"):
        recalled(held)
