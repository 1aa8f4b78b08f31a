"""Logs, queries and servers of claude_docker in whole runs: users' own queries, and no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.claude_docker.world import World
from plugins.endpoints.signatures import Signature, load
from plugins.tests.runs import CONTROLS, ROOT, Look, suite, systems_file
from plugins.tests.test_canary import AWS, SECRETS, WORD

SIGNATURES = load(str(ROOT / "healthchecks/claude_docker/known_issues.toml"))
QUERIES = """
[claude_docker.queries.many_starts]
log = "events"
program = 'map(select(.event == "claude_start") | .event)'
limit = 3
severity = "P3"
title = "Sessions are few"

[claude_docker.queries.broken]
log = "events"
program = '.[0].level.x'
limit = 3

[claude_docker.queries.telling]
log = ["events", "errors"]
program = 'map(select(.secret) | .secret), map(.message // empty)'
limit = 0

[claude_docker.queries.failing]
log = "events"
each = 'if .secret then error(.secret) else empty end'
program = '.'
limit = 0

[claude_docker.queries.last_events]
enabled = false
"""


@pytest.mark.parametrize("signature", SIGNATURES, ids=[one.key for one in SIGNATURES])
def test_a_line_belongs_to_one_issue_only(signature: Signature) -> None:
    for line in signature.matches:
        assert [other.key for other in SIGNATURES if other.fits(line)] == [signature.key], line


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


def looked(world: World, folder: Path, *options: str) -> Look:
    folder.mkdir()
    file = systems_file(folder / "mine.toml", {"claude_docker": world.settings()})
    file.write_text(file.read_text("utf-8") + QUERIES, "utf-8")
    target = "healthchecks/claude_docker/"
    return suite(folder / "run", file, *options, systems=("claude_docker",), target=target)


def row(look: Look, name: str) -> dict[str, Any]:
    return look.row(f"claude_docker.{name}")


def test_a_users_query_is_a_check_of_its_own(world: World, tmp_path: Path) -> None:
    look = looked(world, tmp_path / "looked")
    starts = row(look, "query.many_starts")
    assert (starts["outcome"], starts["severity"], starts["title"]) == (
        *("ill", "P3"),
        "Sessions are few",
    )
    assert starts["message"] == "it gives 24, and should give at most 3"
    assert starts["evidence"] == ["claude_start"] * 24
    assert starts["measures"][0]["limit"] == 3
    broken = row(look, "query.broken")
    assert broken["outcome"] == "cannot_tell"
    assert "Cannot index string" in broken["message"]
    assert "query.last_events" not in json.dumps(look.document["findings"])
    limits = [each["limit"] for each in row(look, "query.invocation_p95_ms")["measures"]]
    assert limits == [10_000, 5000, 7000]
    assert look.left == ()


def plant(world: World) -> None:
    for secret in (*SECRETS.values(), AWS):
        world.logs.event("sync_failed", "ERROR", secret=secret, message=secret)
        world.logs.event(f"failed {secret}", "critical")
        world.logs.error(f"No space left on device {secret}")
        if "\n" not in secret:
            world.logs.text(f"[ERROR] Authentication failed {secret}")
            world.logs.raw(f"rubbish {secret}\n".encode())
            # A cut must not leave the half of a secret that nobody recognises.
            for padding in (250, 270, 290, 4090):
                world.logs.text(f"[ERROR] {'x' * padding} No valid credentials {secret}")
    world.servers.add("telling", env={"MY_SETTING": f"plain {WORD} words"})
    servers = world.login.configuration["mcpServers"]
    silent = {"command": "no-such-program", "args": ["--api-key", f"{WORD}words"]}
    servers["lost"] = silent | {"env": {"OTHER": f"{WORD}other"}}
    servers["odd"] = {"command": "sh", "args": ["-c", 7], "env": {"OTHER": f"{WORD}other"}}
    world.login.write()
    world.servers.install(f"echo 'bad key {SECRETS['anthropic']}' >&2; exit 1")


@pytest.mark.parametrize(
    "options", [("-vv", "--tb=long", "--showlocals", "--fix=plan"), ("--fix",)]
)
def test_no_secret_leaks(world: World, tmp_path: Path, options: tuple[str, ...]) -> None:
    plant(world)
    look = looked(world, tmp_path / "looked", *options)
    for name, text in look.artefacts().items():
        if name.startswith("state/") and "/quarantine/" in name:
            continue
        for word in (WORD, AWS):
            at = text.lower().find(word.lower())
            assert at < 0, f"{name}: {text[max(0, at - 300) : at + 60]}"
    assert "INTERNALERROR" not in look.terminal
    assert not CONTROLS.search(look.terminal)
    told = {name: row(look, name)["outcome"] for name in ("query.telling", "query.failing")}
    assert told == {"query.telling": "ill", "query.failing": "cannot_tell"}
    assert "bad key ***" in row(look, "the_claude_cli_works")["message"]
    mute = row(look, "every_mcp_server_answers")
    assert mute["outcome"] == "ill"
    assert "my setting is ***" in mute["evidence"][0]
    assert len(row(look, "every_mcp_command_is_found")["evidence"]) == 2
    assert row(look, "known_issue.no_space")["outcome"] == "ill"
    expected = "ill" if "--fix=plan" in options else "fixed"
    assert row(look, "the_logs_are_json_lines")["outcome"] == expected
