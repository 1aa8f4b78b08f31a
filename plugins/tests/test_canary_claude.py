"""Tokens that stand wherever Claude keeps one show in nothing that a run writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.claude_docker.world import World
from plugins.tests.runs import Look, suite, tree

SYSTEM = "claude_docker"
# The word is searched for; what stands around it is of no known shape, where that matters.
WORD = "cAnArY"
TOKEN = f"sk-ant-oat01-{WORD}AAAAAAAAAAAAAAAA"
PLAIN = f"{WORD}plain"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    made.change(cloud_variables=["CLAUDE_CODE_USE_VERTEX"], token_variables=["OUR_VARIABLE"])
    plant_a_login(made)
    plant_servers(made)
    plant_leftovers(made)
    yield made
    made.close()


def plant_a_login(world: World) -> None:
    login = world.login
    login.oauth |= {"accessToken": TOKEN, "refreshToken": f"{PLAIN}-refresh", "expiresAt": PLAIN}
    login.configuration["claudeAiOauth"] = login.oauth | {"expiresAt": 1000}
    login.configuration["primaryApiKey"] = f"{PLAIN}-key"
    login.settings["apiKeyHelper"] = f"echo {PLAIN}-helper"
    login.settings["env"] = {"ANTHROPIC_API_KEY": PLAIN, "CLAUDE_CODE_USE_VERTEX": PLAIN}
    login.write()
    login.keychain({"Claude Code-credentials": {"claudeAiOauth": login.oauth}, "claude.ai": PLAIN})
    for path in (world.config_file, login.credentials, login.settings_file):
        path.chmod(0o644)


def plant_servers(world: World) -> None:
    """Plant secrets in the line, and beside the words, that a cure changes."""
    for scope in ("guide", "user", "project"):
        server: dict[str, Any] = {
            "command": "/home/me/bin/serve",
            "args": ["--pat", PLAIN, f"/home/me/notes?k={PLAIN}", f"/home/me/a:{PLAIN}"],
            "env": {"ODD": PLAIN, "ROOT": f"{PLAIN}:/home/me/x", "KEY": TOKEN},
            "headers": {"Authorization": f"Bearer {PLAIN}"},
        }
        world.login.serve("planted", scope=scope, **server)
    world.login.serve("bare", scope="guide", args=None, env={"ODD": PLAIN})
    world.login.safety_copy()
    one_line = json.dumps(world.login.configuration).encode()
    world.login.put(world.state_dir / ".claude.json", one_line, 0o644)
    back = json.dumps(world.login.configuration).replace("/home/me/", "/workspace/")
    world.login.put(world.config_file, back.encode(), 0o644)


def plant_leftovers(world: World) -> None:
    old = world.state_dir.with_name("claude_config.old")
    world.login.put(old / ".credentials.json", {"claudeAiOauth": world.login.oauth}, 0o644)
    world.login.put(world.config_dir / ".claude.json", world.login.configuration, 0o644)
    broken = json.dumps(world.login.configuration).encode()[:-40]
    world.login.put(world.login.own_backups / ".claude.json.corrupted.1795168800000", broken)
    profile = world.folder / ".zshrc"
    profile.write_text(f"ODD={PLAIN} export CLAUDE_DOCKER_DEBUG={PLAIN}\n", "ascii")


def looked(world: World, folder: Path, *options: str) -> Look:
    return suite(
        folder,
        {SYSTEM: world.settings()},
        *options,
        systems=(SYSTEM,),
        target=f"healthchecks/{SYSTEM}",
        env={"OUR_VARIABLE": f"{PLAIN}-variable"},
    )


def assert_nothing_leaks(look: Look) -> None:
    for name, text in look.artefacts().items():
        if name.startswith("state/") and "/quarantine/" in name:
            continue
        at = text.lower().find(WORD.lower())
        assert at < 0, f"{name}: {text[max(0, at - 300) : at + 60]}"
    assert "INTERNALERROR" not in look.terminal
    assert look.left == ()


def ill(look: Look) -> set[str]:
    rows = look.document["findings"]
    return {row["id"].partition(".")[2] for row in rows if row["outcome"] in {"ill", "fixed"}}


EXPECTED = {
    "only_the_owner_can_read_credentials",
    "path_rewriting_can_read_every_server",
    "staged_mcp_paths_are_the_containers",
    "the_hosts_configuration_has_the_hosts_paths",
    "no_staging_leftovers",
    "debug_mode_is_off",
    "the_configuration_has_not_broken_lately",
}


@pytest.mark.parametrize(
    "options",
    [("-v", "--tb=long", "--showlocals", "--fix=plan"), ("-n", "2", "-vv", "--fix=unsafe")],
    ids=["plan", "workers"],
)
def test_no_token_leaks(world: World, tmp_path: Path, options: tuple[str, ...]) -> None:
    look = looked(world, tmp_path / "run", *options)
    assert_nothing_leaks(look)
    assert ill(look) >= EXPECTED


def test_no_token_leaks_from_what_is_cured_and_taken_back(world: World, tmp_path: Path) -> None:
    before = tree(world.folder)
    fixed = looked(world, tmp_path / "run", "-vv", "--tb=long", "--fix")
    assert_nothing_leaks(fixed)
    undone = looked(world, tmp_path / "run", "--undo")
    assert_nothing_leaks(undone)
    after = tree(world.folder)
    parts = {
        path for path in before.keys() | after.keys() if _said(before, path) != _said(after, path)
    }
    assert not parts


def _said(seen: dict[str, tuple[object, ...]], path: str) -> tuple[object, ...]:
    """Return mode, owner and content: a cure that is taken back leaves another time."""
    mode, uid, gid, size, _, content = seen.get(path, (None,) * 6)
    return (mode, uid, gid, size if not isinstance(content, int) else None, content)


@pytest.mark.parametrize("broken", [b'{"claudeAiOauth": {"accessToken": "%s' % TOKEN.encode(), b""])
def test_no_token_leaks_from_a_broken_configuration(
    world: World, tmp_path: Path, broken: bytes
) -> None:
    world.config_file.write_bytes(broken)
    world.login.settings_file.write_bytes(b'{"env": {"ODD": "%s", ' % PLAIN.encode())
    world.login.credentials.write_bytes(b'[{"accessToken": "%s"}]' % PLAIN.encode())
    (world.state_dir / ".claude.json").write_bytes(broken)
    look = looked(world, tmp_path / "run", "-vv", "--tb=long", "--fix")
    assert_nothing_leaks(look)
    assert {"the_claude_configuration_is_whole", "the_staged_configuration_is_whole"} <= ill(look)
