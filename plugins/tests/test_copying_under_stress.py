"""Copies when the disk is full, when there is much to copy, and when the copier is killed."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.proofs import lacking
from plugins.tests.copies import laid_out, left, refused, take

LARGE = 3 << 20


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


@pytest.fixture
def small_disk(site: Path) -> Iterator[Path]:
    """The folder `to` on a disk of 1 MiB."""
    if missing := lacking(("root",)):
        pytest.skip(f"needs {missing}")
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(site / "to")]
    subprocess.run(command, check=True)
    yield site / "to"
    subprocess.run(["umount", str(site / "to")], check=True)


def test_on_a_full_disk_the_old_copy_stays_and_no_temporary(site: Path, small_disk: Path) -> None:
    (site / "from" / "a").write_bytes(b"a" * 500_000)
    (site / "from" / "b").write_bytes(b"b" * 900_000)
    (site / "from" / "c").write_bytes(b"c" * 100_000)
    # Two are written at once: one that does not fit would keep the other's room from it.
    assert take(site, "a", "c") == {}
    assert os.strerror(errno.ENOSPC) in refused(site, "b")
    assert left(site) == ["a", "c"]
    (site / "from" / "a").write_bytes(b"a" * 2_000_000)
    assert os.strerror(errno.ENOSPC) in refused(site, "a", "b")
    assert (small_disk / "a").stat().st_size == 500_000
    assert left(site) == ["a", "c"]
    (small_disk / "c").unlink()
    (site / "from" / "a").write_bytes(b"a" * 600_000)
    assert take(site, "a") == {}
    assert (small_disk / "a").stat().st_size == 600_000


def test_into_a_read_only_folder_nothing_is_taken_and_the_reason_is_told(site: Path) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    if os.geteuid() == 0:
        bound = ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "none", str(site / "to")]
        subprocess.run(bound, check=True)
    else:
        (site / "to").chmod(0o500)
    try:
        assert refused(site, "a").rpartition(": ")[2] in {
            os.strerror(errno.EROFS),
            os.strerror(errno.EACCES),
        }
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(site / "to")], check=True)
        (site / "to").chmod(0o700)


def test_a_gibibyte_is_copied_in_flat_memory(site: Path) -> None:
    with (site / "from" / "a").open("wb") as file:
        file.write(b"begins\n")
        file.truncate((1 << 30) - 5)
        file.seek(0, os.SEEK_END)
        file.write(b"ends\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert take(site, "a") == {}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10
    assert (site / "to" / "a").stat().st_size == 1 << 30
    shutil.rmtree(site / "to")


def copy_for_ever(site: Path, names: list[str]) -> None:
    """Copy what there is, and new copies of the large one, until somebody ends it."""
    number = 0
    while True:
        take(site, *names)
        number += 1
        os.link(site / "from" / "large", site / "from" / f"large-{number}")
        take(site, f"large-{number}")


def test_killed_at_any_moment_nothing_is_lost_and_nothing_half_written(site: Path) -> None:
    draw = random.Random(3)
    small = [f"small-{number}" for number in range(6)]
    names = [*small, "large"]
    for name in names:
        (site / "from" / name).write_bytes(os.urandom(2000 if name != "large" else LARGE))
    sizes = dict.fromkeys(names, 0)
    found_partial = 0
    for _ in range(220):
        for name in draw.sample(names, 3):
            with (site / "from" / name).open("ab") as file:
                file.write(os.urandom(draw.choice((80, 5000, 100_000))))
        child = os.fork()
        if child == 0:
            try:
                copy_for_ever(site, names)
            finally:
                os._exit(1)
        time.sleep(draw.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found_partial += any(name.endswith(".tmp") for name in left(site))
        for name in left(site):
            if not name.endswith(".tmp"):
                _is_a_beginning(site, name, sizes)
    assert found_partial > 5  # else it was never killed at a copy
    begun = [path.name for path in (site / "from").iterdir()]
    take(site, *begun)
    assert left(site) == sorted(begun)
    for name in names:
        assert (site / "to" / name).read_bytes() == (site / "from" / name).read_bytes()


def _is_a_beginning(site: Path, name: str, sizes: dict[str, int]) -> None:
    copy, original = site / "to" / name, site / "from" / name
    with copy.open("rb") as one, original.open("rb") as other:
        content = one.read()
        assert other.read(len(content)) == content
    if name in sizes:
        assert len(content) >= sizes[name]
        sizes[name] = len(content)
        return
    assert len(content) >= LARGE  # a new copy is there whole, or not at all
    copy.unlink()
    original.unlink()


def test_two_that_copy_at_once_leave_every_copy_a_beginning(site: Path) -> None:
    names = ["a", "b"]
    for name in names:
        (site / "from" / name).write_bytes(os.urandom(2000))
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    take(site, *names)
            finally:
                os._exit(1)
        children.append(child)
    try:
        for _ in range(25):
            for name in names:
                with (site / "from" / name).open("ab") as file:
                    file.write(os.urandom(9000))
            time.sleep(0.01)
            for name in set(left(site)) & set(names):
                content = (site / "to" / name).read_bytes()
                assert (site / "from" / name).read_bytes().startswith(content)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    take(site, *names)
    assert left(site) == names
    for name in names:
        assert (site / "to" / name).read_bytes() == (site / "from" / name).read_bytes()
