"""API keys, and passwords in URLs, show in nothing that a run over Qdrant leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.dgmo.world import World
from plugins.tests.runs import Look, suite
from plugins.worlds.qdrant_faults import Canned

WORD = "canary5ings"
KEY = f"a-key-{WORD}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


def look(world: World, folder: Path, *options: str) -> Look:
    """Look at Qdrant alone, and hold everything that was written against the secret."""
    words = ("-vv", "--tb=long", "--showlocals", "-k", "qdrant or collection or memor or query")
    seen = suite(folder, {"dgmo": world.settings()}, *words, *options, systems=("dgmo",))
    for name, text in seen.artefacts().items():
        if name != "systems.toml":
            at = text.find(WORD)
            assert at < 0, f"{name}: {text[max(0, at - 300) : at + 60]}"
    assert "INTERNALERROR" not in seen.terminal
    return seen


def test_a_key_of_the_systems_file_opens_the_server_and_is_not_shown(
    world: World, tmp_path: Path
) -> None:
    world.memory.stand_in(key=KEY)
    world.change(qdrant_key_env="", qdrant_api_key=KEY)
    seen = look(world, tmp_path / "run", "--fix=plan")
    for check in ("qdrant_answers", "the_collection_is_green", "memories_are_there"):
        assert seen.row(f"dgmo.{check}")["outcome"] == "healthy"


def test_a_key_that_does_not_fit_is_not_shown(world: World, tmp_path: Path) -> None:
    world.memory.stand_in(key="another-key-altogether")
    world.change(qdrant_key_env="", qdrant_api_key=KEY)
    world.memory.entry(QDRANT_URL=world.memory.url, QDRANT_API_KEY=KEY)
    seen = look(world, tmp_path / "run")
    assert "wants another API key" in seen.told("dgmo.memories_are_there")


def test_a_password_in_a_url_is_not_shown(world: World, tmp_path: Path) -> None:
    world.memory.stand_in()
    world.memory.server.stop()
    url = world.memory.url.replace("http://", f"http://somebody:{WORD}@")
    world.memory.entry(QDRANT_URL=url, QDRANT_API_KEY=KEY, COLLECTION_NAME="AgentMemories")
    world.change(qdrant_url="")
    seen = look(world, tmp_path / "run", "--fix=plan")
    assert seen.row("dgmo.qdrant_answers")["outcome"] == "ill"


def test_what_a_server_echoes_is_not_shown(world: World, tmp_path: Path) -> None:
    faults = world.memory.stand_in(key=KEY)
    said = f'{{"status": {{"error": "no such key: {KEY}, api-key: {KEY}"}}}}'.encode()
    faults.answers["points/query"] = Canned(500, "application/json", said)
    faults.optimizer = f"cannot reach https://u:{WORD}@storage.example/, api_key={WORD}"
    world.change(qdrant_key_env="", qdrant_api_key=KEY)
    seen = look(world, tmp_path / "run")
    assert seen.row("dgmo.a_query_is_quick_and_valid")["outcome"] == "ill"
    assert seen.row("dgmo.the_collection_is_green")["outcome"] == "ill"
