"""A container that says its secrets aloud is reported, and none of them is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.portagent.world import World
from healthchecks.portagent.world_server import KEY, SECRET
from plugins.tests.portagent_worlds import with_containers
from plugins.tests.runs import suite

OTHER = "an-own-k3y-of-a-gateway"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with with_containers(tmp_path) as made:
        yield made


def test_what_a_container_says_of_its_secrets_is_masked(world: World) -> None:
    script = (
        f"echo '  API Key: {OTHER[:15]}...'; echo 'refused: {OTHER}'; echo 'JWT {SECRET} is bad';"
        f" echo '{KEY}' >&2; printf '\\033]0;x\\007 <b>bold</b>\\n'; exit 3"
    )
    options = ("--restart", "no", "--env", f"GATEWAY_TOKEN={OTHER}", "--env", f"PLAIN={KEY}")
    proxy = ("--env", "HTTPS_PROXY=http://me:geheim99@proxy.example:3128")
    made = world.containers.run(*options, *proxy, leave=("--restart", "--memory"), script=script)
    world.containers.engine.docker("wait", made)
    world.containers.open_socket()
    tables = {"portagent": world.settings()}
    look = suite(world.folder.parent / "run", tables, "--deep", systems=("portagent",))
    ended = look.row("portagent.its_container_stays_up")
    assert "exit status 3" in " ".join(ended["evidence"])
    assert any("refused: ***" in line for line in ended["evidence"])
    assert look.row("portagent.no_secret_is_in_docker_inspect")["outcome"] == "ill"
    files = (path for path in look.folder.rglob("*") if path.is_file())
    left = b"".join(path.read_bytes() for path in files if path.name != "systems.toml").decode(
        "utf-8", "replace"
    )
    for secret in (KEY, SECRET, OTHER, OTHER[:15], "geheim99"):
        assert secret not in look.terminal + json.dumps(look.document) + left, secret[:4]
    assert "\033]0" not in look.terminal
    assert "<b>bold</b>" not in (look.folder / "health.html").read_text()
