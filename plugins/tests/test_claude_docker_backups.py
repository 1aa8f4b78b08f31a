"""Backups of Claude Code in Docker: sound while it writes, whatever happens meanwhile."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import resource
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from healthchecks.claude_docker import tarball
from healthchecks.claude_docker.restoring import Restoring, Source
from healthchecks.claude_docker.shelf import Backup
from healthchecks.claude_docker.system import Settings, find
from plugins.endpoints.filesystem import Filesystem
from plugins.eyes.tarballs import read_through
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.proofs import tree
from plugins.steps import CopyTree, Hands, Refusal, Step, TakeOver
from plugins.tests.claude_docker_box import Box, opened


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder to copy, and beside it the folder `there` to copy it into."""
    folder = tmp_path / "source"
    folder.mkdir()
    (tmp_path / "there").mkdir()
    return folder


def copied(source: Path) -> Path:
    """Copy the tree as a backup does."""
    target = source.parent / "there/copy"
    shutil.rmtree(target, ignore_errors=True)
    step = CopyTree(str(target), str(source))
    step.take(Hands(Host(), (str(target.parent),), str(source.parent / "slot")))
    return target


def test_a_tree_is_copied_whole_and_for_its_owner_alone(source: Path) -> None:
    deep = source / os.fsdecode(b"\xff deep") / "er"
    deep.mkdir(parents=True)
    (deep / "hook.sh").write_bytes(b"#!/bin/sh\n")
    (deep / "hook.sh").chmod(0o755)
    (source / "away").symlink_to("/etc")
    os.mkfifo(source / "pipe")
    os.utime(deep / "hook.sh", ns=(10**18, 10**18 + 5))
    made = copied(source)
    found = made / deep.relative_to(source) / "hook.sh"
    assert found.stat().st_mode & 0o777 == 0o700
    assert found.stat().st_mtime_ns == 10**18 + 5
    assert [path.stat().st_mode & 0o777 for path in (made, *found.parents[:1])] == [0o700] * 2
    assert os.readlink(made / "away") == "/etc"
    assert not (made / "pipe").exists()
    with pytest.raises(Refusal, match="already"):
        CopyTree(str(made), str(source)).take(Hands(Host(), (str(made.parent),), "/nonexistent/s"))


def test_a_copy_is_never_made_within_what_it_copies(source: Path) -> None:
    step = CopyTree(str(source / "copy"), str(source))
    with pytest.raises(Refusal, match="which it is to hold"):
        step.take(Hands(Host(), (str(source),), "/nonexistent/slot"))


def test_a_copy_made_while_claude_writes_is_sound(source: Path) -> None:
    """Conversations grow, the configuration is renamed into place, and todos come and go."""
    (source / "a.jsonl").write_bytes(b"")
    (source / "settings.json").write_bytes(b'{"n": 0}')
    over = threading.Event()

    def write() -> None:
        for number in range(10**9):
            with (source / "a.jsonl").open("ab") as file:
                file.write(b'{"line": %d}\n' % number)
            fresh = source / f"new-{number}"
            fresh.write_bytes(b'{"n": %d}' % number)
            fresh.replace(source / "settings.json")
            gone = source / f"todo-{number % 7}"
            gone.write_bytes(b"x" * 100)
            gone.unlink()
            if over.is_set():
                return

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(60):
            made = copied(source)
            json.loads((made / "settings.json").read_bytes())
            lines = (made / "a.jsonl").read_bytes()
            assert (source / "a.jsonl").read_bytes().startswith(lines)
    finally:
        over.set()
        writing.join()


def steps_of(box: Box) -> list[Step]:
    """Return the steps of a recovery from the newest backup."""
    host, names = Host(), Settings.__dataclass_fields__
    told = _table() | box.world.settings()
    system = find(Settings(**{name: _plain(told.get(name, ())) for name in names}), host)
    restoring = Restoring(system, Filesystem(host), host, cast("Any", None))
    newest = Source(os.path.realpath(box.world.backups.latest), "")
    archived = restoring.archived("stamp", system.config_dir, system.config_file)
    return [*archived, *restoring.replaced(newest, "stamp")]


def _table() -> dict[str, Any]:
    import tomllib

    import healthchecks

    file = Path(next(iter(healthchecks.__path__))) / "systems.toml"
    table: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))["claude_docker"]
    return table


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def roots_of(box: Box) -> tuple[str, ...]:
    return (str(box.world.config_dir), str(box.world.config_file), str(box.kept))


def without_what_is_kept(box: Box) -> dict[str, tuple[object, ...]]:
    return {k: v for k, v in tree(box.world).items() if not k.startswith(".claude-recovery")}


