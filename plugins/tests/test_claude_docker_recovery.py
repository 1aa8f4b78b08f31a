"""Recoveries of Claude Code in Docker: the right backup, the right place, and the way back."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.proofs import Tree, tree
from plugins.tests.claude_docker_box import Box, opened

RECOVER = ("--recover", "claude_docker.disaster_recovery", "--yes")
REINSTALL = ("--recover", "claude_docker.reinstall", "--yes")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with opened(tmp_path) as made:
        shutil.rmtree(made.world.backup_root)
        yield made


def mark(box: Box, text: str) -> None:
    """Leave a text by which a backup of this moment is known."""
    (box.world.config_dir / "CLAUDE.md").write_text(text, "utf-8")


def marked(box: Box) -> str:
    return (box.world.config_dir / "CLAUDE.md").read_text("utf-8")


def configuration(box: Box) -> Any:
    return json.loads(box.world.config_file.read_bytes())


def outside_of_the_recoveries(box: Box) -> Tree:
    found = tree(box.world)
    return {k: v for k, v in found.items() if not k.startswith(".claude-recovery")}


def test_the_newest_backup_comes_back_and_goes_again(box: Box) -> None:
    world = box.world
    mark(box, "yesterday's")
    (world.config_dir / "away").symlink_to("/nonexistent/place")
    world.backups.full(days=1)
    mark(box, "older")
    world.age(world.backups.full(days=2, link=False), days=-3)  # the newest by its time of change
    mark(box, "today's")
    world.config_file.write_bytes(b"{cut")
    before = outside_of_the_recoveries(box)
    status, said = box.run(*RECOVER)
    assert status == 0, said
    assert marked(box) == "yesterday's"
    assert os.readlink(world.config_dir / "away") == "/nonexistent/place"
    assert configuration(box)["claudeAiOauth"]["accessToken"]
    archives = sorted(box.kept.glob("*.tar.gz"))
    assert [path.stat().st_mode & 0o777 for path in archives] == [0o600, 0o600]
    assert box.kept.stat().st_mode & 0o777 == 0o700
    assert "sk-ant" not in said
    status, said = box.run("--undo")
    assert status == 0, said
    assert outside_of_the_recoveries(box) == before


def test_what_cannot_be_restored_is_passed_over(box: Box) -> None:
    world, backups = box.world, box.world.backups
    mark(box, "good")
    # Only its archive is left, in which a link leads out.
    (world.config_dir / "away").symlink_to("/nonexistent/place")
    shutil.rmtree(backups.full(days=9))
    mark(box, "bad")
    broken = backups.full(days=1)
    (broken / "claude.json").write_bytes(b"")
    (world.backup_root / backups.stamp(hours=3)).mkdir()
    folder = backups.full(days=2)
    os.truncate(f"{folder}.tar.gz", 300)
    shutil.rmtree(folder)
    backups.hostile(world.backup_root / f"{backups.stamp(hours=1)}.tar.gz", "../evil")
    backups.pre_sync(hours=2)
    Path(f"{broken}.tar.gz").unlink()
    status, said = box.run(*RECOVER)
    assert status == 0, said
    assert marked(box) == "good"
    assert f"{backups.stamp(days=9)[:8]}" in said


def test_one_before_a_synchronisation_is_the_last_resort(box: Box) -> None:
    mark(box, "before the synchronisation")
    box.world.backups.pre_sync(hours=2)
    shutil.rmtree(box.world.config_dir)
    box.world.config_file.unlink()
    status, said = box.run(*RECOVER)
    assert status == 0, said
    assert "pre-sync-" in said
    assert marked(box) == "before the synchronisation"


def test_another_backup_may_be_chosen(box: Box) -> None:
    backups = box.world.backups
    mark(box, "old")
    chosen = backups.full(days=5).name
    mark(box, "new")
    backups.full(days=1)
    status, said = box.run(*RECOVER, "--with", f"backup={chosen}")
    assert (status, marked(box)) == (0, "old"), said
    status, said = box.run(*RECOVER, "--with", "backup=20200101-000000")
    assert status == 11
    assert "no backup 20200101-000000 can be restored" in said


def test_todays_login_is_kept(box: Box) -> None:
    login = box.world.login
    box.world.backups.full(days=1)
    login.oauth["accessToken"] = "sk-ant-oat01-of-today-0000"
    login.configuration["claudeAiOauth"] = dict(login.oauth)
    login.write()
    status, said = box.run(*RECOVER)
    assert status == 0, said
    kept = configuration(box)
    assert kept["claudeAiOauth"]["accessToken"] == "sk-ant-oat01-of-today-0000"
    assert b"of-today" in login.credentials.read_bytes()
    assert kept["projects"]
    written = [path for path in box.state.rglob("*.jsonl") if path.parent.name == "journal"]
    assert "of-today" not in said + "".join(path.read_text("utf-8") for path in written)


def test_without_a_backup_nothing_is_touched(box: Box) -> None:
    before = tree(box.world)
    status, said = box.run(*RECOVER)
    assert (status, tree(box.world)) == (11, before), said
    assert "no backup can be restored" in said


def test_a_reinstallation_from_here(box: Box) -> None:
    world = box.world
    mark(box, "kept")
    world.backups.full(days=1)
    logins = world.folder / ".docker-ai-config" / "gh_config"
    logins.mkdir(parents=True)
    (logins / "hosts.yml").write_text("github.com:", "utf-8")
    world.config_file.write_bytes(b"")
    shutil.rmtree(world.config_dir / "projects")
    before = outside_of_the_recoveries(box)
    status, said = box.run(*REINSTALL)
    assert status == 0, said
    assert marked(box) == "kept"
    assert (logins / "hosts.yml").exists()
    assert not world.state_dir.exists()
    assert not list(world.folder.glob("20*"))
    kit = next(box.kept.glob("*docker-ai-config.tar.gz"))
    with tarfile.open(kit) as tar:
        assert ".docker-ai-config/gh_config/hosts.yml" in tar.getnames()
    status, said = box.run("--undo")
    assert status == 0, said
    assert outside_of_the_recoveries(box) == before


@pytest.mark.parametrize("place", ["disk", "cloud"])
def test_a_reinstallation_from_elsewhere(box: Box, place: str) -> None:
    world = box.world
    mark(box, "from afar")
    if place == "disk":
        world.backups.outside(days=3)
    else:
        world.backups.cloud(3, 9)
    shutil.rmtree(world.backup_root)
    shutil.rmtree(world.config_dir)
    world.config_file.unlink()
    status, said = box.run(*REINSTALL)
    assert status == 0, said
    assert marked(box) == "from afar"
    assert configuration(box)["claudeAiOauth"]
