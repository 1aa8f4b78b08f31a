"""A check that is not declared whole is refused when its file is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugins import MANUAL, P1, SAFE, check, remedy
from plugins.catalog import Check
from plugins.remedy import remedy_of
from plugins.steps import Chmod, Step


def test_the_names_of_things() -> None:
    def test_it_is_well(fact: object) -> None:
        """It is well.

        Why it
        matters.
        """

    with pytest.raises(TypeError, match="stands in no package"):
        check(P1, guide="X01", hint="Do this.")(test_it_is_well)
    test_it_is_well.__module__ = "healthchecks.box.test_topic"
    declared: Check = vars(check(P1, guide="X01", hint="Do\n  this.")(test_it_is_well))["__check__"]
    assert (declared.id, declared.system) == ("box.it_is_well", "box")
    assert (declared.title, declared.why) == ("It is well", "Why it matters.")
    assert (declared.hint, declared.guide) == ("Do this.", ("X01",))
    assert declared.safety is MANUAL


@pytest.mark.parametrize(
    ("doc", "words", "missing"),
    [
        (None, {"hint": "x"}, "a title"),
        ("Title only.", {"hint": "x"}, "a reason"),
        ("Title.\n\nWhy.", {}, "a remedy or a hint"),
        ("Title.\n\nWhy.", {"hint": "  "}, "a remedy or a hint"),
    ],
)
def test_what_is_missing_is_named(doc: str | None, words: dict[str, Any], missing: str) -> None:
    def test_it() -> None: ...

    test_it.__doc__ = doc
    with pytest.raises(TypeError, match=f"has not got {missing}"):
        check(P1, guide="X01", **words)(test_it)


def test_a_remedy_knows_no_more_than_its_check() -> None:
    @remedy(SAFE)
    def close(fact: str, other: str, system: object) -> Iterator[Step]:
        """Close it."""
        yield Chmod(fact, 0o600)

    def test_it(fact: str) -> None:
        """Title.

        Why.
        """

    test_it.__module__ = "healthchecks.box.test_topic"
    with pytest.raises(TypeError, match=r"the remedy of test_it never saw \['other'\]"):
        check(P1, guide="X01", remedy=close)(test_it)
    assert remedy_of(close).asks == ("fact", "other", "system")
    with pytest.raises(TypeError, match="is not declared with @remedy"):
        check(P1, guide="X01", remedy=print)(test_it)


def test_a_remedy_without_a_hint_is_refused() -> None:
    def close() -> Iterator[Step]:
        yield Chmod("x", 0o600)

    with pytest.raises(TypeError, match="has no hint"):
        remedy(SAFE)(close)
