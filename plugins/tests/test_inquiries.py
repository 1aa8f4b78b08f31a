"""What may be told with `--with`, and how a person who errs is told."""

from __future__ import annotations

import pytest

from plugins.arguments import Argument, Misgiven, arguments_of, given
from plugins.inquiries import Inquiry, Note, inquiry

KNOWN = (
    Argument("text", None, "what was said"),
    Argument("limit", "50", "how many"),
    Argument("to", "", "where to"),
)


def test_what_is_given_lies_over_the_defaults() -> None:
    told = given("a.find", KNOWN, ["text=a=b", "to="])
    assert told == {"text": "a=b", "limit": "50", "to": ""}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["txt=a"], "did you mean text?"),
        (["text=a", "text=b"], "text is given twice"),
        ([], "must be told text"),
        (["text="], "must be told text"),
        (["text"], "it must be KEY=VALUE"),
        (["\x1b[31m=a"], "\\x1b[31m"),
        (["limit=1"], "limit: how many (50 unless given)"),
        (["text=a", "nothing=1"], "to: where to (may be left out)"),
    ],
)
def test_what_can_not_be_used_is_told_with_what_can(words: list[str], said: str) -> None:
    with pytest.raises(Misgiven) as why:
        given("a.find", KNOWN, words)
    assert said in str(why.value)
    assert "text: what was said (needed)" in str(why.value)


def test_a_procedure_without_arguments_says_so() -> None:
    with pytest.raises(Misgiven, match=r"a\.b takes no arguments"):
        given("a.b", (), ["text=a"])


def test_arguments_are_declared_by_the_docstring() -> None:
    def good(system: object, *, text: str, to: str = "x") -> None:
        """Do it.

        Nothing is lost.

        Args:
            text: what was
                said.
            to: where.
        """

    assert list(map(str, arguments_of(good))) == [
        "text: what was said. (needed)",
        "to: where. (x unless given)",
    ]

    def silent(*, text: str) -> None:
        """Do it."""

    def number(*, limit: int = 3) -> None:
        """Do it.

        Args:
            limit: many.
        """

    for bad in (silent, number):
        with pytest.raises(TypeError):
            arguments_of(bad)


def test_an_inquiry_needs_words() -> None:
    with pytest.raises(TypeError):

        @inquiry()
        def silent() -> list[str]:
            return [Note("")]

    def told() -> list[str]:
        """Tell it.

        All of it.
        """
        return ["x"]

    told.__module__ = "healthchecks.toy.recovery"
    inquiry()(told)
    declared = getattr(told, "__inquiry__")  # noqa: B009 - the decorator sets it
    assert isinstance(declared, Inquiry)
    assert (declared.name, declared.title) == ("toy.told", "Tell it.")
