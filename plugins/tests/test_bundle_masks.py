"""Pseudonyms: the same secret is the same word everywhere, and a scan finds what was left."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from plugins.bundle import contents
from plugins.bundle.masking import in_document, in_fact
from plugins.bundle.pseudonyms import PERSONAL, Pseudonyms
from plugins.redaction import redact
from plugins.tests.test_canary import SECRETS, WORD

HUNTED = "cAnArY-7731-qq/+x€"


def hidden(names: Pseudonyms, *texts: str) -> list[str]:
    for text in texts:
        names.note(text)
    return [names.hide(text, "a.txt") for text in texts]


def test_the_same_secret_is_the_same_word_with_or_without_a_name() -> None:
    names = Pseudonyms()
    texts = hidden(names, f"x {HUNTED[:-1]} y", f"password={HUNTED[:-1]}", "token=other-value-1")
    assert texts == ["x <secret-1> y", "password=<secret-1>", "token=<secret-2>"]
    assert sorted(names.masked) == [("assignment", "a.txt")]
    assert names.masked["assignment", "a.txt"] == 3


def test_what_follows_a_private_key_in_a_log_is_kept() -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{HUNTED[:-1] * 3}\n-----END PRIVATE KEY-----"
    names = Pseudonyms()
    (text,) = hidden(names, f"one\n{key}\ntwo\n{key}\nthree\n")
    masked = "-----BEGIN PRIVATE KEY-----\n<secret-1>"
    assert text == f"one\n{masked}\ntwo\n{masked}\nthree\n"
    assert not list(names.left_in(text))


def test_a_line_of_a_private_key_is_hidden_where_it_stands_alone() -> None:
    lines = [base64.b64encode(bytes(range(n, n + 48))).decode() for n in (1, 50, 99)]
    key = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(lines) + "\n-----END PRIVATE KEY-----\n"
    names = Pseudonyms()
    texts = hidden(names, f"the key:\n{key}", f"cannot parse {lines[1]!r}", json.dumps(key))
    assert texts[1] == "cannot parse '<secret-3>'"
    assert not any(line in text for line in lines for text in texts)
    assert not [rule for text in texts for rule in names.left_in(text)]


def forms(value: str) -> list[str]:
    raw = value.encode()
    in_64 = [base64.b64encode(b"u:"[:n] + raw + b"zz").decode() for n in range(3)]
    return [value, quote(value, safe=""), json.dumps(value)[1:-1], *in_64]


@pytest.mark.parametrize("form", forms(HUNTED))
def test_a_known_value_is_hidden_in_every_form(form: str) -> None:
    names = Pseudonyms([HUNTED])
    (text,) = hidden(names, f"see {form}; end")
    assert "<secret-1>" in text
    assert HUNTED not in text
    assert not list(names.left_in(text))
    assert list(names.left_in(f"see {form}")) == ["known value"]


@pytest.mark.parametrize("kind", SECRETS)
def test_every_shape_of_a_secret_is_hidden_and_the_names_stay(kind: str) -> None:
    names = Pseudonyms()
    text = f"ERROR while reading: {SECRETS[kind]}\nDISK_FULL=yes"
    assert list(names.left_in(text))
    (shown,) = hidden(names, text)
    assert WORD not in shown
    assert not list(names.left_in(shown))
    assert shown.startswith("ERROR while reading: ")
    assert names.hide(shown, "b.txt") == shown
    assert WORD not in redact(shown)


def test_what_says_nothing_by_itself_is_not_hunted() -> None:
    names = Pseudonyms()
    said = "api_key: ANTHROPIC_API_KEY token=running secret=12345678 password=short1"
    kept = "status running; ANTHROPIC_API_KEY is set; 12345678 bytes; short1"
    assert hidden(names, said, kept)[1] == kept
    assert "running" not in names.hide(said, "a.txt")


def test_thousands_of_keys_that_begin_alike_have_a_word_each() -> None:
    names = Pseudonyms()
    text = "\n".join(f"key sk-ant-api03-{number:08d}abcd" for number in range(20_000))
    (shown,) = hidden(names, text)
    assert len(set(shown.split("\n"))) == 20_000
    assert "sk-ant" not in shown
    assert not list(names.left_in(shown))


def test_people_are_masked_as_it_was_asked_for() -> None:
    text = "ann@example.org /home/ann/x 10.1.2.3 git@github.com:a/b user@1000.service 127.0.0.1"
    rest = "git@github.com:a/b user@1000.service 127.0.0.1"
    assert hidden(Pseudonyms(), text) == [f"<mail-1> /home/ann/x 10.1.2.3 {rest}"]
    every = Pseudonyms(masked=PERSONAL)
    assert hidden(every, text) == [f"<mail-1> /home/<user-1>/x <address-1> {rest}"]
    assert not list(every.left_in(every.hide(text, "b")))


def test_in_facts_and_documents_a_key_tells_of_its_value() -> None:
    names = Pseudonyms()
    fact = {
        "is": [
            "healthchecks.x:Env",
            "LOG_LEVEL",
            {"secret": "debug"},
            {"dict": [["K_TOKEN", "v1"]]},
        ]
    }
    document = {"API_KEY": "zzzzzzz", "rows": ("a", {"k": "password=p"}), "n": 1}
    contents.note_facts({"x": {"p": {"fact": fact}}}, names)
    made = in_fact(fact, lambda t: names.hide(t, "f"), lambda t, _: names.secret(t, "f"))
    assert made["is"][2:] == [{"secret": "<secret-1>"}, {"dict": [["K_TOKEN", "<secret-2>"]]}]
    assert names.hide("LOG_LEVEL is debug", "f") == "LOG_LEVEL is debug"
    shown = in_document(document, lambda t: names.hide(t, "d"))
    assert shown == {"API_KEY": "<secret-3>", "n": 1, "rows": ["a", {"k": "password=<secret-4>"}]}
    with pytest.raises(TypeError):
        in_document({"a": object()}, str)


def test_the_scan_names_rule_and_file_of_what_is_left_and_never_the_text() -> None:
    names = Pseudonyms([HUNTED])
    clean = {"manifest.json": b'{"a": "password=<secret-1>"}', "collected/x.txt": b"fine ***"}
    assert contents.left_in(clean, names) == []
    leaking = {
        **clean,
        "collected/a.txt": HUNTED.encode(),
        "collected/b.json": json.dumps({"deep": [{"api_key": "qwertz123"}]}).encode(),
        "facts/x.json": json.dumps({"p": {"fact": ["token=abcdef"], "kinds": {}}}).encode(),
        "health.json": json.dumps({SECRETS["github"]: 1}).encode(),
        f"collected/{SECRETS['anthropic']}": b"",
    }
    left = {file: rule for rule, file in contents.left_in(leaking, names)}
    assert sorted(left) == sorted(leaking.keys() - clean.keys())
    assert left["collected/a.txt"] == "known value"
    assert left["facts/x.json"] == "assignment"
