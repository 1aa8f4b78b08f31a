"""A key that can be none is told from one that may be one, and what a banner shows is counted."""

from __future__ import annotations

import pytest

from healthchecks.portagent.probes_secrets import _shown, flaw

GOOD = (
    "sk-ant-api03-w0rldOfTests-0123456789abcdefABCDEF_-0123456789abcdefABCDEF-tests000AA",
    "sk-proj-abcdefgh12345678",
    "0123456789abcdef0123456789abcdef",
    "sk-or-v1-9f8e7d6c5b4a39281706",
    "a.key-of_a.gateway",
)
BAD = {
    "": "empty",
    "  ": "empty",
    '"sk-ant-api03-abc"': "quotes",
    "'sk-ant-api03-abc'": "quotes",
    "sk-ant-api03-abc ": "behind",
    "sk-ant-api03-abc\n": "behind",
    "sk-ant-api03-abc def": "in it",
    "sk-ant-api03-a\u2026bc": "no key has",
    "sk-ant-api03-a\x00bc": "no key has",
    "sk-ant-xxx": "placeholder",
    "sk-ant-api03-xxxxx": "placeholder",
    "<your-key>": "placeholder",
    "your-api-key": "placeholder",
    "sk-ant-...": "placeholder",
    "changeme": "placeholder",
    "${LLM_PROVIDER_KEY}": "placeholder",
}


@pytest.mark.parametrize("key", GOOD)
def test_a_key_that_may_be_one(key: str) -> None:
    assert flaw(key) == ""


@pytest.mark.parametrize(("key", "word"), BAD.items())
def test_a_key_that_can_be_none(key: str, word: str) -> None:
    assert word in flaw(key)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("  API Key: sk-ant-api03-Zm...", 2),
        ("  API Key: sk-proj-abcdefg...", 7),
        ("  API Key: my-own-key-0123...", 15),
        ("\x1b[32m  API Key: my-own-key...", 10),
        ("no banner", 0),
    ],
)
def test_what_a_banner_shows(line: str, count: int) -> None:
    assert _shown(f"Configuration:\n{line}\n  Port: 5200\n".encode()) == count
