"""What stands around DGMO's store: no secret of its configuration shows, nothing hostile is met."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from healthchecks.dgmo.configuration import documents, mcp_entries, places
from healthchecks.dgmo.world import World
from plugins.endpoints.filesystem import Filesystem
from plugins.eyes import rights
from plugins.hosts import Host
from plugins.mcp_servers import mute
from plugins.outcomes import ToolMissing
from plugins.tests.boxes import found_in, opened

CANARY = "canary-7f3b9c"


def test_no_secret_of_the_configuration_shows(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    servers: dict[str, Any] = {
        "dead": {"type": "local", "command": ["sh", "-c", f"echo {CANARY} $KEY >&2; exit 1"]},
        "lost": {"type": "local", "command": ["no-such-program", f"--key={CANARY}"]},
        "far": {"type": "remote", "url": f"http://me:{CANARY}@127.0.0.1:9/{CANARY}?k={CANARY}"},
        "none": {"type": "remote", "url": f"{CANARY}:7/x"},
        "odd": {"type": "local", "command": CANARY},
    }
    servers["dead"]["environment"] = {"KEY": CANARY, "QDRANT_API_KEY": CANARY}
    world.files.put(world.files.config, json.dumps({"mcp": servers}))
    world.files.project("dgmo.jsonc", '{ // "key": "' + CANARY + '"\n "a": "' + CANARY + '" "b"}')
    world.change(run_mcp_servers=True, mcp_seconds=2.0)
    with opened(world, tmp_path, "dgmo") as box:
        status, said = box.run("--fix=plan")
    assert status == 1
    for name in ("dead", "lost", "far", "none", "odd"):
        assert f"{name} (" in said
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept = [path for path in written if not path.is_relative_to(world.folder)]
    assert len(kept) > 2
    for text in (said, *(path.read_text("utf-8", "replace") for path in kept)):
        assert CANARY not in text


def test_a_file_system_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert rights.wrong(str(tmp_path), os.getuid(), 10)["fixed"]


def test_rights_are_told_of_files_and_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe", 0o666)
    for number in range(5):
        (tmp_path / f"{number}.json").write_bytes(b"{}")
        (tmp_path / f"{number}.json").chmod(0o646)
    told = rights.wrong(str(tmp_path), os.getuid(), 3)
    assert (told["total"], len(told["rows"])) == ({"open": 5}, 3)


def test_configuration_of_both_generations_is_read(tmp_path: Path) -> None:
    world = World(tmp_path / "world", layout="workspace")
    world.files.project("dgmo.jsonc", '{"mcp": {"a": {"enabled": false}, "b": 7,}} // c')
    world.files.put(world.config_home / "dgmo" / "config.json", '{"mcp": {"c": {}}}')
    system, filesystem = found_in(world, "dgmo"), Filesystem(Host())
    assert [one.name for one in mcp_entries(system, filesystem)] == ["c", "b"]
    assert len(list(documents(system, filesystem))) == 4
    assert len(places(system)) == len(set(places(system))) == 9


def test_a_far_hosts_servers_are_not_started_here() -> None:
    far: Any = SimpleNamespace(is_local=False, spec="ssh://far")
    with pytest.raises(ToolMissing, match="not on ssh://far"):
        mute((), None, far, 1.0, 0)  # type: ignore[arg-type]
