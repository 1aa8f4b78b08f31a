"""Queries of logs: what jq programs may say, and what they may not do."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
import tomllib
from pathlib import Path

import pytest

from plugins.configuration import Misconfigured, printed, shipped, with_file
from plugins.endpoints.asking import Asked, asked
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.logs import Logs
from plugins.endpoints.querying import _FIELD, time_of
from plugins.hosts import Host
from plugins.outcomes import Absent, CannotTell, NotThere, TimedOut, TooBig, WrongKind
from plugins.queried import answer_of, answers
from plugins.queries import queries_in

SHIPPED = """
[toy]
on = "local://"
enabled = "auto"
[toy.queries.errors]
log = "events"
program = "length"
limit = 5
severity = "P1"
"""
WHOLE = "log = 'x'\nprogram = '1'\nlimit = 1\n"


def laid(tmp_path: Path, text: str) -> dict[str, dict[str, object]]:
    base, mine = tmp_path / "shipped.toml", tmp_path / "mine.toml"
    base.write_text(SHIPPED)
    mine.write_text(text)
    read = with_file(shipped(base), mine)
    assert tomllib.loads(printed(read))["toy"]["queries"] == read.tables["toy"]["queries"].value
    return dict(read.tables["toy"]["queries"].value)


def test_queries_are_laid_over_key_by_key(tmp_path: Path) -> None:
    got = laid(tmp_path, "[toy.queries.errors]\nlimit = 7\n[toy.queries.mine]\n" + WHOLE)
    assert got["errors"] == {"log": ["events"], "program": "length", "limit": 7.0, "severity": "P1"}
    assert got["mine"]["log"] == ["x"]
    assert not queries_in(laid(tmp_path, "[toy.queries.errors]\nenabled = false"))[0].enabled


def test_what_is_printed_says_where_each_query_comes_from(tmp_path: Path) -> None:
    laid(tmp_path, "[toy.queries.mine]\n" + WHOLE)
    text = printed(with_file(shipped(tmp_path / "shipped.toml"), tmp_path / "mine.toml"))
    assert "[toy.queries.errors]  # shipped\n" in text
    assert f"[toy.queries.mine]  # {tmp_path / 'mine.toml'}\n" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[toy]\nqueries = 3", "toy.queries holds tables"),
        ("[toy.queries]\nerrors = 3", "toy.queries.errors must be a table with log, program"),
        ("[toy.queries.erors]\nlimit = 3", "toy.queries.erors lacks log and program"),
        ("[toy.queries.erors]", "lacks log and program and limit; did you mean errors?"),
        ("[toy.queries.errors]\nlimti = 3", "errors: unknown key limti; did you mean limit?"),
        ("[toy.queries.errors]\nxyzzy = 3", "unknown key xyzzy; known are log, hours"),
        ("[toy.queries.errors]\nlimit = '3'", "errors.limit must be a number, not '3'"),
        ("[toy.queries.errors]\nlimit = true", "errors.limit must be a number, not True"),
        ("[toy.queries.errors]\nlimit = nan", "errors.limit must be a number, not nan"),
        ("[toy.queries.errors]\nhours = -1", "errors.hours must not be less than 0"),
        ("[toy.queries.errors]\nseverity = 'P4'", "severity must be one of P0, P1, P2, P3"),
        ("[toy.queries.errors]\nill_when = 'over'", "ill_when must be one of above, below"),
        ("[toy.queries.errors]\nseverity = ['P1']", "severity must be one of"),
        ("[toy.queries.errors]\nenabled = 'no'", "errors.enabled must be true or false"),
        ("[toy.queries.errors]\nprogram = ''", "errors.program must be a text that says something"),
        ("[toy.queries.errors]\nlog = []", "errors.log must be a list of strings"),
        ("[toy.queries.errors]\nlog = 3", "errors.log must be a list"),
        ("[toy.queries.errors]\nlines = ['a']", "errors.lines must be a number"),
        ("[toy.queries.'a b']\nlimit = 3", "a query's name is of small letters"),
        ('[toy.queries."x\\n\'"]\nlimit = 3', "a query's name is of small letters"),
        ("[toy.qeries.a]\nlimit = 3", "unknown key qeries in [toy]; did you mean queries?"),
    ],
)
def test_what_is_no_query_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        laid(tmp_path, text)
    assert said in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "mine.toml"))


def answer(values: list[object], entries: int = 3, **words: object) -> tuple[float, bool, str]:
    table = {"log": ["x"], "program": ".", "limit": 2.0, "unit": "s", **words}
    (query,) = queries_in({"q": table})
    got = answer_of(query, Asked(tuple(values), entries), ("/x",))
    return got.value, got.ill, got.sentence


@pytest.mark.parametrize(
    ("values", "value", "ill"),
    [
        ([2], 2, False),
        ([2.5], 2.5, True),
        ([["a", "b", {"c": 1}]], 3, True),
        ([[]], 0, False),
        ([1, 2, 3], 3, True),
        ([True], 0, False),
        ([False], 1, True),
        ([{"value": 9, "evidence": ["a"]}], 9, True),
    ],
)
def test_numbers_arrays_and_truths_are_judged(
    values: list[object], value: float, ill: bool
) -> None:
    assert answer(values)[:2] == (value, ill)


@pytest.mark.parametrize("values", [[], [None], [{"value": None}], [{}]])
def test_nothing_is_never_well(values: list[object]) -> None:
    with pytest.raises(Absent, match="nothing to judge"):
        answer(values)


def test_no_entries_are_never_well_but_may_be_ill() -> None:
    with pytest.raises(Absent, match="no entries of the last 2 hours"):
        answer([0], entries=0, hours=2.0)
    value, ill, sentence = answer([0], entries=0, ill_when="below")
    assert (value, ill) == (0, True)
    assert sentence == "it gives 0 s, and should give at least 2"


def test_a_text_cannot_be_compared() -> None:
    with pytest.raises(WrongKind, match="a text where a number"):
        answer(["3"])
    with pytest.raises(WrongKind, match="what is none"):
        answer([10**400])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text('{"a":1,"s":"sk-ant-api03-secretsecret"}\n{"a":2}\nrubbish\n{"a":3}\n')
    return path


def ask(log: Path, program: str, **words: object) -> tuple[object, ...]:
    return asked(Host(), (str(log),), program=program, **words).values  # type: ignore[arg-type]


def test_a_program_sees_the_entries_and_nothing_else(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "plain")
    (tmp_path / "held.json").write_text('{"secret": 1}')
    (tmp_path / "held.jq").write_text("def secret: 1;")
    assert ask(log, "map(.a) | add") == (6,)
    assert ask(log, "$ENV, env | keys") in ([], (["LC_ALL"], ["LC_ALL"]), (["LC_ALL", "TZ"],) * 2)
    assert ask(log, "input_filename") == (None,)
    for program in (
        f'import "held" as $x {{search: "{tmp_path}"}}; $x',
        f'include "held" {{search: "{tmp_path}"}}; secret',
        f'import "{tmp_path}/held" as $x; $x',
        '"held" | modulemeta',
        "input",
        "$__prog_args",
    ):
        with pytest.raises(WrongKind):
            ask(log, program)


@pytest.mark.parametrize(
    ("program", "met"),
    [
        ("last(repeat(1))", TimedOut),
        ("[range(1e9)]", CannotTell),
        ("def f: [f]; f", CannotTell),
        ("range(5000)", WrongKind),
        ('"x" * 9e6', TooBig),
        (".[", WrongKind),
        (".[0].a.b", WrongKind),
        ("error(.[0].s)", WrongKind),
        ("reduce range(1e6) as $n (0; [.]) | tojson", CannotTell),
    ],
)
def test_a_hostile_program_is_ended_and_named(log: Path, program: str, met: type) -> None:
    began = time.monotonic()
    with pytest.raises(met) as raised:
        ask(log, program, deadline=0.8, limit=1000)
    assert time.monotonic() - began < 20
    assert "secretsecret" not in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_a_long_text_is_kept_short(log: Path) -> None:
    assert ask(log, '"x" * 900000 | length, .') == (900_000, "x" * 5000)


def test_entries_of_every_form_are_read(log: Path) -> None:
    log.write_text(
        '{"message": 1}\n{\n  "message": "a",\n  "list": [\n    1\n  ]\n}\n'
        'rubbish\n{"cut": \n{"message": 2}\n'
        '{\n  "level": "ERROR",\n  "message": "he said "no"",\n  "pid": 7\n}\n{"message": 3}'
    )
    assert ask(log, "map(.message)") == ([1, "a", 2, 'he said "no"', 3],)
    assert ask(log, "map(.pid)")[0][3] == 7  # type: ignore[index]


def test_only_the_entries_of_the_span_count(log: Path) -> None:
    now = time.time()
    iso = datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat()
    rows = [
        {"n": 0},
        {"n": 1, "timestamp": now - 7200},
        {"n": 2},
        {"n": 3, "timestamp": iso},
        {"n": 4, "timestamp": int(now * 1000)},
        {"n": 5, "timestamp": [1]},
        {"n": 6, "time": iso.replace("+00:00", "Z")},
        {"n": 7, "timestamp": "2020-01-01T00:00:00"},
    ]
    log.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert ask(log, "map(.n)", since=now - 3600) == ([0, 3, 4, 5, 6],)
    assert ask(log, "map(.n)", since=now - 3600, having='"n": 4') == ([4],)


def test_times_of_every_form() -> None:
    at = 1_795_183_978
    assert time_of({"timestamp": at * 1000}) == time_of({"ts": at * 10**9}) == at
    assert time_of({"time": str(at)}) == at
    assert time_of({"timestamp": True}) is None
    assert time_of({"timestamp": "9" * 400}) is time_of([1]) is time_of({"time": "soon"}) is None


def test_many_logs_are_read_one_after_the_other(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text('{"a": 10}\n')
    got = asked(Host(), (str(log), str(other)), each=".a", program="add")
    assert (got.values, got.entries) == ((16,), 4)


def test_what_is_no_log_is_said(log: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, met in (("none", NotThere), ("fifo", WrongKind), (".", WrongKind)):
        with pytest.raises(met):
            ask(tmp_path / name, ".")


def test_a_large_log_is_searched_for_where_its_time_begins(tmp_path: Path) -> None:
    log = tmp_path / "large.jsonl"
    now = int(time.time())
    pad = "x" * 1000
    with log.open("w") as file:
        for start in range(0, 80_000, 1000):
            file.writelines(
                f'{{"timestamp":{now - 80_000 + n},"n":{n},"p":"{pad}"}}\n'
                for n in range(start, start + 1000)
            )
    got = asked(Host(), (str(log),), each=".n", program="[length, .[0]]", since=now - 100.5)
    assert got.values == ([100, 79_900],)
    newest = asked(Host(), (str(log),), having='"n":79', each=".n", program="length")
    assert newest.values == (1000,)


def test_a_number_that_is_no_time_keeps_no_entry_from_counting(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"ts": %s}\n{"ts": 1700000000}\n' % ("9" * 400))
    assert asked(Host(), [str(path)], since=1.0).entries == 2


def test_a_long_run_of_blanks_takes_no_time() -> None:
    began = time.process_time()
    assert not _FIELD.match(b'"a": "x"' + b" " * 200_000 + b"x\n")
    assert time.process_time() - began < 20  # a crawling pattern takes hours


def test_what_is_nested_deep_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("{}\n")
    host, text = Host(), "reduce range(980) as $i (1; [.])"
    table = {"log": [str(path)], "program": "", "each": text, "limit": 5.0}
    (query,) = queries_in({"deep": table})
    told = answers((query,), str, Logs(host), Filesystem(host), deadline=9.0)
    with contextlib.suppress(WrongKind):
        assert not told.of(query).ill
