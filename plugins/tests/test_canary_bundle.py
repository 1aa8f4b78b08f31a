"""Secrets that are planted all over a world are in no bundle of it, which answers all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from healthchecks.pocket_agent.world import World
from plugins.bundle import packing
from plugins.tests import test_canary_everywhere, test_canary_stores
from plugins.tests.runs import QUICK, Look, suite
from plugins.tests.test_canary import AWS, TOKEN, WORD, world

__all__ = ["kit", "stores", "world"]
kit = test_canary_everywhere.planted
stores = test_canary_stores.planted
MASKED = {"known value", "assignment", "token", "private key", "password in a URL"}


def held_in(bundle: Path, look: Look) -> dict[str, bytes]:
    """Return the files of a bundle, none of which holds a planted word."""
    assert "no bundle" not in look.terminal, look.terminal[-1500:]
    held = packing.unpacked(packing.content_of(bundle))
    for name, content in held.items():
        for word in (WORD, AWS, "pArRoT"):
            at = content.lower().find(word.lower().encode())
            assert at < 0, f"{name}: {content[max(0, at - 300) : at + 60]!r}"
    return held


def manifest(held: dict[str, bytes]) -> dict[str, Any]:
    """Return the manifest; every check that was judged can be judged from the bundle."""
    head: dict[str, Any] = json.loads(held["manifest.json"])
    assert not head["unlike"]
    assert {row["rule"] for row in head["masked"]} >= MASKED
    return head


def test_of_a_server(world: World, tmp_path: Path) -> None:
    bundle = tmp_path / "b.tar.zst"
    tables = {"pocket_agent": world.settings() | QUICK}
    look = suite(tmp_path / "run", tables, f"--bundle={bundle}", env={"PROXY_TOKEN": TOKEN})
    held = held_in(bundle, look)
    manifest(held)
    told = json.dumps([content.decode() for content in held.values()])
    for visible in ("api_key", "PA_LOG_LEVEL", "PA_TRACE_ENABLED", "execution.auth_token"):
        assert visible in told, visible
    assert "collected/pocket_agent/log-1.txt" in held


def test_of_a_kit_and_its_conversations(
    kit: test_canary_everywhere.Planted, tmp_path: Path
) -> None:
    bundle = tmp_path / "b.tar.zst"
    held = held_in(bundle, kit.look(f"--bundle={bundle}"))
    manifest(held)
    assert {"collected/claude_docker/errors.log", "collected/crash_protection/log-1.txt"} <= {*held}


def test_of_stores_and_a_portal(stores: test_canary_stores.Planted, tmp_path: Path) -> None:
    bundle = tmp_path / "b.tar.zst"
    held = held_in(bundle, stores.look(f"--bundle={bundle}"))
    manifest(held)
    assert {"collected/dgmo/log-1.txt", "collected/portagent/log-1.txt"} <= {*held}
