"""Nothing is given to the server's user because his own configuration names it."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.pocket_agent import probes_disk, test_key_files, test_process, test_storage
from healthchecks.pocket_agent.probes_process import ServerProcess
from healthchecks.pocket_agent.system import PocketAgent
from healthchecks.pocket_agent.world import World
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host
from plugins.remedy import remedy_of
from plugins.steps import Hands, Refusal
from plugins.tests.test_pocket_agent_found import found

MALLORY = 4711


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    made.certificate()
    yield made
    made.close()


def given(probe: Any, remedy: Callable[..., object], system: PocketAgent) -> list[str]:
    """Return the paths that the remedy would touch."""
    declared = probe.__probe__
    facts = {declared.name: declared.function(system, Filesystem(Host()))}
    return [step.targets[0] for step in remedy_of(remedy).steps(facts)]


def seen(world: World, **keys: object) -> PocketAgent:
    paths = {"config": str(world.config), "root_dir": str(world.root)}
    return found(**paths, user=str(MALLORY), program="a-server-of-our-own", **keys)


def give(*paths: Path) -> None:
    for path in paths:
        os.chown(path, MALLORY, MALLORY)


def test_a_key_of_roots_is_given_in_the_users_own_folder_only(world: World, tmp_path: Path) -> None:
    keys = (probes_disk.foreign_keys, test_key_files.give_the_key_to_the_server)
    of_root = tmp_path / "of-root" / "authorized_keys"
    of_root.parent.mkdir()
    of_root.write_text("root's own")
    (world.root / "way").symlink_to(of_root.parent)
    (world.root / "key").symlink_to(of_root)
    give(world.root, world.crt.parent)
    assert given(*keys, seen(world)) == [str(world.key), str(world.crt)]
    for named in (of_root, world.root / "way" / of_root.name, world.root / "key"):
        assert given(*keys, seen(world, key=str(named), certificate=str(named))) == []
    give(world.crt)
    assert given(*keys, seen(world)) == [str(world.key)]


def test_folders_of_roots_are_given_in_the_users_own_folder_only(
    world: World, tmp_path: Path
) -> None:
    folders = (probes_disk.foreign_data_folders, test_storage.give_them_to_the_server)
    world.project()
    projects = world.data / "projects"
    below = [str(path) for path in projects.iterdir()]
    of_root = tmp_path / "of-root"
    (of_root / "projects" / "one").mkdir(parents=True)
    give(world.data.parent)
    first, second, *rest = given(*folders, seen(world))
    assert (first, second, sorted(rest)) == (str(world.data), str(projects), sorted(below))
    give(world.data, projects)
    assert sorted(given(*folders, seen(world))) == sorted(below)
    assert given(*folders, seen(world, data_dir=str(of_root))) == []
    link = world.root / "elsewhere"
    link.symlink_to(of_root)
    assert given(*folders, seen(world, data_dir=str(link))) == []


def test_a_data_folder_is_made_in_the_users_own_folder_only(world: World, tmp_path: Path) -> None:
    folder = (probes_disk.data_folder, test_storage.make_it)
    give(world.root)
    fresh, strange = str(world.root / "fresh"), str(tmp_path / "sshd.service.d")
    assert given(*folder, seen(world, data_dir=fresh)) == [fresh, fresh]
    assert given(*folder, seen(world, data_dir=strange)) == []


@pytest.fixture
def homes() -> Iterator[Path]:
    """A folder that everybody may enter, as those of pytest are root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_server_is_started_with_a_log_that_its_own_user_may_write(
    world: World, homes: Path
) -> None:
    nobody, home, of_root = pwd.getpwnam("nobody"), homes / "home", homes / "of-root"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    of_root.write_text("root's own")
    log = home / "log"
    words = ["sh", "-c", "echo $HOME $(id -un)"]
    system = seen(world, start_command=words, start_folder=str(home), start_log=str(log))
    process = ServerProcess((), False, (), nobody.pw_name, str(home))
    facts = {"server_process": process, "system": system}
    (start,) = remedy_of(test_process.start_it).steps(facts)
    start.take(Hands(Host(), (), "/none"))
    assert log.read_text() == f"{home} nobody\n"
    assert log.stat().st_uid == nobody.pw_uid
    log.unlink()
    log.symlink_to(of_root)
    with pytest.raises(Refusal, match="ended with status"):
        start.take(Hands(Host(), (), "/none"))
    assert of_root.read_text() == "root's own"
