"""`[notify]` is read strictly, printed whole, and never repeats a URL."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from plugins import configuration as files
from plugins.alerts.settings import Target, notify_of
from plugins.alerts.urls import secrets_of
from plugins.alerts.windows import Window
from plugins.configuration import Configuration, Misconfigured
from plugins.finding import Severity
from plugins.tests.toy import ROOT

SHIPPED = files.shipped(ROOT / "healthchecks" / "systems.toml")
WHOLE = """
[notify]
url_envs = ["HEALTH_SLACK_URL", "HEALTH_MAIL_URL"]
severity = "P2"
remind_hours = 8
heartbeat_env = "HEALTH_PING_URL"

[[notify.targets]]
url_env = "HEALTH_PAGER_URL"
severity = "P0"

[[notify.windows]]
days = ["Sat", "sunday"]
from = 22:00:00
to = "06:00"
zone = "Europe/Berlin"
severity = "P0"

[[notify.windows]]
from = 2026-12-24T18:00:00
to = 2026-12-27
"""


def read(folder: Path, text: str) -> Configuration:
    """Return the shipped configuration with a file over it."""
    path = folder / "mine.toml"
    path.write_text(text)
    return files.with_file(SHIPPED, path)


def test_all_of_it_is_read(tmp_path: Path) -> None:
    notify = notify_of(read(tmp_path, WHOLE).notified)
    assert notify.targets == (
        Target("HEALTH_SLACK_URL", Severity.P2),
        Target("HEALTH_MAIL_URL", Severity.P2),
        Target("HEALTH_PAGER_URL", Severity.P0),
    )
    assert notify.windows == (
        Window("22:00", "06:00", ("sat", "sun"), "Europe/Berlin", Severity.P0),
        Window("2026-12-24T18:00", "2026-12-27"),
    )
    assert (notify.remind_hours, notify.deadline_s, notify.heartbeat) == (8, 10, "HEALTH_PING_URL")


def test_without_a_table_nobody_is_told() -> None:
    assert notify_of(SHIPPED.notified).variables == ()
    assert notify_of({}).variables == ()


def test_what_is_printed_is_itself_a_systems_file(tmp_path: Path) -> None:
    before = read(tmp_path, WHOLE)
    text = files.printed(before)
    mine = str(tmp_path / "mine.toml")
    assert f'url_envs = ["HEALTH_SLACK_URL", "HEALTH_MAIL_URL"]  # {mine}' in text
    assert "deadline_s = 10.0  # shipped" in text
    assert f"[[notify.windows]]  # {mine}" in text
    assert tomllib.loads(text)["notify"] == before.notified
    (tmp_path / "again").mkdir()
    assert read(tmp_path / "again", text).notified == before.notified


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("url_env = []", "unknown key url_env; did you mean url_envs?"),
        ('url_envs = "HEALTH"', "url_envs must be a list"),
        ('severity = "P4"', "severity must be one of P0, P1, P2, P3, not 'P4'"),
        ("remind_hours = -1", "remind_hours must not be less than 0"),
        ("remind_hours = nan", "remind_hours must be a number"),
        ("deadline_s = 0", "deadline_s must be more than 0 and at most 300"),
        ("deadline_s = true", "deadline_s must be a number"),
        ("targets = [{severity = 'P1'}]", "targets[0].url_env takes the name"),
        ("targets = [{url_env = 'A', sevrity = 'P1'}]", "key sevrity; did you mean severity?"),
        ("windows = [{from = '22:00'}]", "windows[0].to must be a time of day"),
        ("windows = [{from = '25:00', to = '06:00'}]", "windows[0].from must be a time of day"),
        ("windows = [{from = '22:00', to = '2026-12-24'}]", "must both be times of day"),
        ("windows = [{from = '2026-12-24', to = '2026-12-23'}]", "it ends before it begins"),
        ("windows = [{from = '2026-12-24T10:00:00Z', to = '2026-12-25'}]", "zone stands in zone"),
        (
            "windows = [{from = '2026-12-24', to = '2026-12-25', days = ['mon']}]",
            "days go with times of day",
        ),
        ("windows = [{from = '1:00', to = '02:00'}]", "must be a time of day"),
        (
            "windows = [{from = '01:00', to = '02:00', days = ['mun']}]",
            "days are of mon, tue, wed, thu, fri, sat, sun, not 'mun'",
        ),
        (
            "windows = [{from = '01:00', to = '02:00', zone = 'Europe/Berln'}]",
            "there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?",
        ),
        ("windows = [{from = '01:00', to = '02:00', zone = '../../etc/passwd'}]", "no time zone"),
        ("windows = [3]", "windows[0] must be a table with days, from, to, zone, severity"),
    ],
)
def test_a_mistake_is_named_with_the_nearest_right_word(
    tmp_path: Path, said: str, complaint: str
) -> None:
    with pytest.raises(Misconfigured, match=re.escape(complaint)):
        read(tmp_path, f"[notify]\n{said}\n")


def test_notify_itself_must_be_spelt_right(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=re.escape("[notfy]; did you mean notify?")):
        read(tmp_path, "[notfy]\nurl_envs = []\n")
    with pytest.raises(Misconfigured, match="must be a table"):
        read(tmp_path, "notify = 3\n")


@pytest.mark.parametrize("key", ["url_envs = [{0}]", "heartbeat_env = {0}"])
def test_a_url_where_its_name_belongs_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    url = "https://hooks.slack.com/services/T0000/B0000/abcdefghijkl"
    with pytest.raises(Misconfigured, match="the URL itself is a secret") as met:
        read(tmp_path, "[notify]\n" + key.format(f'"{url}"'))
    assert "slack" not in str(met.value).lower().replace("health_slack_url", "")


def hidden(monkeypatch: pytest.MonkeyPatch, url: str) -> tuple[str, ...]:
    """Return what is masked where a variable holds the URL."""
    monkeypatch.setenv("HEALTH_URL", url)
    return secrets_of(["HEALTH_URL", "HEALTH_OTHER_URL"])


def test_the_keys_in_a_url_are_masked_and_its_ordinary_words_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: Any = hidden(
        monkeypatch, "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdn"
    )
    assert {"T1JJ3T3L2", "A1BRTD4JD"} < set(found)
    assert not {"services", "hooks.slack.com"} & set(found)
    assert "hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdn" in found
    assert hidden(monkeypatch, "json://localhost/") == ("json://localhost/",)
    assert hidden(monkeypatch, "ntfy://topic") == ("ntfy://topic",)
    found = hidden(monkeypatch, "mailtos://ada:p%40ss-word@smtp.example.com/?to=ops@example.com")
    assert {"p%40ss-word", "p@ss-word"} < set(found)
    assert "ada" not in found
    found = hidden(monkeypatch, "tgram://123456789:abcdefg_hijklmnop/12315544/")
    assert "abcdefg_hijklmnop" in found
    assert hidden(monkeypatch, "http://[") != ()
