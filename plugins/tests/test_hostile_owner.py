"""Root takes fixes in what a hostile user owns: he reaches nothing by it that is not his."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.hands import across, content, files, tree, unpacking
from plugins.hosts import Host
from plugins.journal import alone
from plugins.steps import (
    Archive,
    Chmod,
    Chown,
    Copy,
    Hands,
    Mkdir,
    Quarantine,
    Refusal,
    Step,
    Write,
)
from plugins.tests.worksite import hands_on

MALLORY = 4711
TAKEN: dict[str, Callable[[str], Step]] = {
    "chmod": lambda path: Chmod(path, 0o666),
    "chown": lambda path: Chown(path, MALLORY, MALLORY),
    "write": lambda path: Write(path, b"new", 0o666),
    "copy": lambda path: Copy(path, source=path),
    "mkdir": lambda path: Mkdir(f"{path}.d"),
    "quarantine": Quarantine,
}


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file of root's that nobody else may read, in a folder of root's."""
    folder = tmp_path / "of-root"
    folder.mkdir()
    path = folder / "secret"
    path.write_bytes(b"root's own")
    path.chmod(0o600)
    yield path
    assert path.read_bytes() == b"root's own"
    assert (path.stat().st_mode & 0o7777, path.stat().st_uid) == (0o600, 0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of a user's."""
    folder = tmp_path / "home"
    folder.mkdir()
    os.chown(folder, MALLORY, MALLORY)
    return folder


@pytest.mark.parametrize("kind", TAKEN)
def test_a_root_that_its_user_links_elsewhere_leads_nowhere(
    kind: str, home: Path, secret: Path
) -> None:
    (home / "data").symlink_to(secret.parent)
    (home / "beside").symlink_to(".")
    for way in (home / "data", home / "beside" / "data"):
        with pytest.raises(Refusal, match="leads to what is another's"):
            TAKEN[kind](str(way / "secret")).take(hands_on(way))
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]


def test_a_link_to_what_is_the_users_own_is_followed(home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    os.chown(disk, MALLORY, MALLORY)
    (home / "data").symlink_to("../disk")
    (tmp_path / "way").symlink_to(disk)  # root's folder: a link that nobody else could aim
    for way in (home / "data", tmp_path / "way"):
        Write(str(way / "file"), b"new", 0o600).take(hands_on(way))
    assert (disk / "file").stat().st_uid == MALLORY
    (home / "round").symlink_to("round")
    with pytest.raises(OSError, match="round") as met:
        tree.reach(str(home / "round"))
    assert met.value.errno in {errno.ELOOP, errno.ENOTDIR}


def test_a_link_that_anybody_may_aim_is_not_followed(tmp_path: Path, secret: Path) -> None:
    anybodys = tmp_path / "anybodys"
    anybodys.mkdir()
    anybodys.chmod(0o1777)
    (anybodys / "data").symlink_to(secret.parent)
    with pytest.raises(Refusal, match="leads to what is another's"):
        Chmod(str(anybodys / "data" / "secret"), 0o666).take(hands_on(anybodys / "data"))


@pytest.mark.parametrize("kind", ["chmod", "chown"])
def test_a_second_name_of_a_file_is_no_way_to_it(kind: str, home: Path, secret: Path) -> None:
    os.link(secret, home / "key")
    step = Copy(str(home / "copy"), source=str(home / "key"))
    for refused in (TAKEN[kind](str(home / "key")), step):
        with pytest.raises(Refusal, match="hard link"):
            refused.take(hands_on(home))
    assert not (home / "copy").exists()
    (home / "key").unlink()


def test_what_takes_the_name_after_it_was_looked_at_is_not_touched(
    home: Path, secret: Path
) -> None:
    seen = "0:0:0:0"
    (home / "key").write_bytes(b"")
    (home / "link").symlink_to(secret)
    for name, words in (("key", "changed since"), ("link", "symbolic link")):
        path, roots = str(home / name), [str(home)]
        with pytest.raises(OSError, match=words):
            files.chmod(path, roots, 0o666, seen)
        with pytest.raises(OSError, match=words):
            files.chown(path, roots, MALLORY, MALLORY, seen)


class Swapping:
    """Puts a link to a secret in the place of each temporary file, as fast as it can."""

    def __init__(self, folder: Path, secret: Path) -> None:
        self._folder, self._secret = folder, secret
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._swap)
        self.swapped = 0

    def __enter__(self) -> Swapping:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _swap(self) -> None:
        own = self._folder / "link"
        while not self._over.is_set():
            for path in self._folder.glob(".healthchecks.*"):
                own.unlink(missing_ok=True)
                own.symlink_to(self._secret)
                own.replace(path)
                self.swapped += 1


def test_no_temporary_file_that_is_swapped_gives_a_secret_away(
    home: Path, secret: Path, tmp_path: Path
) -> None:
    source = home / "source"
    source.mkdir()
    (source / "file").write_bytes(os.urandom(1 << 20))
    (source / "file").chmod(0o666)
    os.chown(source / "file", MALLORY, MALLORY)
    target = home / "target"
    target.mkdir()
    roots = [str(home)]
    with Swapping(target, secret) as mallory:
        for number in range(200):
            here, there = os.open(source, os.O_RDONLY), os.open(target, os.O_RDONLY)
            try:
                with files.renamed("copy", there) as new:
                    across.duplicate("file", here, new, there)
                content.write(str(target / "written"), roots, "x" * 10_000, 0o666)
                files.copy(str(source / "file"), str(target / "copied"), roots)
            except OSError:
                pass
            finally:
                os.close(here)
                os.close(there)
            if mallory.swapped > 3 and number > 20:
                break
    assert mallory.swapped


def test_an_archive_holds_nothing_that_its_user_links_in(
    home: Path, secret: Path, tmp_path: Path
) -> None:
    (home / "data").symlink_to(secret.parent)
    (tmp_path / "kept").mkdir()
    step = Archive(str(tmp_path / "kept" / "a.tar.gz"), source=str(home / "data"))
    with pytest.raises(Refusal, match="leads to what is another's"):
        step.take(hands_on(tmp_path / "kept"))
    assert not list((tmp_path / "kept").iterdir())


def test_nobody_is_let_into_an_unpacked_folder_before_all_of_it_is_his(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    given: list[object] = []
    base, model = os.open(tmp_path, os.O_RDONLY), home.stat()
    chown, fchown = os.chown, os.fchown

    def noted(what: Any, *more: Any, **options: Any) -> None:
        given.append(what)
        (chown if isinstance(what, str) else fchown)(what, *more, **options)

    monkeypatch.setattr(os, "chown", noted)
    monkeypatch.setattr(os, "fchown", noted)
    unpacking._give(base, model)
    os.close(base)
    assert given.index("file") < given.index("b") < given.index("a") < given.index(base)


def test_a_state_folder_of_another_user_is_not_believed(home: Path) -> None:
    with pytest.raises(Refusal, match="belongs to another user"), alone(home):
        pass


def test_a_state_folder_made_under_a_wide_umask_is_narrowed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o775)
    with alone(state):
        assert state.stat().st_mode & 0o777 == 0o755


def test_a_hand_never_writes_through_a_slot_of_the_users(home: Path, secret: Path) -> None:
    (home / "slots").symlink_to(secret.parent)
    (home / "file").write_bytes(b"x")
    hands = Hands(Host(), (str(home),), str(home / "slots" / "slot"))
    with pytest.raises(Refusal, match="leads to what is another's"):
        Quarantine(str(home / "file")).take(hands)
