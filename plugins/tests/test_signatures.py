"""Signatures: strict data, and a fast way that finds what the plain way finds."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.endpoints.signatures import Signature, fixed_words, load
from plugins.endpoints.words import finder
from plugins.eyes.scan import Reading
from plugins.eyes.stamps import level_of, time_of

MOMENT = datetime.datetime(2026, 3, 4, 5, 1, tzinfo=datetime.UTC).timestamp() + 0.5


def signature(key: str, pattern: str) -> Signature:
    return Signature(key, "P1", "A title", "why", "a hint", pattern)


WORDS = st.text("abcxyz019 :-_é\x1b", max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(WORDS, st.sampled_from(["be dead", "exit 137", "", "cafe"]), WORDS)))
def test_the_fast_way_finds_what_the_plain_way_finds(rows: list[tuple[str, str, str]]) -> None:
    rule = signature("one", r"be dead|exit \d+")
    for before, word, after in rows:
        line = f"{before}{word}{after}"
        assert rule.fits(line) == (
            "be dead" in line or "exit 1" in line or "exit 0" in line or "exit 9" in line
        )


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("abc|def", ("abc", "def")),
        (r"^panic: (x|y) zz", ("panic: ",)),
        ("(?i)foo", ()),
        (r"ab+cdef\d+x{2}", ("cdef",)),
        (r"[^]x]yyy\.z", ("yyy.z",)),
        (r"\x41bcd(foo)?", ("bcd",)),
        (r"a?bcd\(e\)", ("bcd(e)",)),
        ("abc|x", ()),
    ],
)
def test_fixed_words_stand_in_every_match(pattern: str, words: tuple[str, ...]) -> None:
    assert fixed_words(pattern) == words


@pytest.mark.parametrize(
    ("line", "level", "moment"),
    [
        (b'{"time":"2026-03-04T05:01:00.5Z","level":"WARN"}', "warn", MOMENT),
        (b'{"level":"error","timestamp":"2026-03-04T14:01:00.5+09:00"}', "error", MOMENT),
        (b'{"time":1772600460500,"lvl":"info"}', "info", MOMENT),
        (b'{"time":"2026-13-99T05:01:00Z"}', "", None),
        (b"fatal error: all goroutines are asleep", "fatal", None),
        (b"time=2026-03-04T05:01:00.5Z level=WARN msg=x", "warn", MOMENT),
        (b"no errors here", "", None),
        (b"", "", None),
    ],
)
def test_levels_and_times_in_many_dialects(line: bytes, level: str, moment: float | None) -> None:
    assert (level_of(line), time_of(line)) == (level, moment)


TOML = """
[issue.in_use]
severity = "P0"
title = "The port is taken"
why = "It does not start."
hint = "End the other one."
pattern = 'bind: address already in use'
level = "error"
matches = ['{"level":"ERROR","error":"listen tcp :8443: bind: address already in use"}']
ignores = ['{"level":"INFO","msg":"bind: address already in use, retried"}']
"""


def test_signatures_are_read_and_their_examples_hold(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TOML)
    (one,) = load(str(tmp_path / "a.toml"))
    assert (one.key, one.level) == ("in_use", ("error",))
    assert all(one.fits(line) for line in one.matches)
    assert not any(one.fits(line) for line in one.ignores)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("hint =", "hnit =", "did you mean 'hint'"),
        ("[issue.", "[isue.", "did you mean 'issue'"),
        ('"P0"', '"P9"', "one of P0, P1, P2, P3"),
        ("'bind", "'(bind", "pattern"),
        ('why = "It does not start."', "", "why is missing"),
        ("matches = [", "matches = [1, ", "list of strings"),
        ('level = "error"', "level = 3", "list of strings"),
    ],
)
def test_a_signature_that_is_not_right_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    (tmp_path / "a.toml").write_text(TOML.replace(old, new))
    with pytest.raises(ValueError, match=words):
        load(str(tmp_path / "a.toml"))


def test_a_rule_can_travel() -> None:
    assert json.loads(json.dumps(signature("a", "b").rule)) == signature("a", "b").rule


LINES = st.lists(
    st.text("ab\n .?*[(\\{}é\x00", max_size=30).map(lambda text: f"{text}\n".encode()), max_size=9
)
LITERALS = st.lists(st.text("ab .?*[(\\{}é", min_size=1, max_size=4), min_size=1, max_size=6)


# A machine that is busy with other tests may well be slow.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, LITERALS)
def test_the_library_finds_what_python_finds(lines: list[bytes], words: list[str]) -> None:
    """Both ways of searching give the same hits, on the same lines, counted as often."""
    rules = [[str(n), re.escape(word), [], {}, [word]] for n, word in enumerate(words)]
    plain, quick = Reading(rules, None), Reading(rules, None, finder=finder)
    for block in (b"".join(lines[:4]), b"".join(lines[4:])):
        if block:
            plain.take(block)
            quick.take(block)
    assert plain.tallies() == quick.tallies()
    assert set(plain.tallies()) == {
        str(n)
        for n, word in enumerate(words)
        if any(word.encode() in line for line in b"".join(lines).split(b"\n"))
    }