def test_a_recovery_that_is_killed_can_be_taken_back(box: Box) -> None:
    (box.world.config_dir / "CLAUDE.md").write_bytes(b"today's" * 9000)
    before = without_what_is_kept(box)
    took, moments = 0.5, random.Random(3)
    for number in range(30):
        journal = Journal(box.state, f"run{number}", Host())
        began = time.monotonic()
        pid = os.fork()
        if not pid:
            try:
                for step in steps_of(box):
                    journal.take("recovery", step, roots_of(box))
            finally:
                os._exit(0)
        if number:
            time.sleep(moments.uniform(0, took))
            os.kill(pid, 9)
        os.waitpid(pid, 0)
        took = took if number else time.monotonic() - began
        for entry in reversed(journal.entries()):
            journal.take_back(entry)
        assert without_what_is_kept(box) == before
        shutil.rmtree(box.kept, ignore_errors=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "small", folder], check=False)
    if made.returncode:
        pytest.skip("needs root, to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def refused(journal: Journal, steps: list[Step], roots: tuple[str, ...]) -> str:
    """Take steps until one is refused; return why."""
    for step in steps:
        try:
            journal.take("recovery", step, roots)
        except Refusal as why:
            return str(why)
    return "all were taken"


@pytest.mark.parametrize("room", [0, 250_000])
def test_a_full_disk_changes_nothing(box: Box, small: Path, room: int) -> None:
    """There is no room for the archive, or none left for what is made ready."""
    world = box.world
    (world.config_dir / "large").write_bytes(bytes(room) or random.Random(1).randbytes(400_000))
    world.backups.full(hours=0.5)
    before = tree(world)
    world.change(recovery_folder=str(small / "deep"))
    journal = Journal(box.state, "full", Host())
    said = refused(journal, steps_of(box), (*roots_of(box), str(small / "deep")))
    assert "No space left" in said or "has less left" in said
    assert [path.exists() for path in small.glob("deep/*-ready")] == []
    for entry in reversed(journal.entries()):
        journal.take_back(entry)
    assert tree(world) == before
    assert not list(small.rglob("*"))


def test_an_archive_that_did_not_change_is_not_read_again(box: Box) -> None:
    archive = next(box.world.backup_root.glob("*.tar.gz"))

    def seen_by(deep: bool) -> tuple[bool, str]:
        """Return whether it is known, and what a run that keeps what it read sees of it."""
        run = cast("Any", SimpleNamespace(state=box.state, deep=deep))
        entry = Filesystem(Host()).look(str(archive))
        assert entry is not None
        backup = Backup(entry, "", "archive", False, 0.0)
        known = tarball.known(backup, Host(), run)
        return known, tarball.read(backup, Host(), run, 9.0).fault

    time.sleep(2.2)  # what was written just now may be written again without a trace
    assert seen_by(deep=False) == (False, "")
    assert seen_by(deep=False) == (True, "")
    # What a disk lost without a word, --deep finds.
    assert seen_by(deep=True) == (False, "")
    seen, text = archive.stat(), bytearray(archive.read_bytes())
    text[len(text) // 2] ^= 1
    archive.write_bytes(text)
    os.utime(archive, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    known, fault = seen_by(deep=False)
    assert not known
    assert "broken" in fault


def archive_of(path: Path, *members: tarfile.TarInfo) -> str:
    """Write headers as they are, with nothing behind them but an end mark."""
    text = b"".join(member.tobuf(tarfile.GNU_FORMAT) for member in members)
    path.write_bytes(gzip.compress(text + bytes(1024)))
    return str(path)


def test_a_header_that_says_it_is_huge_takes_no_memory(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in (b"x", b"g", b"L", b"K"):
        huge = tarfile.TarInfo("./PaxHeader")
        huge.type, huge.size = kind, 1 << 40
        told = read_through(archive_of(tmp_path / "a.tar.gz", huge), [], 9.0)
        assert "says that it has" in told["fault"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 20_000


def test_archives_of_every_make_are_read(tmp_path: Path, source: Path) -> None:
    (source / "claude.json").write_bytes(b"[]")
    (source / ("long" * 60)).write_bytes(b"x")
    with (source / "sparse").open("wb") as file:
        file.truncate(1 << 20)
    for form in ("--format=gnu", "--format=pax", "-S"):
        made = str(tmp_path / "a.tar.gz")
        subprocess.run(["tar", form, "-czf", made, "-C", tmp_path, "source"], check=True)
        told = read_through(made, ["claude.json"], 9.0)
        assert (told["fault"], told["members"]) == ("", 4)
        assert told["documents"] == {"source/claude.json": "it is no JSON object"}
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("claude.json"), io.BytesIO())
    assert read_through(made, ["claude.json"], 9.0)["documents"] == {"claude.json": "it is empty"}
    assert read_through(made, [], 0.0)["late"]


def test_an_archive_without_its_end_mark_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    archive_of(path, tarfile.TarInfo("claude.json"))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:512]))
    assert "no end mark" in read_through(str(path), [], 9.0)["fault"]


@pytest.mark.parametrize("by_hand", [False, True])
def test_keys_are_taken_over_and_never_shown(tmp_path: Path, by_hand: bool) -> None:
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    ours.write_text('{"a": 1, "token": "of-the-backup", "b": [2]}', "utf-8")
    theirs.write_text('{"token": "of-today", "a": 9}', "utf-8")
    step = TakeOver(str(ours), str(theirs), ("token", "other"))
    if by_hand:
        if not shutil.which("jq"):
            pytest.skip("needs jq")
        subprocess.run(["bash", "-euc", str(step)], check=True)
    else:
        step.take(Hands(Host(), (str(tmp_path),), str(tmp_path / "slot")))
    said = json.loads(ours.read_bytes())
    assert list(said.items()) == [("a", 1), ("token", "of-today"), ("b", [2])]
    assert ours.stat().st_mode & 0o077 == 0
    assert "of-today" not in f"{step}{step.brief}{step!r}"
    theirs.write_text("[1]", "utf-8")
    with pytest.raises(Refusal, match="no JSON object"):
        step.take(Hands(Host(), (str(tmp_path),), str(tmp_path / "slot2")))
