"""No secret is shown, no diagnosis is hidden, and no text makes the rules slow."""

from __future__ import annotations

import copy
import json
import pickle
import time
from dataclasses import asdict, dataclass

import pytest

from plugins.redaction import RULES, Redactor, Secret, redact

HIDDEN = {
    "GET https://api.example/v1?a=1&key=AbC123&b=2": "GET https://api.example/v1?a=1&key=***&b=2",
    "sk-ant-api03-AbCdEfGh12345678": "***",
    "sk-proj-abc123abc123abc123": "***",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789": "***",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrst": "***",
    "xoxb-123456789012-abcdefghij": "***",
    "AKIAIOSFODNN7EXAMPLE": "***",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl": "***",
    "x eyJhbGciOiJIUzI1NiJ9.eyJz\ndWIiOiJ6cXgifQ.c2lnbmF0dXJl\nnext": "x ***\nnext",
    "x eyJhbGciOiJIUzI1NiJ9.eyJz\n2026-11-30T23:00:00Z next": "x ***\n2026-11-30T23:00:00Z next",
    "got Bearer abcdefgh12 here": "got Bearer *** here",
    "Authorization: Basic dXNlcjpwYXNz": "Authorization: Basic ***",
    '{"Authorization": "Bearer x.y.z"}': '{"Authorization": "Bearer ***"}',
    "Basic dXNlcjpwYXNzd29yZA==": "Basic ***",
    "https://me:hunter2@host/x": "https://me:***@host/x",
    "postgres://me:p@ss@host/x": "postgres://me:***@host/x",
    "password=hunter2, user=x": "password=***, user=x",
    "DB_PASS=hunter2": "DB_PASS=***",
    'password: "two words" x': 'password: "***" x',
    "LLM_PROVIDER_KEY=abcd1234": "LLM_PROVIDER_KEY=***",
    "  API Key: my-own-key-1234...": "  API Key: ***...",
    "OPENAI_API_KEY=abcd1234": "OPENAI_API_KEY=***",
    "AWS_SECRET_ACCESS_KEY=wJalr/XUt+n": "AWS_SECRET_ACCESS_KEY=***",
    '{"token": "a\\"b", "n": 1}': '{"token": "***", "n": 1}',
    '{\\"api_key\\": \\"zzz\\"}': '{\\"api_key\\": \\"***\\"}',
    "{'refresh_token': 'abc'}": "{'refresh_token': '***'}",
    "/cb?token=abc&y=1": "/cb?token=***&y=1",
    "run --password hunter2 --token=x123": "run --password *** --token=***",
    "curl -s -u me:hunter2 https://host": "curl -s -u me:*** https://host",
    "sshpass -p hunter2 ssh me@host": "sshpass -p *** ssh me@host",
    "mysql -h db -u me -phunter2 shop": "mysql -h db -u me -p*** shop",
    "Cookie: a=b; c=d": "Cookie: ***",
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----.": (
        "-----BEGIN RSA PRIVATE KEY-----***."
    ),
    "-----BEGIN PRIVATE KEY-----\ncut off": "-----BEGIN PRIVATE KEY-----***",
    "k5Zq+/abcdefghij\nAbC=\n-----END PRIVATE KEY-----\nnext": "***-----END PRIVATE KEY-----\nnext",
    "log-xghp_abcdefghijklmnopqrstuvwxyz0123456789.txt": "log-x***.txt",
    "backup-glpat-AbCdEf1234567890wxyz": "backup-***",
    "my_hf_abcdefghijklmnopqrstuvwxyzABCD1234": "my_***",
    ".tmp-xoxb-123456789012-abcdefghij": ".tmp-***",
    "x-sk-proj-abc123abc123abc123abc123": "x-***",
    "keysk-ant-api03-AbCdEfGh12345678": "key***",
    "copyAKIAIOSFODNN7EXAMPLE": "copy***",
    "/bot123456789:AAbcdefghijklmnopqrstuvwxyz01234567/getMe": "/bot123456789***/getMe",
    "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkd": (
        "https://hooks.slack.com/services/***"
    ),
    "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2Zw_js": (
        "https://discord.com/api/webhooks/4174216298/***"
    ),
    "/srv/https:--me:hunter2@host.git": "/srv/https:--me:***@host.git",
    "/srv/https:/me:hunter2@host": "/srv/https:/me:***@host",
    "https___me:hunter2@host": "https___me:***@host",
    '"https:\\/\\/me:hunter2@host"': '"https:\\/\\/me:***@host"',
    "to=https%3A%2F%2Fme%3Ahunter2%40host%2Fx": "to=https%3A%2F%2Fme%3A***%40host%2Fx",
}

