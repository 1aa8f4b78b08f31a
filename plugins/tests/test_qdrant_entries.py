"""Memory servers are read from every kind of configuration, and what is none of them is not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthchecks.dgmo import memory_entries
from healthchecks.dgmo.memory_entries import MemoryEntry, same_server, vector_of, with_port
from healthchecks.dgmo.system import Dgmo, Settings, find
from healthchecks.dgmo.world import World
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host
from plugins.redaction import Secret
from plugins.systems import _frozen

ROOT = Path(__file__).resolve().parents[2]
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


def system_of(world: World, **more: object) -> Dgmo:
    shipped = tomllib.loads((ROOT / "healthchecks" / "systems.toml").read_text())["dgmo"]
    keys = shipped | world.settings() | more
    return find(Settings(**{key: _frozen(value) for key, value in keys.items()}), Host())


def read(world: World) -> tuple[MemoryEntry, ...]:
    host = Host()
    return memory_entries.memory_entries(system_of(world), Filesystem(host), host)


def test_an_entry_of_dgmo_and_one_of_claude_are_read(world: World) -> None:
    world.memory.entry(QDRANT_URL="http://a:1", QDRANT_API_KEY="hush", COLLECTION_NAME="c")
    world.memory.entry(style="claude", QDRANT_LOCAL_PATH="~/m", EMBEDDING_MODEL="X/Y-Z")
    ours, theirs = read(world)
    assert (ours.own, ours.url, ours.key, ours.collection) == (
        True,
        "http://a:1",
        Secret("hush"),
        "c",
    )
    assert ours.vector == "fast-all-minilm-l6-v2"
    assert (theirs.own, theirs.local_path, theirs.vector) == (False, "~/m", "fast-y-z")
    assert "hush" not in repr(ours)
    assert "a:1" not in repr(ours)


def test_what_a_container_is_told_counts(world: World) -> None:
    words = ["docker", "run", "-i", "--rm", "-e", "QDRANT_URL=http://host.docker.internal:6333"]
    words += ["--env=COLLECTION_NAME=m", "-e", "QDRANT_API_KEY", "ours/mcp-server-qdrant:1"]
    world.files.serve_as("memory", type="local", command=words)
    (one,) = read(world)
    assert (one.collection, one.model) == ("m", MODEL)
    assert same_server(one.url, "http://127.0.0.1:6333")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "mcp-server-qdrant",
        {"type": "remote", "url": "http://memory.example/mcp"},
        {"command": ["uvx", "another-server"], "environment": {"COLLECTION_NAME": "c"}},
        {"command": ["mcp-server-qdrant"], "enabled": False},
        {"command": 7, "environment": ["QDRANT_URL"]},
        {"command": [None, {}, 1.5], "environment": {"QDRANT_URL": 7}},
    ],
)
def test_what_is_no_memory_server_is_none(world: World, value: Any) -> None:
    world.files.put(world.files.config, json.dumps({"mcp": {"memory": value}}))
    assert [one for one in read(world) if one.url or one.collection] == []


def test_variables_are_put_in_their_places(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_QDRANT", "http://there:6333")
    for text, url, unset in (
        ("${OUR_QDRANT}", "http://there:6333", ""),
        ("{env:OUR_QDRANT}", "http://there:6333", ""),
        ("${NOT_SET:-http://here:6333}", "http://here:6333", ""),
        ("${NOT_SET}", "", "NOT_SET"),
    ):
        world.memory.entry(QDRANT_URL=text)
        (one,) = read(world)
        assert (one.url, one.unset) == (url, unset)


def test_configuration_of_others_that_is_broken_is_passed_over(world: World) -> None:
    world.memory.entry(QDRANT_URL="http://a:1")
    world.files.put(world.folder / ".claude.json", "{" * 100_000)
    (world.folder / ".mcp.json").symlink_to(".mcp.json")
    assert [one.url for one in read(world)] == ["http://a:1"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://localhost:6333", "http://127.0.0.1:6333/", True),
        ("http://localhost", "http://[::1]:6333", True),
        ("https://Box.example", "https://box.example:6333", True),
        ("http://box.example:6334", "http://box.example:6333", False),
        ("http://box.example:6333", "http://localhost:6333", False),
        ("http://box.example:x", "http://box.example:x", True),
        ("http://[", "http://box", False),
    ],
)
def test_two_urls_of_one_server(one: str, other: str, same: bool) -> None:
    assert same_server(one, other) is same
    assert same_server(other, one) is same


@settings(deadline=None)
@given(st.text())
def test_no_text_is_too_strange_for_a_url(text: str) -> None:
    assert same_server(text, text)
    assert isinstance(with_port(text), str)
    assert vector_of(text).startswith("fast-")


@pytest.mark.parametrize(
    ("url", "names", "ports"),
    [
        ("", (), ()),
        ("http://localhost:6333", (), (6333,)),
        ("http://127.0.0.1:6334", (), (6334,)),
        ("http://u:p@box.example:6333", ("box.example",), ()),
        ("http://box.example:x", (), ()),
        ("6333", (), ()),
    ],
)
def test_the_host_that_qdrant_is_on_is_looked_after(
    world: World, url: str, names: tuple[str, ...], ports: tuple[int, ...]
) -> None:
    uses = system_of(world, qdrant_url=url).uses
    assert uses.names == names
    assert set(ports) <= set(uses.ports)
