"""What a step does to the content of files.

New content is written beside, synced and renamed over; a hand answers like those of `files`.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import gzip as gzip_format
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from plugins.hands.files import keep_owner, renamed
from plugins.hands.tree import CHUNK, Done, at, status_of, sync

READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def write(path: str, roots: list[str], content: str, mode: int) -> Done:
    """Write text (latin-1 of the bytes) to a temporary file beside, sync, rename over."""
    return _replace(path, roots, mode, [content.encode("latin-1")])


def _replace(path: str, roots: list[str], mode: int, blocks: Iterable[bytes]) -> Done:
    with at(path, roots) as (descriptor, name), renamed(name, descriptor) as temporary:
        make = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(temporary, make, 0o600, dir_fd=descriptor), "wb") as file:
            file.writelines(blocks)
            file.flush()
            keep_owner(temporary, descriptor, status_of(name, descriptor))
            os.fchmod(file.fileno(), mode)  # after the owner, whose change takes bits away
            os.fsync(file.fileno())
    return {}


def link(path: str, roots: list[str], target: str) -> Done:
    """Make a symbolic link, or replace the one that stands there, in one rename."""
    with at(path, roots) as (descriptor, name), renamed(name, descriptor) as temporary:
        os.symlink(target, temporary, dir_fd=descriptor)
        keep_owner(temporary, descriptor, status_of(name, descriptor))
    return {}


def drop_lines(path: str, roots: list[str], lines: list[int]) -> Done:
    """Rewrite a file without the lines of these numbers (from 1), in flat memory."""
    unwanted = set(lines)

    def kept(file: BinaryIO) -> Iterator[bytes]:
        number, skip = 1, 1 in unwanted
        while block := file.readline(CHUNK):  # a line may be longer than memory should be
            if not skip:
                yield block
            if block.endswith(b"\n"):
                number += 1
                skip = number in unwanted

    with (
        at(path, roots) as (descriptor, name),
        open(os.open(name, READING, dir_fd=descriptor), "rb") as file,
    ):
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return {"refused": "it is no regular file"}
        return _replace(path, roots, stat.S_IMODE(status.st_mode), kept(file))


def pack(path: str, roots: list[str]) -> Done:
    """Compress to PATH.gz, compare to the last byte, then let the packed file stand alone."""
    return _repack(path, path + ".gz", roots, packs=True)


def unpack(path: str, roots: list[str]) -> Done:
    """Decompress PATH.gz to PATH, compare, then let the plain file stand alone."""
    return _repack(path + ".gz", path, roots, packs=False)


@contextlib.contextmanager
def _opened(descriptor: int, mode: str, packed: bool) -> Iterator[BinaryIO]:
    with open(descriptor, mode) as plain:
        if not packed:
            yield plain  # type: ignore[misc]
            return
        # No name and no time in the header: the same content packs to the same bytes.
        with gzip_format.GzipFile(filename="", mode=mode, fileobj=plain, mtime=0) as file:
            yield file  # type: ignore[misc]


def _content(name: str, descriptor: int, packed: bool) -> str:
    digest = hashlib.sha256()
    with _opened(os.open(name, READING, dir_fd=descriptor), "rb", packed) as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _repack(source: str, target: str, roots: list[str], *, packs: bool) -> Done:
    with at(source, roots) as (here, name), at(target, roots) as (there, new):
        status = os.stat(name, dir_fd=here, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return {"refused": "it is no regular file"}
        if status.st_nlink > 1:
            return {"refused": "it has another name (hard link), which would keep its space"}
        original = _content(name, here, not packs)
        if status_of(new, there) is not None:
            # Packing that was cut short between its two renames leaves both, one as good.
            if packs or original != _content(new, there, packs):
                return {"refused": f"{target} exists already"}
        else:
            with renamed(new, there) as temporary:
                _pour(name, here, temporary, there, packs)
                if original != _content(temporary, there, packs):
                    raise OSError(errno.EIO, "the repacked copy differs; nothing was removed")
                _dress(temporary, there, status)
        os.unlink(name, dir_fd=here)
        sync(there)
    return {}


def _pour(name: str, here: int, new: str, there: int, packs: bool) -> None:
    making = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with (
        _opened(os.open(name, READING, dir_fd=here), "rb", not packs) as reader,
        _opened(os.open(new, making, 0o600, dir_fd=there), "wb", packs) as writer,
    ):
        shutil.copyfileobj(reader, writer, CHUNK)


def _dress(name: str, descriptor: int, status: os.stat_result) -> None:
    """Give a new file the owner, mode and times of the one that it stands for; sync it."""
    with open(os.open(name, READING, dir_fd=descriptor), "rb") as file:
        keep_owner(name, descriptor, status)
        os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
        os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(file.fileno())
