"""What strangers wrote is shown as text, on one line, and with its length told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.text import EVIDENCE_MARK, listed, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("a\tb", "a b"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("\udcff", "\\xff"),
        ("\u202eevil", "\\u202eevil"),
        ("\x00\x7f\r", "\\x00\\x7f\\x0d"),
        ("größe 文", "größe 文"),
    ],
)
def test_control_characters_become_visible(text: str | bytes, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_cut_is_counted() -> None:
    assert printable("x" * 310) == "x" * 300 + "… (10 more characters)"


@pytest.mark.parametrize("before", range(270, 300, 3))
def test_half_a_secret_is_not_left_by_a_cut(before: int) -> None:
    shown = printable("x" * before + " https://me:cAnArYcAnArY@example.net " + "y" * 9000)
    assert "cAn" not in shown
    assert "more characters)" in shown


@settings(deadline=None)
@given(st.text(st.characters(), max_size=400))
def test_any_text_ends_up_on_one_line_that_can_be_written(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown


def test_an_item_can_not_forge_a_second_one() -> None:
    assert listed("open", ["a\n- b"]).count(EVIDENCE_MARK) == 1


def test_a_sentence_without_evidence_stays_a_sentence() -> None:
    assert listed("nothing is there", []) == "nothing is there"
