"""Facts go into a bundle and come back as they were; a stranger's bundle makes nothing but data."""

from __future__ import annotations

import json
import math
import os
from dataclasses import make_dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest

from plugins.bundle.facts_in_json import DEEPEST, Reader, Unreadable, Unwritable, Writer, kind_name
from plugins.finding import Measure, Safety, Severity
from plugins.outcomes import Absent, Blocked, NoFact, NotThere, TimedOut, TooBig
from plugins.redaction import Secret
from plugins.tests import bundle_shapes
from plugins.tests.bundle_shapes import Changing, Fact, Kind, Row, Small, Thawed


def carried(value: Any) -> Any:
    writer = Writer()
    text = json.dumps(writer.json(value))
    return Reader(writer.kinds).value(json.loads(text))


VALUES = [
    *(None, True, 0, -(10**30), 1.5, math.inf, -math.inf, "", "ü\x00\udcff", b"\x00\xff\x80"),
    *(
        (),
        ((1, "a"), ()),
        [1, [2]],
        {1, 2},
        frozenset({"b", "a"}),
        {("a", 1): {"x": (1,)}, "is": 2},
    ),
    *(Small("x"), Row("/a", 3), Fact((Row("/b", 1),), Kind.BIG, {"k": Small("y")})),
    *(datetime(2026, 1, 2, 3, 4, 5, 6, UTC), date(2026, 1, 2), timedelta(-3, 5, 7)),
    *(PurePosixPath("/a/b"), Measure("used", 1.0, "%", None), Severity.P0, Safety.SAFE),
    *(Secret("hunter2"), Secret("")),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_fact_comes_back_as_it_was(value: Any) -> None:
    back = carried(value)
    assert back == value
    assert type(back) is type(value)
    assert math.isnan(carried(math.nan))


@pytest.mark.parametrize(
    "met",
    [
        Absent("no engine", ("/a", "/b")),
        Blocked("host.the_docker_engine_answers", "it does not answer"),
        TimedOut("looking at x", 1.5),
        TooBig("/a", 5),
        NotThere("nothing\nthere"),
    ],
)
def test_what_was_met_instead_of_a_fact_comes_back(met: NoFact) -> None:
    back = carried({"a": met})["a"]
    assert (type(back), str(back), vars(back)) == (type(met), str(met), vars(met))


def deep(levels: int) -> Any:
    value: Any = ()
    for _ in range(levels):
        value = (value,)
    return value


@pytest.mark.parametrize("value", [Thawed("x"), object(), os.stat_result(range(10)), len, deep(99)])
def test_what_no_bundle_can_carry_is_told(value: object) -> None:
    with pytest.raises(Unwritable, match="no bundle"):
        carried((value,))


ME = bundle_shapes.__name__
HOSTILE = [
    {"is": ["os:system", "id"]},
    {"is": ["subprocess:Popen", ["id"]]},
    {"is": ["plugins.hosts:Host", "ssh://me@box"]},
    {"is": ["plugins.hosts:subprocess.Popen", ["id"]]},
    {"is": [f"{ME}:Thawed", "x"]},
    {"is": ["plugins.never_loaded:Thing", "x"]},
    {"is": [f"{ME}:Fact.__post_init__.__globals__", "x"]},
    {"is": [f"{ME}:Small"]},
    {"is": [f"{ME}:Small", "x", "y"]},
    {"is": []},
    {"is": [["a"], 1]},
    {"met": ["builtins:SystemExit", "bye", {}]},
    {"met": [f"{ME}:Small", "bye", {}]},
    {"met": ["plugins.outcomes:Absent", "bye", {"__class__": 1}]},
    {"met": ["plugins.outcomes:Absent", "bye", {"with_traceback": 1}]},
    {"enum": [f"{ME}:Kind", "__class__"]},
    {"enum": [f"{ME}:Small", "x"]},
    {"bytes": 5},
    {"bytes": "€"},
    {"moment": "yesterday"},
    {"span": [10**30, 0, 0]},
    {"float": "1e5"},
    {"dict": [[{"list": []}, 1]]},
    {"dict": [1]},
    {"dict": 7},
    {"set": [[{"list": []}]]},
    {"path": 5},
    {"eval": "1"},
    {"a": 1, "b": 2},
    {},
]


@pytest.mark.parametrize("told", [*HOSTILE, json.loads("[" * 80 + "]" * 80)], ids=str)
def test_a_strangers_fact_is_unreadable_and_nothing_more(told: Any) -> None:
    kinds = {f"{ME}:{name}": _shape(name) for name in ("Small", "Kind", "Thawed")}
    kinds["plugins.outcomes:Absent"] = _written(Absent("x"))["plugins.outcomes:Absent"]
    with pytest.raises(Unreadable):
        Reader(kinds).value([told])


def _written(value: Any) -> dict[str, str]:
    writer = Writer()
    writer.json(value)
    return writer.kinds


def _shape(name: str) -> str:
    made = {"Small": Small("x"), "Kind": Kind.BIG, "Thawed": Small("x")}[name]
    return next(iter(_written(made).values()))


def test_no_code_of_a_class_runs_while_it_is_read() -> None:
    writer = Writer()
    told = writer.json(Fact((), Kind.BIG, "ours"))
    told["is"][-1] = "a stranger's"
    back = Reader(writer.kinds).value(told)
    assert back.held == "a stranger's"


@pytest.mark.parametrize("fields", [[("b", "int")], [("a", "str")], [("a", "int"), ("b", "int")]])
def test_a_class_that_changed_makes_its_facts_unreadable(
    monkeypatch: pytest.MonkeyPatch, fields: list[tuple[str, str]]
) -> None:
    writer = Writer()
    told = writer.json(Changing(1))
    assert Reader(writer.kinds).value(told) == Changing(1)
    later = make_dataclass("Changing", fields, frozen=True)
    later.__module__ = ME
    monkeypatch.setattr(bundle_shapes, "Changing", later)
    with pytest.raises(Unreadable, match="has changed since"):
        Reader(writer.kinds).value(told)
    assert kind_name(later) == kind_name(Changing)


def test_a_fact_may_be_as_deep_as_a_bundle_takes() -> None:
    assert carried(deep(DEEPEST - 2)) == deep(DEEPEST - 2)