SHOWN = [
    "/home/me/.pocket_agent/projects/sk-notes/messages.jsonl",
    "123e4567-e89b-12d3-a456-426614174000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "pocket_agent.no_token_is_readable_by_others",
    "/etc/api_token: Permission denied",
    "password: /run/secrets/database",
    "max_tokens=4096, tokens: 12, token_file=/a/b, api_key_env=ANTHROPIC_API_KEY",
    "OPENAI_API_KEY is not set",
    "API key: see the documents",
    "token: missing",
    "token=${TOKEN} password=$PASSWORD",
    "Bearer token is missing",
    "Basic authentication is off",
    "https://host:8443/x and user@host",
    "task-force-with-a-very-long-name-9",
    "mysql/mysql-server:8.0@sha256:e3b0c44298fc1c149afbf4c8996fb924",
    "git+ssh://git@github.com/me/it and ssh-agent: me@host",
    "highs_e3b0c44298fc1c149afbf4c8996fb92427ae41e4",
    "/srv/task-ant-colony-2 and my-npm_config_cache and uhf_tuner",
    "docker run -u 1000:1000 -p 8080:80 mysql:8 and mysql -p shop",
    "files that hold a secret:\n- a.env",
    "-----BEGIN CERTIFICATE-----",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_masked_and_its_name_is_kept(text: str) -> None:
    assert redact(text) == HIDDEN[text]
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert redact(text) == text


HOSTILE = [
    "curl ",
    "mysql ",
    "ghp_",
    "glpat-",
    "http-",
    "https:",
    "1",
    "hooks.slack.com/services/",
    "a",
    "eyJ",
    "eyJaaaaaa.",
    "sk-",
    'password="',
    "password",
    "://a:",
    "-----BEGIN ",
    "\\",
]


@pytest.mark.parametrize(
    "part",
    [*HOSTILE, "token_", "token_per_", "token_expir", "basic ", "--a-", "cookie: ", "@", " ", "/a"],
)
def test_a_megabyte_of_anything_is_read_in_linear_time(part: str) -> None:
    began = time.process_time()
    redact(part * (1_000_000 // len(part)))
    redact("password: ://a:" + part * (1_000_000 // len(part)))
    # Quadratic time would be hours.
    assert time.process_time() - began < 20


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_a_known_value_is_masked_wherever_it_stands() -> None:
    redactor = Redactor({"correct horse", "q'\"z€12", "abc"})
    assert redactor("x correct horse y correct%20horse") == "x *** y ***"
    assert redactor(json.dumps("q'\"z€12")) == '"***"'
    # Three letters stand in too many innocent words.
    assert redactor("abcdef") == "abcdef"
    assert redactor("token=zzzz") == "token=***"


def test_a_secret_prints_as_stars_and_is_not_written_down() -> None:
    secret = Secret("hunter2")

    @dataclass
    class Holder:
        key: Secret

    texts = [str(secret), repr(secret), f"{secret:>9}", str([secret]), repr(Holder(secret))]
    assert not any("hunter2" in text for text in texts)
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("other")
    assert hash(secret) == hash(Secret("hunter2"))
    assert not Secret("")
    assert asdict(Holder(secret))["key"] == copy.deepcopy(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps({"key": secret})
