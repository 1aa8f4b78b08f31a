"""Archives that were made to fill our memory are broken; a copy gives nobody another's file."""

from __future__ import annotations

import gzip
import os
import resource
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from plugins.endpoints import inside
from plugins.eyes import tarballs
from plugins.hands import trees
from plugins.tests.toy import ROOT

MIB = 1 << 20
LEAST = 400 * MIB  # of address space, in which Python itself has room enough
_EYE = "from plugins.eyes.tarballs import read_through as f; print(f(sys.argv[1], [], 60)['fault'])"
_HAND = "from plugins.hands.archives import survey as f; print(f(sys.argv[1], 'data')['refused'])"


def bomb(folder: Path, size: bytes, kind: bytes) -> Path:
    """Make an archive whose first header names a size, with 500 MiB of zeros behind it."""
    header = bytearray(tarfile.TarInfo("data/a").tobuf())
    header[124:136], header[156:157], header[148:156] = size, kind, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = folder / "bomb.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(bytes(header))
        for _ in range(500):
            file.write(bytes(MIB))
    return path


@pytest.mark.parametrize("program", [_EYE, _HAND])
@pytest.mark.parametrize(
    ("size", "kind"),
    [(b"\xff" * 12, b"0"), (b"%011o\0" % (480 * MIB), b"x"), (b"%011o\0" % (480 * MIB), b"L")],
)
def test_what_an_archive_says_of_itself_takes_no_memory(
    tmp_path: Path, program: str, size: bytes, kind: bytes
) -> None:
    path = bomb(tmp_path, size, kind)
    ran = subprocess.run(
        (sys.executable, "-c", f"import sys; {program}", str(path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LEAST, LEAST)),
        timeout=60,
        check=False,
    )
    assert "it is broken" in ran.stdout or "size that is none" in ran.stdout, ran.stderr[-300:]


def test_an_extended_header_is_read_in_a_time_that_grows_with_it() -> None:
    began = time.process_time()
    assert tarballs._records(b"6 a=b\n" * 170_000) == {}
    assert time.process_time() - began < 3


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to copy what is somebody else's")
def test_a_copy_belongs_to_who_owned_what_was_read_and_not_what_was_looked_at(
    tmp_path: Path,
) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    target.mkdir()
    (source / "a").write_text("theirs")
    os.chown(source / "a", 12345, 12345)
    looked_at = (source / "a").lstat()
    (source / "b").write_text("root's own, in a folder where they may rename")
    (source / "b").rename(source / "a")
    here, there = (os.open(folder, os.O_RDONLY) for folder in (source, target))
    trees._copied("a", here, looked_at, "a", there)
    os.close(here)
    os.close(there)
    assert (target / "a").stat().st_uid == 0


def test_a_stream_of_the_engine_that_is_cut_is_told_in_words() -> None:
    member = tarfile.TarInfo("a")
    member.size = 3 * MIB
    with pytest.raises(ValueError, match="broke off"):
        list(inside.content([member.tobuf(), bytes(MIB)]))
